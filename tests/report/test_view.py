import msgspec
import pytest
from samples import RECEPTION, SESSION, Session

from ballstream.protocol.messages import Estimate, Feedback
from ballstream.report import view
from ballstream.report.records import Ended, Progress, ReceptionReport
from ballstream.scoring.score import Scorer


@pytest.fixture
def scorer() -> Scorer:
    """One that sent 16 frames in 2 s and had one answer, 3 px off and 250 ms late."""
    made = Scorer(lambda seconds: (100, 200), (640, 480), 0)
    made.opened(0)
    for number in range(16):
        made.drawn(number, number / 8, number / 8)
    made.score(Estimate(10, 103, 200), 1.5)
    return made


def test_live_cells(scorer: Scorer) -> None:
    assert view.server_cells("client 1", scorer.snapshot()) == (
        "client 1", "16", "0", "0", "6.2 %", "3.000", "250.0", "250.0", "-", "-", "-", "-",
    )  # fmt: skip


def test_live_cells_have_what_is_held_and_the_longest_gap(scorer: Scorer) -> None:
    for number, at in ((11, 2.0), (12, 2.25), (13, 3.25)):
        scorer.score(Estimate(number, 103, 204), at)
    assert view.server_cells("client 1", scorer.snapshot())[-2:] == ("4.4", "1000")


def test_live_cells_of_a_session_that_has_just_begun() -> None:
    scorer = Scorer(lambda seconds: (100, 200), (640, 480), 0)
    assert view.server_cells("client 1", scorer.snapshot()) == (
        "client 1", "0", "0", "0", "-", "-", "-", "-", "-", "-", "-", "-",
    )  # fmt: skip


def test_the_live_line(scorer: Scorer) -> None:
    assert view.server_line(view.server_cells("client 1", scorer.snapshot())) == (
        "client 1: due 16, missed 0, dropped 0, answered 6.2 %, error px 3.000, "
        "latency 250.0, p95 ms 250.0, client ms -, detector -, held px -, gap ms -"
    )


def test_the_live_table_has_a_row_for_each_client(scorer: Scorer) -> None:
    cells = [view.server_cells(name, scorer.snapshot()) for name in ("client 1", "client 2")]
    assert view.server_table(cells) == [
        "client    due  missed  dropped  answered  error px  latency  p95 ms  client ms"
        "  detector  held px  gap ms",
        "\u2500" * 105,
        "client 1   16       0        0     6.2 %     3.000    250.0   250.0          -"
        "         -        -       -",
        "client 2   16       0        0     6.2 %     3.000    250.0   250.0          -"
        "         -        -       -",
    ]


def test_the_summary_of_the_server() -> None:
    assert view.summary_lines(SESSION) == [
        "client 3, track, VP8, 12.3 s, 80.0 % of the frames due answered",
        "  480 frames due, 20 missed, 60 dropped, 400 sent, 384 answered, 4 answered without a "
        "number, 9 lost, 3 undecided, 2 not found, 1 duplicate, 5 rejected, 123456 bytes sent",
        "  of those lost: 4 on the way, 3 skipped, 2 late",
        "  latency            ms  mean        -  p50        -  p95        -  p99        -  "
        "max        -  n 0",
        "  server and network ms  mean        -  p50        -  p95        -  p99        -  "
        "max        -  n 0",
        "  client             ms  mean        -  p50        -  p95        -  p99        -  "
        "max        -  n 0",
        "  detector           ms  mean     0.50  p50     0.25  p95     1.12  p99     2.00  "
        "max     3.00  n 100",
        "  detection error    px  mean   0.5000  p50   0.2500  p95   1.1250  p99   2.0000  "
        "max   3.0000  n 100",
        "  tracking error     px  mean    0.500  p50    0.250  p95    1.125  p99    2.000  "
        "max    3.000  n 100",
        "  held error         px  mean    0.500  p50    0.250  p95    1.125  p99    2.000  "
        "max    3.000  n 100",
        "  first answer after 140 ms; longest gap 500 ms, 1 freezes of 480 ms, 24.5 answers/s "
        "(harmonic)",
    ]


def test_the_summary_says_how_it_ended_and_that_nothing_could_be_answered() -> None:
    ended = Ended("server", True, "the encoder failed")
    report = msgspec.structs.replace(
        SESSION, client="left arm", channel=False, ended=ended, lost=None
    )
    lines = view.summary_lines(report)
    assert lines[0] == (
        "client 3 (left arm), track, VP8, 12.3 s, 80.0 % of the frames due answered; "
        "it failed: the encoder failed"
    )
    assert lines[2] == "  it opened no coordinates channel, so it could not answer"
    assert not any("of those lost" in line for line in lines), "unknown is not none"


def test_the_summary_of_the_client() -> None:
    assert view.reception_lines(RECEPTION) == [
        "track, H264, 12.3 s: 390 frames received, 4 skipped, 386 estimates sent, 2 without a ball",
        "  detector           ms  mean     0.50  p50     0.25  p95     1.12  p99     2.00  "
        "max     3.00  n 100",
    ]


def test_the_summary_of_the_client_tells_of_failures() -> None:
    values = {name: getattr(RECEPTION, name) for name in RECEPTION.__struct_fields__}
    failed = ReceptionReport(**values | {"detector_errors": 3, "detector_restarts": 2})
    assert view.reception_lines(failed)[0].endswith(
        "2 without a ball, detector failed 3 times, was replaced 2 times"
    )


@pytest.mark.parametrize(
    ("value", "places", "expected"), [(None, 3, "-"), (0.12345, 3, "0.123"), (2, 1, "2.0")]
)
def test_a_number_has_fixed_places_or_is_a_dash(
    value: float | None, places: int, expected: str
) -> None:
    assert view.number(value, places) == expected


def test_the_view_of_the_client() -> None:
    cells = view.client_cells(Progress(10, 1, 9, 0.25, Feedback(8, 0.02, None)))
    assert cells == ("10", "1", "9", "0.25", "8", "0.020", "-")
    assert view.client_line(cells).startswith("10 frames, 1 skipped, 9 estimates, detector 0.25 ms")
    assert view.client_table([cells]) == [
        "frames  skipped  estimates  detector ms  answered  error px  latency ms",
        "\u2500" * 71,
        "    10        1          9         0.25         8     0.020           -",
    ]


def test_the_end_of_a_session_in_words() -> None:
    assert view.end_line(SESSION) == "client 3 is gone"
    ended = Ended("client", False, "the client said goodbye")
    report = msgspec.structs.replace(SESSION, client="left arm", ended=ended)
    assert view.end_line(report) == "client 3 (left arm) is gone: the client said goodbye"
    assert view.client_name(Session(3, name="left arm")) == "client 3 (left arm)"
