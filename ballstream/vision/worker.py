"""The supervision of the detector's process."""

import asyncio
import logging
from functools import partial
from types import TracebackType
from typing import Self

from ..errors import DetectorError
from ..protocol.frames import Image, ImageCodec
from ..protocol.planes import Planes, i420_shape, is_size
from .child import Sighting
from .memory import open_memory
from .process import DetectorProcess, Gone

logger = logging.getLogger(__name__)

TIMEOUT = 1.0
"""Seconds that a detector has for a picture unless somebody says otherwise."""

_CLOSE_TIMEOUT = 1.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 5.0


class DetectorWorker:
    """Runs a detector in a process of its own, which is replaced if it fails.

    `await look(picture)` for one picture after the other. A detector that takes longer than
    `timeout` seconds, the first picture of a process excepted, or that dies, is replaced, which
    `restarts` counts. `refused` counts the pictures that it never got, because no picture can be
    so, `errors` those on which it raised or answered nonsense, and `outside` those that it saw the
    ball outside of. `window_closed` is set when the user closed the window of `display`.

    Four of its nine fields are these counts. Use as `async with`, which raises DetectorError where
    the detector cannot be loaded.
    """

    def __init__(self, detector: str, *, display: bool = False, timeout: float = TIMEOUT) -> None:
        self.refused = self.errors = self.outside = self.restarts = 0
        self.window_closed = asyncio.Event()
        self._new_process = partial(
            DetectorProcess,
            detector=detector,
            display=display,
            timeout=timeout,
            window_closed=self.window_closed,
        )
        self._process: DetectorProcess | None = None
        self._failures = 0

    async def __aenter__(self) -> Self:
        self._memory = open_memory()
        try:
            await self._start()
        except OSError as error:
            self._release()
            raise DetectorError(f"the detector's process cannot be started: {error}") from None
        except BaseException:
            self._release()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if self._process is not None:
                await self._process.close(_CLOSE_TIMEOUT)
        finally:
            self._release()

    async def look(self, picture: Planes | Image) -> Sighting | None:
        """What the detector sees in a picture, which must not change meanwhile.

        None where the picture was refused, or where the process had to be replaced, for which
        this waits; raises DetectorError where no other can be started, or where one is stuck with
        its first picture.
        """
        if not _is_sound(picture):
            self._refuse(picture)
            return None
        try:
            if self._process is None:
                raise Gone("was never started again")
            sighting = await self._process.look(picture)
        except Gone as reason:
            if not self.window_closed.is_set():
                await self._replace(str(reason))
            return None
        self._failures = 0
        if sighting.outside:
            self._point_out(sighting.error)
        elif sighting.error is not None:
            self._complain(sighting.error)
        return sighting

    def _refuse(self, picture: Planes | Image) -> None:
        self.refused += 1
        if self.refused == 1:
            logger.warning(
                "a picture of %sx%s cannot be looked at (even sizes only, and not too large); "
                "such pictures are only counted",
                picture.width,
                picture.height,
            )

    def _complain(self, error: str) -> None:
        self.errors += 1
        if self.errors == 1:
            logger.warning(
                "the detector failed, which counts as no ball; further failures are only "
                "counted: %s",
                error,
            )

    def _point_out(self, place: str | None) -> None:
        self.outside += 1
        if self.outside == 1:
            logger.warning(
                "the detector answered with a place outside the picture, %s; further ones are only "
                "counted",
                place,
            )

    async def _start(self) -> None:
        process = self._new_process(self._memory)
        try:
            await process.ready()
        except BaseException:
            await process.close()
            raise
        self._process = process

    async def _replace(self, reason: str) -> None:
        self.restarts += 1
        logger.warning("the detector's process %s; starting another", reason)
        process, self._process = self._process, None
        if process is not None:
            await process.close()
        # One that dies at every picture must not keep the machine busy with its rebirths.
        await asyncio.sleep(min(_FIRST_PAUSE * 2**self._failures, _LONGEST_PAUSE))
        self._failures += 1
        try:
            await self._start()
        except Exception as error:
            raise DetectorError(f"no other can be started: {error}") from error

    def _release(self) -> None:
        self._memory.close()


def _is_sound(picture: Planes | Image) -> bool:
    """Whether there can be such a picture, and room for it."""
    width, height = picture.width, picture.height
    if isinstance(picture, Image) and picture.codec is ImageCodec.RAW:
        rows, columns = i420_shape(width, height)
        if len(picture.payload) != rows * columns:
            return False
    return is_size(width, height)
