import io
import json

import msgspec
import pytest
from rich.console import Console
from samples import SESSION

from ballstream.bench.run import Run
from ballstream.bench.table import Figures, figures, results_document, results_table
from ballstream.scoring.distribution import Statistics


def run(latency: float, answered: int = 100, error: float = 0.01) -> Run:
    session = msgspec.structs.replace(
        SESSION,
        frames_due=100,
        frames_answered=answered,
        detection_error_px=Statistics(100, error, error, 2 * error, 3 * error, 4 * error),
        tracking_error_px=Statistics(100, 1, 1, 2, 3, 4),
        latency_ms=Statistics(100, latency, latency, 2 * latency, 3 * latency, 4 * latency),
    )
    return Run(session, server_cpu=10 * latency, client_cpu=latency, viewer_frames=[])


def test_figures_are_medians_and_the_worst() -> None:
    assert figures([run(4, 99), run(6, 100, 0.02), run(5, 98)]) == Figures(
        runs=3,
        answered=98,
        latency_p50_ms=5,
        latency_p95_ms=10,
        latency_p99_ms=15,
        detection_p50_px=0.01,
        detection_p95_px=0.02,
        detection_max_px=0.08,
        server_cpu=50,
        client_cpu=5,
    )


def test_the_table_says_the_gain_over_the_last_scenario() -> None:
    console = Console(file=io.StringIO(), width=200, record=True)
    console.print(results_table({"clean": [run(5)], "stock": [run(40)]}))
    rows = [" ".join(line.split()) for line in console.export_text().splitlines()]
    assert rows[3] == "clean 1 100.0 5.00 10.00 15.00 8.0x 0.010 0.020 0.040 50.0 5.0"
    assert rows[4].startswith("stock 1 100.0 40.00 80.00 120.00 1.0x ")


def test_the_document_has_runs_and_figures() -> None:
    content = json.loads(results_document({"clean": [run(5), run(7)]}, 10, {"cpus": 2}))
    (scenario,) = content["scenarios"]
    assert scenario["name"] == "clean"
    assert scenario["figures"]["latency_p50_ms"] == pytest.approx(6)
    assert len(scenario["runs"]) == 2
    assert scenario["runs"][0]["session"]["latency_ms"]["p50"] == 5
    assert content["environment"] == {"cpus": 2}
