"""What goes to media servers, for the sessions whose clients watch there."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from .guard import Guard
from .source import Drawn

_REMEMBERED = 10.0
"""Seconds after which nobody answers a frame any more."""

_TELLING = "telling of a published frame"


class Audience(Protocol):
    """Whoever is told what goes to media servers."""

    def sent(self, drawn: Drawn) -> None:
        """A frame goes out."""

    def left_out(self, drawn: Drawn) -> None:
        """A frame does not go out, because a media server, or the way to it, did not keep up."""

    def interrupted(self) -> None:
        """Nothing goes out any more, until a frame does."""


class Published:
    """Which frames go to media servers, whichever of them: one that gets a frame is enough.

    It is told so by their tracks. Those who join hear of all that follows.
    """

    def __init__(self) -> None:
        self._ways = 0
        self._recent: deque[Drawn] = deque()
        self._audiences: dict[Audience, Guard] = {}

    @contextmanager
    def open_way(self) -> Iterator[None]:
        """While it lasts, a media server takes the frames."""
        self._ways += 1
        try:
            yield
        finally:
            self._ways -= 1
            if not self._ways:
                for audience, guard in tuple(self._audiences.items()):
                    with guard(_TELLING):
                        audience.interrupted()

    def sent(self, drawn: Drawn) -> None:
        """A frame goes to one of the media servers."""
        if not self._recent or self._recent[-1].number < drawn.number:
            self._recent.append(drawn)
            while self._recent[0].at < drawn.at - _REMEMBERED:
                self._recent.popleft()
        for audience, guard in tuple(self._audiences.items()):
            with guard(_TELLING):
                audience.sent(drawn)

    def left_out(self, drawn: Drawn) -> None:
        """A frame does not go to one of them."""
        for audience, guard in tuple(self._audiences.items()):
            with guard(_TELLING):
                audience.left_out(drawn)

    def join(self, audience: Audience, guard: Guard) -> None:
        """Tell somebody, under guard: first of the last ten seconds, then of all that follows."""
        for drawn in self._recent:
            audience.sent(drawn)
        if not self._ways:
            audience.interrupted()
        self._audiences[audience] = guard

    def leave(self, audience: Audience) -> None:
        """Tell somebody no longer."""
        self._audiences.pop(audience, None)
