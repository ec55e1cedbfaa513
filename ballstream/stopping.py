"""The one event that ends a program from within or from without."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stop:
    """Set once, by a signal, by `--duration` or when enough sessions have ended."""

    def __init__(self) -> None:
        self.interrupted = False
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

    The same signal again ends the program at once.
    """
    stop = Stop()
    loop = asyncio.get_running_loop()

    def on_signal(number: signal.Signals) -> None:
        stop.interrupted = number is signal.SIGINT
        stop()
        loop.remove_signal_handler(number)

    for number in _SIGNALS:
        loop.add_signal_handler(number, on_signal, number)
    try:
        yield stop
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
