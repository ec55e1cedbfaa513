"""What a run came to: the reports of its sessions, and whether anything failed."""

import logging
from collections import deque
from collections.abc import Callable

from ..config import ServerConfig
from ..errors import BallstreamError, InternalFailure
from ..report.observers import Observer, Watched
from ..report.records import ReceptionReport, SessionReport

logger = logging.getLogger(__name__)

MOST_REPORTS = 10_000
"""Sessions that a summary tells of at the most, the last ones: a service may run for ever."""


class Results(Observer):
    """Keeps the reports of a server's run, and says when there are enough of them.

    `enough` is called when as many sessions have ended as `--sessions` asks for; one that never
    got a frame does not count.
    """

    def __init__(self, config: ServerConfig, enough: Callable[[], None]) -> None:
        self.reports: deque[SessionReport] = deque(maxlen=MOST_REPORTS)
        self.failed = False
        """Whether something of ours failed."""

        self._config = config
        self._enough = enough
        self._ended = 0
        self._is_cut = False

    def refused(self, error: BallstreamError) -> None:
        self.failed |= isinstance(error, InternalFailure)

    def ended(self, session: Watched, report: SessionReport) -> None:
        ended = report.ended
        self.failed |= ended is not None and ended.failed and ended.by == "server"
        if not report.seconds:
            return
        if not session.passive:
            if len(self.reports) == MOST_REPORTS and not self._is_cut:
                self._is_cut = True
                logger.warning("the summary will tell of the last %s sessions alone", MOST_REPORTS)
            self.reports.append(report)
        self._ended += 1
        if self._config.sessions is not None and self._ended >= self._config.sessions:
            self._enough()

    @property
    def problems(self) -> list[str]:
        """What makes a bounded run a failure though it came to its end, a line each.

        A service that runs until it is stopped does not let a visitor choose its exit status.
        """
        config = self._config
        if config.duration is None and config.sessions is None:
            return []
        return [
            f"client {each.id} answered none of {each.frames_sent} frames"
            for each in self.reports
            if each.channel
            and each.frames_sent >= config.fps
            and not each.frames_answered
            and not each.unnumbered
        ]


def reception_problem(report: ReceptionReport) -> str | None:
    """What makes a client's run a failure though it came to its end."""
    if not report.frames_received:
        return "no picture came: does the server send video?"
    if not report.estimates_sent:
        return f"none of {report.frames_received} pictures was answered"
    if report.not_found >= report.estimates_sent:
        return f"the detector found no ball in any of {report.estimates_sent} pictures"
    if report.outside >= report.estimates_sent:
        return f"the detector saw the ball outside each of {report.estimates_sent} pictures"
    return None
