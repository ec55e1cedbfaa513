import logging

import pytest
from samples import SESSION, Session

from ballstream.errors import BallstreamError
from ballstream.report.observers import Observer, Observers, Watched
from ballstream.report.records import SessionReport
from ballstream.scoring.score import Result, Verdict

VERDICT = Verdict(Result.ANSWERED, 1, 2, 3)


class Diary(Observer):
    """Notes what it is told; may fail."""

    def __init__(self, failing: bool = False) -> None:
        self.told: list[object] = []
        self._failing = failing

    def _note(self, *event: object) -> None:
        self.told.append(event)
        if self._failing:
            raise ValueError("out of ink")

    def came(self, session: Watched) -> None:
        self._note("came", session)

    def refused(self, error: BallstreamError) -> None:
        self._note("refused", error)

    def unheard(self, session: Watched) -> None:
        self._note("unheard", session)

    def verdict(self, session: Watched, at: float, verdict: Verdict) -> None:
        self._note("verdict", session, at, verdict)

    def ended(self, session: Watched, report: SessionReport) -> None:
        self._note("ended", session, report)


def test_all_are_told_everything_and_one_that_fails_harms_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    first, failing, last = Diary(), Diary(failing=True), Diary()
    observers = Observers([first, failing, last, Observer()])
    session, error = Session(1), BallstreamError("full")
    observers.came(session)
    observers.refused(error)
    observers.unheard(session)
    observers.verdict(session, 1.5, VERDICT)
    observers.ended(session, SESSION)
    assert (
        first.told
        == last.told
        == [
            ("came", session),
            ("refused", error),
            ("unheard", session),
            ("verdict", session, 1.5, VERDICT),
            ("ended", session, SESSION),
        ]
    )
    assert failing.told == [("came", session)]
    errors = [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR]
    assert errors == ["Diary ends here: ValueError: out of ink"]
