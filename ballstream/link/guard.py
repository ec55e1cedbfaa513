"""The one guard between aiortc and code of ours.

aiortc calls us out of the tasks of its transports. An exception that got out there would close the
transport from inside: this end would take it for the other's goodbye, and the other for ours. So
whatever aiortc calls passes here, and what goes wrong in it becomes a failure that somebody waits
for.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from aiortc.mediastreams import MediaStreamError
from pyee.asyncio import AsyncIOEventEmitter

from ..errors import BallstreamError, InternalFailure

logger = logging.getLogger(__name__)


class Guard:
    """Keeps the first failure among all that runs under it.

    `with guard("doing something"):` ends at an exception without raising it; as a decorator,
    `guard("doing something")(function)`, it does so to each call. Only MediaStreamError gets
    through: it is how a track says that it has ended.
    """

    def __init__(self) -> None:
        self._failure: BallstreamError | None = None
        self._failed = asyncio.Event()

    @contextmanager
    def __call__(self, doing: str) -> Iterator[None]:
        try:
            yield
        except MediaStreamError:
            raise
        except Exception as error:
            self.fail(doing, error)

    def on(
        self, emitter: AsyncIOEventEmitter, event: str, callback: Callable[..., Any], doing: str
    ) -> None:
        """Have aiortc call a function at an event, under guard."""
        emitter.on(event, self(doing)(callback))

    def fail(self, doing: str, error: BaseException) -> None:
        """Take note of what went wrong."""
        logger.debug("failed while %s", doing, exc_info=error)
        if self._failure is not None:
            return
        if isinstance(error, BallstreamError):
            self._failure = error
        else:
            self._failure = InternalFailure(doing, error)
            self._failure.__cause__ = error
        self._failed.set()

    async def failure(self) -> NoReturn:
        """Wait for the first failure and raise it.

        An InternalFailure, but for errors that were raised on purpose, which stay as they are.
        """
        await self._failed.wait()
        assert self._failure is not None
        raise self._failure
