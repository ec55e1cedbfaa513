import io
import json

import msgspec
import pytest
from rich.console import Console
from samples import NONE, SESSION

from ballstream.bench.run import Run
from ballstream.bench.scenarios import SCENARIOS, meaning_of, through
from ballstream.bench.table import Figures, figures, results_document, results_table
from ballstream.scoring.distribution import Statistics
from ballstream.scoring.gaps import Gaps


def run(latency: float, answered: int = 100, error: float = 0.01) -> Run:
    session = msgspec.structs.replace(
        SESSION,
        frames_due=100,
        frames_answered=answered,
        detection_error_px=Statistics(100, error, error, 2 * error, 3 * error, 4 * error),
        tracking_error_px=Statistics(100, 1, 1, 2, 3, 4),
        held_error_px=Statistics(100, 6, 5, 8, 9, 10),
        gaps=Gaps(longest_ms=10 * latency),
        latency_ms=Statistics(100, latency, latency, 2 * latency, 3 * latency, 4 * latency),
    )
    config = {"server": {"fps": 30}, "client": {}}
    way = {"lateness_ms": {"p99": latency / 10}}
    impairment = {"down": way, "up": {"lateness_ms": {"p99": None}}}
    return Run(session, 10 * latency, latency, [], config, impairment)


def test_figures_are_medians_and_the_worst() -> None:
    assert figures([run(4, 99), run(6, 100, 0.02), run(5, 98)]) == Figures(
        runs=3,
        answered=98,
        frames_due=300,
        frames_missed=60,
        frames_dropped=180,
        frames_answered=297,
        unnumbered=12,
        frames_lost=27,
        frames_undecided=9,
        latency_p50_ms=5,
        latency_p95_ms=10,
        latency_p99_ms=15,
        way_p50_ms=None,
        client_p50_ms=None,
        detect_p50_ms=0.25,
        detection_p50_px=0.01,
        detection_p95_px=0.02,
        detection_max_px=0.08,
        tracking_p50_px=1,
        held_mean_px=6,
        longest_gap_ms=50,
        lateness_p99_ms=0.5,
        bytes_a_frame=123_456 / 400,
        server_cpu=50,
        client_cpu=5,
    )


def test_the_table_says_the_gain_over_the_last_scenario() -> None:
    console = Console(file=io.StringIO(), width=240, record=True)
    console.print(results_table({"clean": [run(5)], "stock": [run(40)]}))
    rows = [" ".join(line.split()) for line in console.export_text().splitlines()]
    assert rows[3] == (
        "clean 1 100.0 100 20 60 9 5.00 10.00 15.00 8.0x 50 6.00 0.010 0.020 0.040 309 50.0 5.0 "
        "0.50"
    )
    assert rows[4].startswith("stock 1 100.0 100 20 60 9 40.00 80.00 120.00 1.0x ")


def test_the_document_has_runs_and_figures() -> None:
    content = json.loads(results_document({"clean": [run(5), run(7)]}, 10, {"cpus": 2}))
    (scenario,) = content["scenarios"]
    assert scenario["name"] == "clean"
    assert scenario["meaning"] == "the defaults: 640x480 at 30 fps, VP8"
    assert scenario["figures"]["latency_p50_ms"] == pytest.approx(6)
    assert len(scenario["runs"]) == 2
    assert scenario["runs"][0]["session"]["latency_ms"]["p50"] == 5
    assert scenario["runs"][0]["config"] == {"server": {"fps": 30}, "client": {}}
    assert content["environment"] == {"cpus": 2}


def test_what_was_not_measured_is_null_and_a_dash() -> None:
    nothing = Run(
        msgspec.structs.replace(SESSION, frames_due=0, frames_sent=0, detection_error_px=NONE),
        server_cpu=1, client_cpu=1, viewer_frames=[], config={},
    )  # fmt: skip
    summed = figures([nothing])
    assert (summed.answered, summed.latency_p50_ms, summed.detection_max_px) == (None, None, None)
    assert summed.bytes_a_frame is None
    console = Console(file=io.StringIO(), width=240, record=True)
    console.print(results_table({"clean": [nothing]}))
    row = " ".join(console.export_text().splitlines()[3].split())
    assert row == "clean 1 - 0 20 60 9 - - - - 500 0.50 - - - - 1.0 1.0 -"


def test_a_scenario_through_a_media_server_goes_by_another_name() -> None:
    made = through(SCENARIOS["h264"], "http://a/whip", "http://a/whep")
    assert made.name == "h264 through"
    assert made.meaning == meaning_of(made.name)
    assert made.meaning == "640x480 at 30 fps, H.264, through a media server"
    assert made.server == ("--codec", "H264", "--publish", "http://a/whip")
    assert made.client == ("--watch", "http://a/whep")


def test_of_what_is_published_nobody_knows_the_bytes_for_one_client() -> None:
    session = msgspec.structs.replace(SESSION, transport="published", bytes_sent=0)
    assert figures([Run(session, 1.0, 1.0, [], {})]).bytes_a_frame is None
