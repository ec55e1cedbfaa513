import csv
import io
import json
from typing import Any

import pytest
from rich.console import Console

from ballstream.protocol.messages import Estimate
from ballstream.scoring import report
from ballstream.scoring.distribution import Statistics
from ballstream.scoring.report import ReceptionReport, SessionReport
from ballstream.scoring.score import Result, Scorer, Verdict

FIGURES = Statistics(100, 0.5, 0.25, 1.125, 2.0, 3.0)
NONE = Statistics(0)

SESSION = SessionReport(
    id=3,
    transport="track",
    codec="VP8",
    seconds=12.34,
    frames_sent=400,
    frames_answered=390,
    frames_lost=7,
    not_found=2,
    duplicates=1,
    rejected=5,
    bytes_sent=123_456,
    detection_error_px=FIGURES,
    tracking_error_px=FIGURES,
    latency_ms=NONE,
)

RECEPTION = ReceptionReport(
    id=1,
    transport="track",
    codec="H264",
    seconds=12.34,
    frames_received=390,
    frames_skipped=4,
    estimates_sent=386,
    estimates_dropped=0,
    not_found=2,
    detector_errors=0,
    detector_restarts=0,
    rejected=0,
    detect_ms=FIGURES,
)

FIGURE_KEYS = {"n", "mean", "p50", "p95", "p99", "max"}


def document(*sessions: SessionReport | ReceptionReport) -> Any:
    return json.loads(report.document({"fps": 30.0}, {"python": "3.11"}, sessions))


def test_the_document_of_the_server_has_the_agreed_keys() -> None:
    content = document(SESSION)
    assert set(content) == {"schema_version", "config", "environment", "sessions"}
    assert content["schema_version"] == 1
    assert content["config"] == {"fps": 30.0}
    assert content["environment"] == {"python": "3.11"}
    (session,) = content["sessions"]
    assert set(session) == {
        "id", "transport", "codec", "seconds", "frames_sent", "frames_answered", "frames_lost",
        "not_found", "duplicates", "rejected", "bytes_sent", "detection_error_px",
        "tracking_error_px", "latency_ms",
    }  # fmt: skip
    for name in ("detection_error_px", "tracking_error_px", "latency_ms"):
        assert set(session[name]) == FIGURE_KEYS


def test_the_document_holds_the_values() -> None:
    (session,) = document(SESSION)["sessions"]
    assert session["id"] == 3
    assert session["seconds"] == 12.34
    assert session["bytes_sent"] == 123_456
    assert session["detection_error_px"] == {
        "n": 100, "mean": 0.5, "p50": 0.25, "p95": 1.125, "p99": 2.0, "max": 3.0,
    }  # fmt: skip
    assert session["latency_ms"] == {
        "n": 0, "mean": None, "p50": None, "p95": None, "p99": None, "max": None,
    }  # fmt: skip


def test_the_document_of_the_client_has_the_agreed_keys() -> None:
    (session,) = document(RECEPTION)["sessions"]
    assert {"frames_received", "frames_skipped", "estimates_sent", "detect_ms"} <= set(session)
    assert set(session["detect_ms"]) == FIGURE_KEYS


def test_a_run_without_sessions_is_a_document_too() -> None:
    assert document()["sessions"] == []


def test_the_document_is_laid_out_for_people() -> None:
    assert report.document({}, {}, []).splitlines()[1] == '  "schema_version": 1,'


def written(*row: object) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(row)
    return text.getvalue()


def test_the_columns_of_the_estimates() -> None:
    assert report.CSV_COLUMNS == (
        "session", "at", "result", "frame", "x", "y", "true_x", "true_y",
        "detection_error_px", "tracking_error_px", "latency_ms", "detect_ms",
    )  # fmt: skip


def test_a_row_of_an_answer() -> None:
    verdict = Verdict(
        Result.ANSWERED, 16, 231.00004, 196.0, 228.0, 200.0, 5.12344, 13.60147, 250.0, 1.5
    )
    row = report.csv_row(2, 1.125, verdict)
    assert len(row) == len(report.CSV_COLUMNS)
    assert written(*row) == (
        "2,1.125,answered,16,231.0,196.0,228.0,200.0,5.1234,13.6015,250.0,1.5\n"
    )


