import csv
import io
import json
from typing import Any

from samples import NETWORK, RECEPTION, SESSION

from ballstream.report import records as report
from ballstream.report.records import ReceptionReport, SessionReport
from ballstream.scoring.score import Result, Verdict

FIGURE_KEYS = {"n", "mean", "p50", "p95", "p99", "max"}
NOTHING = {"n": 0, **dict.fromkeys(FIGURE_KEYS - {"n"})}


def document(*sessions: SessionReport | ReceptionReport) -> Any:
    return json.loads(report.document({"fps": 30.0}, {"python": "3.11"}, None, sessions))


def test_the_document_of_the_server_has_the_agreed_keys() -> None:
    content = document(SESSION)
    assert set(content) == {"schema_version", "config", "environment", "impairment", "sessions"}
    assert content["schema_version"] == 1
    assert content["config"] == {"fps": 30.0}
    assert content["environment"] == {"python": "3.11"}
    (session,) = content["sessions"]
    assert set(session) == {
        "id", "client", "channel", "ended", "transport", "codec", "seconds", "frames_due",
        "frames_missed", "frames_dropped", "frames_sent", "frames_answered", "unnumbered",
        "frames_lost", "frames_undecided", "lost", "not_found", "duplicates", "rejected",
        "bytes_sent", "latency_ms", "way_ms", "client_ms", "detect_ms", "detection_error_px",
        "tracking_error_px",
    }  # fmt: skip
    for name in ("detection_error_px", "tracking_error_px", "latency_ms"):
        assert set(session[name]) == FIGURE_KEYS


def test_the_document_says_which_network_was_emulated() -> None:
    text = report.document({}, {}, NETWORK, [])
    assert json.loads(text)["impairment"] == {
        "spec": "delay=40ms,loss=2%",
        "seed": 7,
        "down": {
            "packets": 2, "bytes": 300, "lost": 0, "queue_dropped": 0, "reordered": 0,
            "longest_queue_ms": 0.0, "lateness_ms": NOTHING,
        },
        "up": {
            "packets": 0, "bytes": 0, "lost": 0, "queue_dropped": 0, "reordered": 0,
            "longest_queue_ms": 0.0, "lateness_ms": NOTHING,
        },
    }  # fmt: skip
    assert document()["impairment"] is None


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
    assert report.document({}, {}, None, []).splitlines()[1] == '  "schema_version": 1,'


def written(*row: object) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(row)
    return text.getvalue()


def test_the_columns_of_the_estimates() -> None:
    assert report.CSV_COLUMNS == (
        "session", "at", "result", "frame", "x", "y", "true_x", "true_y",
        "detection_error_px", "tracking_error_px", "latency_ms", "detect_ms", "client_ms",
        "counted",
    )  # fmt: skip


def test_a_row_of_an_answer() -> None:
    verdict = Verdict(
        Result.ANSWERED,
        16,
        231.00004,
        196.0,
        228.0,
        200.0,
        5.12344,
        13.60147,
        250.0,
        1.5,
        3.25,
        True,
    )
    row = report.csv_row(2, 1.125, verdict)
    assert len(row) == len(report.CSV_COLUMNS)
    assert written(*row) == (
        "2,1.125,answered,16,231.0,196.0,228.0,200.0,5.1234,13.6015,250.0,1.5,3.25,1\n"
    )


def test_a_row_is_empty_where_there_is_nothing_to_say() -> None:
    row = report.csv_row(2, 0.5, Verdict(Result.REJECTED, None, None, None))
    assert written(*row) == "2,0.5,rejected,,,,,,,,,,,0\n"


def test_the_arrival_is_given_to_the_microsecond() -> None:
    row = report.csv_row(1, 1.12345678, Verdict(Result.REJECTED, None, None, None))
    assert row[1] == 1.123457
