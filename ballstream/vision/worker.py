"""The detector's own process: its one-slot mailbox and its supervision."""

import asyncio
import logging
import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from multiprocessing.shared_memory import SharedMemory
from secrets import token_hex
from types import TracebackType
from typing import Self

import numpy as np

from ..errors import DetectorError
from ..protocol.frames import Image, ImageCodec
from ..protocol.planes import MOST_PIXELS, Planes, i420_shape, planes_of_i420
from . import child
from .child import Look, Ready, Sighting, Unusable, WindowClosed

logger = logging.getLogger(__name__)

_START_TIMEOUT = 60.0
_CLOSE_TIMEOUT = 1.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 5.0


class DetectorWorker:
    """Runs a detector on the newest picture, in a process of its own that is replaced if it fails.

    Hand pictures over with `submit`; every answer goes to `on_sighting` the moment it is there. A
    picture that comes while the detector is busy waits in a slot of one: a newer one takes its
    place and `skipped` counts it. A detector that takes longer than `timeout` seconds, or that
    dies, is replaced, which `restarts` counts; the picture that it had is never answered.

    Use as `async with`, which raises DetectorError where the detector cannot be loaded.
    """

    def __init__(
        self,
        detector: str,
        on_sighting: Callable[[Sighting], None],
        *,
        display: bool = False,
        timeout: float = 1.0,
    ) -> None:
        self.skipped = 0
        self.refused = 0
        self.errors = 0
        self.restarts = 0
        self.finished = asyncio.get_running_loop().create_future()
        """Resolves when the user closed the window; fails where no replacement starts."""

        self._detector = detector
        self._display = display
        self._timeout = timeout
        self._on_sighting = on_sighting
        self._pending: Planes | Image | None = None
        self._process: _Process | None = None
        self._failures = 0
        self._replacing: asyncio.Task[None] | None = None
        self._deadline: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        name = f"ballstream-{os.getpid()}-{token_hex(4)}"
        self._memory = SharedMemory(name, create=True, size=MOST_PIXELS * 3 // 2)
        try:
            await self._start()
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
            if self._replacing is not None:
                self._replacing.cancel()
                await asyncio.gather(self._replacing, return_exceptions=True)
            if self._process is not None:
                await self._retire(self._process)
        finally:
            self.finished.cancel()
            self._release()

    def submit(self, picture: Planes | Image) -> None:
        """Offer the newest picture, which must not change until it has been looked at."""
        if not _fits(picture):
            self.refused += 1
            if self.refused == 1:
                logger.warning(
                    "a picture of %sx%s cannot be looked at (even sizes only, and not too large); "
                    "such pictures are only counted",
                    picture.width,
                    picture.height,
                )
            return
        if self._pending is not None:
            self.skipped += 1
        self._pending = picture
        self._look()

    def _look(self) -> None:
        process, picture = self._process, self._pending
        if process is None or process.busy or picture is None or self.finished.done():
            return
        self._pending = None
        look = self._put(picture)
        process.busy = True
        self._deadline = asyncio.get_running_loop().call_later(
            self._timeout, self._replace, f"took longer than {self._timeout:g} s"
        )
        try:
            process.pipe.send_bytes(child.encode(look))
        except OSError:
            self._replace("died")

    def _put(self, picture: Planes | Image) -> Look:
        """Copy a picture into the shared memory."""
        if isinstance(picture, Image):
            size = len(picture.payload)
            np.ndarray((size,), np.uint8, self._memory.buf)[:] = np.frombuffer(
                picture.payload, np.uint8
            )
            return Look(picture.width, picture.height, picture.codec, size, picture.frame)
        shape = i420_shape(picture.width, picture.height)
        i420 = np.ndarray(shape, np.uint8, self._memory.buf)
        for target, plane in zip(planes_of_i420(i420), picture, strict=True):
            target[:] = plane
        return Look(picture.width, picture.height)

    async def _start(self) -> None:
        process = _Process(self._memory, self._detector, self._display)
        try:
            await process.ready()
        except BaseException:
            await process.close(0)
            raise
        self._process = process
        process.watch(self._on_message)
        self._look()

    def _on_message(self) -> None:
        assert self._process is not None
        try:
            message = child.decode_message(self._process.pipe.recv_bytes())
        except (EOFError, OSError):
            self._replace("died")
            return
        if self._deadline is not None:
            self._deadline.cancel()
        match message:
            case Sighting():
                self._process.busy = False
                self._failures = 0
                if message.error is not None:
                    self._complain(message.error)
                self._on_sighting(message)
                self._look()
            case WindowClosed():
                self._process.unwatch()
                if not self.finished.done():
                    self.finished.set_result(None)

    def _complain(self, error: str) -> None:
        self.errors += 1
        if self.errors == 1:
            logger.warning(
                "the detector failed, which counts as no ball; further failures are only "
                "counted: %s",
                error,
            )

    def _replace(self, reason: str) -> None:
        process, self._process = self._process, None
        assert process is not None
        process.unwatch()
        if self._deadline is not None:
            self._deadline.cancel()
        self.restarts += 1
        logger.warning("the detector's process %s; starting another", reason)
        self._replacing = asyncio.create_task(self._start_again(process))

    async def _start_again(self, old: "_Process") -> None:
        await old.close(0)
        # One that dies at every picture must not keep the machine busy with its rebirths.
        await asyncio.sleep(min(_FIRST_PAUSE * 2**self._failures, _LONGEST_PAUSE))
        self._failures += 1
        try:
            await self._start()
        except Exception as error:
            if not self.finished.done():
                self.finished.set_exception(DetectorError(f"no other can be started: {error}"))

    async def _retire(self, process: "_Process") -> None:
        process.unwatch()
        if self._deadline is not None:
            self._deadline.cancel()
        await process.close(_CLOSE_TIMEOUT)

    def _release(self) -> None:
        self._pending = None
        self._memory.close()
        self._memory.unlink()


def _fits(picture: Planes | Image) -> bool:
    """Whether a picture's size is one that an I420 picture can have and that there is room for."""
    width, height = picture.width, picture.height
    if isinstance(picture, Image) and picture.codec is ImageCodec.RAW:
        rows, columns = i420_shape(width, height)
        if len(picture.payload) != rows * columns:
            return False
    return width % 2 == height % 2 == 0 and 0 < width * height <= MOST_PIXELS


class _Process:
    """One process with the parent's end of its pipe."""

    def __init__(self, memory: SharedMemory, detector: str, display: bool) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe: Connection
        self.pipe, theirs = context.Pipe()
        self.busy = False
        self._process: SpawnProcess = context.Process(
            target=child.run,
            args=(theirs, memory, detector, display),
            name="ballstream-detector",
            daemon=True,
        )
        self._process.start()
        theirs.close()

    async def ready(self) -> None:
        """Wait until the detector is loaded; raises DetectorError if that fails."""
        await self._readable(self.pipe.fileno(), _START_TIMEOUT)
        try:
            message = child.decode_message(self.pipe.recv_bytes()) if self.pipe.poll() else None
        except (EOFError, OSError):
            message = None
        match message:
            case Ready():
                return
            case Unusable(reason):
                raise DetectorError(reason)
            case _:
                raise DetectorError(
                    "the detector's process ended, or took more than "
                    f"{_START_TIMEOUT:g} s, before it was ready; with --display, see whether "
                    "the screen that DISPLAY names can be reached"
                )

    def watch(self, on_message: Callable[[], None]) -> None:
        asyncio.get_running_loop().add_reader(self.pipe.fileno(), on_message)

    def unwatch(self) -> None:
        if not self.pipe.closed:
            asyncio.get_running_loop().remove_reader(self.pipe.fileno())

    async def close(self, patience: float) -> None:
        """Ask the process to end, wait for at most `patience` seconds, then kill it."""
        self.pipe.close()  # the end of the pipe is the child's word to end
        try:
            await self._readable(self._process.sentinel, patience)
        finally:
            self._process.kill()
            self._process.join()
            self._process.close()

    @staticmethod
    async def _readable(descriptor: int, timeout: float) -> bool:
        """Wait for a file descriptor to become readable; False after `timeout` seconds."""
        loop = asyncio.get_running_loop()
        readable = asyncio.Event()
        loop.add_reader(descriptor, readable.set)
        try:
            async with asyncio.timeout(timeout):
                await readable.wait()
        except TimeoutError:
            return False
        finally:
            loop.remove_reader(descriptor)
        return True
