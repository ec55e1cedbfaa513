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
    got a frame does not count, unless it was we who failed.
    """

    def __init__(self, config: ServerConfig, enough: Callable[[], None]) -> None:
        self.reports: deque[SessionReport] = deque(maxlen=MOST_REPORTS)
        self.failed = False
        """Whether something of ours failed."""

        self.problems: deque[str] = deque(maxlen=MOST_REPORTS)
        """What makes a bounded run a failure though it came to its end, a line each."""

        self._config = config
        self._enough = enough
        self._published = False
        self._ended = 0
        self._is_cut = False

    def refused(self, error: BallstreamError) -> None:
        self.failed |= isinstance(error, InternalFailure)

    def published(self, url: str) -> None:
        self._published = True

    def closed(self) -> None:
        if self._config.publish and not self._published and self._is_bounded:
            self.problems.append("nothing was ever published: see --publish")

    def unpublished(self, url: str, error: BallstreamError, pause: float | None) -> None:
        self.failed |= isinstance(error, InternalFailure)

    def ended(self, session: Watched, report: SessionReport) -> None:
        ended = report.ended
        failed = ended is not None and ended.failed and ended.by == "server"
        self.failed |= failed
        if not report.seconds and not failed:
            return
        if report.seconds and not session.passive:
            if len(self.reports) == MOST_REPORTS and not self._is_cut:
                self._is_cut = True
                logger.warning("the summary will tell of the last %s sessions alone", MOST_REPORTS)
            self.reports.append(report)
            if self._is_problem(report):
                self.problems.append(_unanswered(report))
        self._ended += 1
        if self._config.sessions is not None and self._ended >= self._config.sessions:
            self._enough()

    def left_out(self, error: Exception) -> None:
        if self._config.sessions is not None:
            self._enough()  # nobody counts them any more

    @property
    def _is_bounded(self) -> bool:
        return self._config.duration is not None or self._config.sessions is not None

    def _is_problem(self, report: SessionReport) -> bool:
        """Whether a client that could answer was due a second of frames, and answered none.

        A service that runs until it is stopped does not let a visitor choose its exit status.
        """
        is_due = report.channel and report.frames_due >= self._config.fps
        return self._is_bounded and is_due and not report.frames_answered and not report.unnumbered


def _unanswered(report: SessionReport) -> str:
    if not report.frames_sent:
        return f"client {report.id} was sent none of the {report.frames_due} frames due"
    return f"client {report.id} answered none of {report.frames_sent} frames"


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
