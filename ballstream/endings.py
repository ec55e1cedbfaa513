"""How a session ends, and how a program is told to.

An ending is a value: who ended it, how, and the error if it was a failure. What is said of it is
made where it is shown.
"""

import asyncio
import atexit
import logging
import math
import signal
import time
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from .errors import BallstreamError

logger = logging.getLogger(__name__)

Outcome = TypeVar("Outcome")

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SAME_SIGNAL = 1.0
"""Seconds within which a second signal is not a second wish."""


class By(StrEnum):
    """Who ended a session; nobody, where the network did."""

    CLIENT = "client"
    SERVER = "server"
    NETWORK = "network"


class Reason(StrEnum):
    """How a session ended."""

    GOODBYE = "goodbye"
    CLOSED = "closed the connection"
    STOPPED = "was told to stop"
    TIME_UP = "the time is up"
    WINDOW_CLOSED = "the window was closed"
    NOTHING_ASKED = "asked for neither video nor frames"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of a session; `error` says what failed, or what was asked for in vain."""

    by: By
    reason: Reason
    error: BallstreamError | None = None

    @property
    def failed(self) -> bool:
        """Whether the session did not end as anybody meant it to."""
        return self.reason is Reason.FAILED


async def after(event: Awaitable[Any], ending: Ending) -> Ending:
    """Wait for an event, which is the ending that is given."""
    await event
    return ending


async def first_of(*endings: Awaitable[Outcome]) -> Outcome:
    """Wait until one of several things ends, cancel the others, and return how it ended.

    Of those that end at the same time a failure counts before any ending, then the first named.
    What a failure raised is raised here; a second failure is logged, so that none is lost.
    """
    tasks = [asyncio.ensure_future(ending) for ending in endings]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        done = [task for task in tasks if task.done()]
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    failures = [result for result in results if isinstance(result, Exception)]
    for further in {id(each): each for each in failures if each is not failures[0]}.values():
        logger.error("and another failure: %s: %s", type(further).__name__, further)
    if failures:
        raise failures[0]
    return done[0].result()


class Stop:
    """Set once, by a signal, by `--duration` or when enough sessions have ended."""

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None
        """The signal that asked for it, if one did."""

        self._event = asyncio.Event()

    def __call__(self) -> None:
        self._event.set()

    @property
    def requested(self) -> bool:
        return self._event.is_set()

    async def wait(self) -> None:
        await self._event.wait()


@contextmanager
def stop_on_signals() -> Iterator[Stop]:
    """Stop on Ctrl-C (SIGINT), SIGTERM, and SIGHUP, which a closed terminal sends.

    What was ignored when the program began, as `nohup` and a shell's background jobs have it, stays
    ignored. A signal again ends the program at once; but within a second it is taken for the same
    one, as programs that end a whole group send it twice, and that to the very end of the program.
    """
    stop = Stop()
    loop = asyncio.get_running_loop()
    handled = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    first_at = math.inf

    def on_signal(number: int, frame: object) -> None:
        nonlocal first_at
        if stop.signal is None:
            stop.signal, first_at = signal.Signals(number), time.monotonic()
            loop.call_soon_threadsafe(stop)
        elif time.monotonic() - first_at >= _SAME_SIGNAL:
            _as_usual(number)
            signal.raise_signal(number)

    for number in handled:
        signal.signal(number, on_signal)
    try:
        yield stop
    finally:
        if stop.signal is None:
            _as_usual(*handled)
        else:
            # Python's own last steps would give a handler up, but not this.
            atexit.register(_ignore, *handled)


def _as_usual(*numbers: int) -> None:
    for number in numbers:
        is_interrupt = number == signal.SIGINT
        signal.signal(number, signal.default_int_handler if is_interrupt else signal.SIG_DFL)


def _ignore(*numbers: int) -> None:
    for number in numbers:
        signal.signal(number, signal.SIG_IGN)
