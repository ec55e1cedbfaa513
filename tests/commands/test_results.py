from dataclasses import replace

import msgspec
import pytest
from samples import RECEPTION, SESSION, Session

from ballstream.commands import results
from ballstream.commands.results import Results, reception_problem
from ballstream.config import ServerConfig
from ballstream.errors import InternalFailure, Unavailable
from ballstream.report.records import Ended, SessionReport
from ballstream.scoring.score import Scorer

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
        (ServerConfig(sessions=1), {"frames_due": 29}, False),
        (ServerConfig(sessions=1), {"frames_due": 30}, True),
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
    assert list(told.problems) == (["client 3 answered none of 30 frames"] if is_problem else [])


def test_a_client_that_nothing_got_through_to_is_told_of() -> None:
    session = Session(3)
    session.scorer = Scorer(lambda seconds: (100, 200), (640, 480), 0, fps=8)
    session.scorer.opened(0)
    told = Results(ServerConfig(sessions=1, fps=8), lambda: None)
    told.ended(session, session.report(until=10))
    (report,) = told.reports
    assert (report.frames_due, report.frames_missed, report.frames_sent) == (77, 77, 0)
    assert list(told.problems) == ["client 3 was sent none of the 77 frames due"]


def test_a_problem_stays_one_when_its_session_is_no_longer_told_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(results, "MOST_REPORTS", 2)
    silent = CHANGED(SESSION, frames_answered=0, unnumbered=0)
    told, _ = of(ServerConfig(sessions=4), silent, *[SESSION] * 3)
    assert list(told.problems) == ["client 3 answered none of 400 frames"]


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


@pytest.mark.parametrize("config", [ServerConfig(duration=5), ServerConfig(sessions=1)])
def test_nothing_published_in_a_bounded_run_is_a_problem(config: ServerConfig) -> None:
    config = replace(config, publish=("http://a.example/whip",))
    told, _ = of(config)
    told.unpublished("http://a.example/whip", Unavailable("no reply"), 0.5)
    told.closed()
    assert list(told.problems) == ["nothing was ever published: see --publish"]
    told, _ = of(config)
    told.published("http://a.example/whip")
    told.unpublished("http://a.example/whip", Unavailable("no reply"), 0.5)
    told.closed()
    assert not told.problems
    assert not told.failed


def test_nothing_published_by_a_service_is_none() -> None:
    told, _ = of(ServerConfig(publish=("http://a.example/whip",)))
    told.closed()
    assert not told.problems


def test_a_failure_of_ours_while_publishing_is_one() -> None:
    told, _ = of(ServerConfig())
    told.unpublished("http://a.example/whip", InternalFailure("publishing", ValueError("no")), 0.5)
    assert told.failed
