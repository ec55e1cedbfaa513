import msgspec
import pytest
from samples import RECEPTION, SESSION, Session

from ballstream.commands import results
from ballstream.commands.results import Results, reception_problem
from ballstream.config import ServerConfig
from ballstream.errors import InternalFailure, Unavailable
from ballstream.report.records import Ended, SessionReport

CHANGED = msgspec.structs.replace


def of(config: ServerConfig, *reports: SessionReport) -> tuple[Results, list[str]]:
    """The results of a run in which these sessions ended, and how often it had enough."""
    calls: list[str] = []
    told = Results(config, lambda: calls.append("enough"))
    for report in reports:
        told.ended(Session(report.id), report)
    return told, calls


def test_there_are_enough_sessions_once_so_many_got_a_frame() -> None:
    empty = CHANGED(SESSION, seconds=0.0)
    told, calls = of(ServerConfig(sessions=2), empty, SESSION)
    assert (list(told.reports), calls) == ([SESSION], [])
    told.ended(Session(4), SESSION)
    assert calls == ["enough"]


@pytest.mark.parametrize(
    ("by", "failed", "ours"),
    [("server", True, True), ("server", False, False), ("client", True, False),
     ("network", True, False)],
)  # fmt: skip
def test_a_failure_is_ours_where_we_failed(by: str, failed: bool, ours: bool) -> None:
    told, _ = of(ServerConfig(), CHANGED(SESSION, ended=Ended(by, failed, "so")))
    assert told.failed is ours


def test_to_refuse_is_no_failure_unless_we_could_not_do_better() -> None:
    told, _ = of(ServerConfig())
    told.refused(Unavailable("full"))
    assert not told.failed
    told.refused(InternalFailure("answering an offer", ValueError("no")))
    assert told.failed


@pytest.mark.parametrize(
    ("config", "changes", "is_problem"),
    [
        (ServerConfig(sessions=1), {}, True),
        (ServerConfig(duration=5), {}, True),
        (ServerConfig(), {}, False),
        (ServerConfig(sessions=1), {"frames_sent": 29}, False),
        (ServerConfig(sessions=1), {"channel": False}, False),
        (ServerConfig(sessions=1), {"frames_answered": 1}, False),
        (ServerConfig(sessions=1), {"unnumbered": 1}, False),
    ],
)
def test_a_client_that_answers_nothing_fails_a_bounded_run(
    config: ServerConfig, changes: dict[str, object], is_problem: bool
) -> None:
    silent = CHANGED(SESSION, frames_sent=30, frames_answered=0, unnumbered=0)
    told, _ = of(config, CHANGED(silent, **changes))
    assert told.problems == (["client 3 answered none of 30 frames"] if is_problem else [])


def test_a_summary_is_of_the_last_sessions(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(results, "MOST_REPORTS", 2)
    told, _ = of(ServerConfig(), *(CHANGED(SESSION, id=number) for number in range(1, 6)))
    assert [each.id for each in told.reports] == [4, 5]
    assert caplog.messages == ["the summary will tell of the last 2 sessions alone"]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({}, None),
        ({"frames_received": 0}, "no picture came: does the server send video?"),
        ({"estimates_sent": 0}, "none of 390 pictures was answered"),
        ({"not_found": 386}, "the detector found no ball in any of 386 pictures"),
        ({"outside": 386}, "the detector saw the ball outside each of 386 pictures"),
    ],
)
def test_what_makes_a_client_s_run_a_failure(
    changes: dict[str, object], problem: str | None
) -> None:
    assert reception_problem(CHANGED(RECEPTION, **changes)) == problem
