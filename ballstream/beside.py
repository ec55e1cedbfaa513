"""What is done beside a run: nobody waits for its failures, and yet they are said and counted.

What ends a session is raised where somebody waits for its end. Whatever else fails goes to the
event loop's exception handler, which `Failures` is.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

from .errors import InternalFailure

logger = logging.getLogger(__name__)

_OURS = __name__.partition(".")[0]
_A_TASK_OF_OURS = "a task of ballstream's failed"
_LIBRARIES = {"aioice", "aiortc"}
"""They leave errors to the event loop that do no harm, and that a peer can cause."""


def hand_over(task: "asyncio.Task[Any]") -> None:
    """Let the event loop hear what a task failed with; for `add_done_callback`."""
    if not task.cancelled() and (error := task.exception()) is not None:
        task.get_loop().call_exception_handler(
            {"message": _A_TASK_OF_OURS, "exception": error, "task": task}
        )


class Failures:
    """Takes note of what fails beside a run, says it in a line, and lets the run go on.

    Within the context, in a running event loop, it hears what goes to the loop's handler.
    """

    def __init__(self) -> None:
        self.any = False
        """Whether anything failed."""

    def __enter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._before = self._loop.get_exception_handler()
        self._loop.set_exception_handler(self._hear)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.set_exception_handler(self._before)

    def note(self, doing: str, error: Exception) -> None:
        """Say that something failed while we did something."""
        self.any = True
        logger.error("%s", InternalFailure(doing, error))
        logger.debug("failed while %s", doing, exc_info=error)

    @asynccontextmanager
    async def beside(self, doing: str, work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
        """Do some work while the context lasts."""
        task = asyncio.create_task(self._do(doing, work))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])
            work.close()  # it may not have begun

    async def _do(self, doing: str, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:
            self.note(doing, error)

    def _hear(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        ours = context.get("message") == _A_TASK_OF_OURS
        if isinstance(error, Exception) and (ours or _is_ours(error)):
            self.note("working on the side", error)
        else:
            loop.default_exception_handler(context)


def _is_ours(error: BaseException) -> bool:
    """Whether it was raised by us, or by what we called, but for the libraries of WebRTC."""
    trace, owner = error.__traceback__, ""
    while trace is not None:
        package = trace.tb_frame.f_globals.get("__name__", "").partition(".")[0]
        if package == _OURS or package in _LIBRARIES:
            owner = package
        trace = trace.tb_next
    return owner == _OURS
