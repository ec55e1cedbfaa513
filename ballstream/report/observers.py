"""Who is told what happens on a server, without the server's knowing them."""

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Protocol

from ..errors import BallstreamError
from ..scoring.score import Snapshot, Verdict
from .records import SessionReport

logger = logging.getLogger(__name__)


class Watched(Protocol):
    """A session as its observers see it, while it runs and when it has ended."""

    @property
    def number(self) -> int:
        """By which the server shows the client."""

    @property
    def name(self) -> str | None:
        """By which the client wants to be known."""

    @property
    def transport(self) -> str:
        """How frames go to the client."""

    @property
    def passive(self) -> bool:
        """Whether the client only watches, so that there is nothing to score."""

    @property
    def lacks_channel(self) -> bool:
        """Whether it had time to open a channel for its answers, and did not."""

    def snapshot(self) -> Snapshot:
        """The figures at present."""


class Observer:
    """Is told of events; does nothing by itself.

    Of every offer one of two things is told: that it was `refused`, or that a client `came`, and
    later, whatever happens between, that its session `ended`. All else comes in between only.
    """

    def came(self, session: Watched) -> None:
        """A client's offer was answered."""

    def refused(self, error: BallstreamError) -> None:
        """A client got no session."""

    def unheard(self, session: Watched) -> None:
        """A client could answer, but opened no channel for it in time; it may do so later."""

    def published(self, url: str) -> None:
        """The video goes to a media server from now on."""

    def unpublished(self, url: str, error: BallstreamError, pause: float | None) -> None:
        """The video does not go there; it is tried again in so many seconds, or never (None)."""

    def verdict(self, session: Watched, at: float, verdict: Verdict) -> None:
        """An estimate arrived, at an instant of the scene's time."""

    def ended(self, session: Watched, report: SessionReport) -> None:
        """A session is over, also one that never came to a connection.

        Where we failed to make its report, `report.ended` says so, and there is nothing else in it.
        """

    def closed(self) -> None:
        """The server has ended; nothing more will be told."""

    def left_out(self, error: Exception) -> None:
        """This observer raised an error, and is told of nothing else any more."""


class Observers(Observer):
    """Tells several; one that fails is left out from then on and disturbs nobody."""

    def __init__(self, observers: Iterable[Observer]) -> None:
        self._observers = list(observers)
        self.failed = False
        """Whether one of them failed."""

    def came(self, session: Watched) -> None:
        self._tell(lambda each: partial(each.came, session))

    def refused(self, error: BallstreamError) -> None:
        self._tell(lambda each: partial(each.refused, error))

    def unheard(self, session: Watched) -> None:
        self._tell(lambda each: partial(each.unheard, session))

    def published(self, url: str) -> None:
        self._tell(lambda each: partial(each.published, url))

    def unpublished(self, url: str, error: BallstreamError, pause: float | None) -> None:
        self._tell(lambda each: partial(each.unpublished, url, error, pause))

    def verdict(self, session: Watched, at: float, verdict: Verdict) -> None:
        self._tell(lambda each: partial(each.verdict, session, at, verdict))

    def ended(self, session: Watched, report: SessionReport) -> None:
        self._tell(lambda each: partial(each.ended, session, report))

    def closed(self) -> None:
        self._tell(lambda each: each.closed)

    def _tell(self, event: Callable[[Observer], Callable[[], None]]) -> None:
        for each in tuple(self._observers):
            try:
                event(each)()
            except Exception as error:
                self._leave_out(each, error)

    def _leave_out(self, observer: Observer, error: Exception) -> None:
        self.failed = True
        self._observers.remove(observer)
        name = type(observer).__name__
        logger.error("%s ends here: %s: %s", name, type(error).__name__, error)
        logger.debug("%s ends here", name, exc_info=error)
        with suppress(Exception):  # that it is broken is known
            observer.left_out(error)