def test_a_row_is_empty_where_there_is_nothing_to_say() -> None:
    row = report.csv_row(2, 0.5, Verdict(Result.REJECTED, None, None, None))
    assert written(*row) == "2,0.5,rejected,,,,,,,,,\n"


def test_the_arrival_is_given_to_the_microsecond() -> None:
    row = report.csv_row(1, 1.12345678, Verdict(Result.REJECTED, None, None, None))
    assert row[1] == 1.123457


@pytest.fixture
def scorer() -> Scorer:
    """One that sent 16 frames in 2 s and had one answer, 3 px off and 250 ms late."""
    made = Scorer(lambda seconds: (100, 200), (640, 480), 0)
    for number in range(16):
        made.drawn(number, number / 8, number / 8)
    made.score(Estimate(10, 103, 200), 1.5)
    return made


def test_live_cells(scorer: Scorer) -> None:
    assert report.live_cells("client 1", scorer) == (
        "client 1", "16", "1 (6.2 %)", "3.000", "3.00", "250.0", "250.0",
    )  # fmt: skip


def test_live_cells_of_a_session_that_has_just_begun() -> None:
    scorer = Scorer(lambda seconds: (100, 200), (640, 480), 0)
    assert report.live_cells("client 1", scorer) == (
        "client 1", "0", "0 (0.0 %)", "-", "-", "-", "-",
    )  # fmt: skip


def test_the_live_line(scorer: Scorer) -> None:
    assert report.live_line(report.live_cells("client 1", scorer)) == (
        "client 1: 16 frames, 1 (6.2 %) answered, detection 3.000 px, tracking 3.00 px, "
        "latency p50 250.0 p95 250.0 ms"
    )


def test_the_live_table_has_a_row_for_each_client(scorer: Scorer) -> None:
    cells = [report.live_cells(name, scorer) for name in ("client 1", "client 2")]
    console = Console(file=io.StringIO(), width=120, record=True)
    console.print(report.live_table(cells))
    lines = [line.split() for line in console.export_text().splitlines()]
    assert " ".join(lines[1]) == (
        "client frames answered detection px tracking px latency p50 p95 ms"
    )
    assert lines[3] == ["client", "1", "16", "1", "(6.2", "%)", "3.000", "3.00", "250.0", "250.0"]
    assert lines[4][:2] == ["client", "2"]


def test_the_summary_of_the_server() -> None:
    assert report.summary_lines(SESSION) == [
        "client 3 (track, VP8), 12.3 s: 400 frames sent, 390 answered (97.5 %), 7 lost, "
        "2 not found, 1 duplicate, 5 rejected",
        "  detection error  px  mean    0.500  p50    0.250  p95    1.125  p99    2.000  "
        "max    3.000",
        "  tracking error   px  mean    0.500  p50    0.250  p95    1.125  p99    2.000  "
        "max    3.000",
        "  latency          ms  mean        -  p50        -  p95        -  p99        -  "
        "max        -",
    ]


def test_the_summary_of_the_client() -> None:
    assert report.reception_lines(RECEPTION) == [
        "track, H264, 12.3 s: 390 frames received, 4 skipped, 386 estimates sent, 2 without a ball",
        "  detector         ms  mean     0.50  p50     0.25  p95     1.12  p99     2.00  "
        "max     3.00",
    ]


def test_the_summary_of_the_client_tells_of_failures() -> None:
    values = {name: getattr(RECEPTION, name) for name in RECEPTION.__struct_fields__}
    failed = ReceptionReport(**values | {"detector_errors": 3, "detector_restarts": 2})
    assert report.reception_lines(failed)[0].endswith(
        "2 without a ball, detector failed 3 times, was replaced 2 times"
    )


@pytest.mark.parametrize(
    ("value", "places", "expected"), [(None, 3, "-"), (0.12345, 3, "0.123"), (2, 1, "2.0")]
)
def test_a_number_has_fixed_places_or_is_a_dash(
    value: float | None, places: int, expected: str
) -> None:
    assert report.number(value, places) == expected
