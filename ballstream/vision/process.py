"""One process that runs a detector, and the parent's end of the pipe to it."""

import asyncio
import multiprocessing
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from multiprocessing.shared_memory import SharedMemory

from ..errors import DetectorError
from ..protocol.frames import Image
from ..protocol.planes import Planes
from . import child, memory
from .child import Ready, Sighting, Unusable, WindowClosed

_START_TIMEOUT = 60.0


class Gone(Exception):  # noqa: N818 - a state of affairs
    """A process will give no answer any more; the text says what became of it."""


class DetectorProcess:
    """A process from its start to its end; where it fails it is of no use any more.

    `pictures` is the memory that it shares with this process. A picture that it takes more than
    `timeout` seconds for makes it count as gone. `window_closed` is set when the user closed the
    window, which is there where `display` says so.
    """

    def __init__(
        self,
        pictures: SharedMemory,
        detector: str,
        *,
        display: bool,
        timeout: float,
        window_closed: asyncio.Event,
    ) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe: Connection
        self._pipe, theirs = context.Pipe()
        self._memory = pictures
        self._timeout = timeout
        self._window_closed = window_closed
        self._answer: asyncio.Future[Sighting] | None = None
        self._slot = 0
        self._process: SpawnProcess = context.Process(
            target=child.run,
            args=(theirs, pictures, detector, display),
            name="ballstream-detector",
            daemon=True,
        )
        self._process.start()
        theirs.close()

    async def ready(self) -> None:
        """Wait until the detector is loaded; raises DetectorError if that fails."""
        await _readable(self._pipe.fileno(), _START_TIMEOUT)
        try:
            message = child.decode_message(self._pipe.recv_bytes()) if self._pipe.poll() else None
        except (EOFError, OSError):
            message = None
        match message:
            case Ready():
                asyncio.get_running_loop().add_reader(self._pipe.fileno(), self._on_message)
            case Unusable(reason):
                raise DetectorError(reason)
            case _:
                raise DetectorError(
                    "the detector's process ended, or took more than "
                    f"{_START_TIMEOUT:g} s, before it was ready; with --display, see whether "
                    "the screen that DISPLAY names can be reached"
                )

    async def look(self, picture: Planes | Image) -> Sighting:
        """What the detector sees in a picture; raises Gone where it will never say.

        One picture at a time: a call that is cancelled leaves a process without a use.
        """
        if self._answer is not None and not self._usable(self._answer):
            raise Gone("was interrupted")
        self._answer = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(self._timeout):
                look = memory.put(self._memory, self._slot, picture)
                self._pipe.send_bytes(child.encode(look))
                sighting = await self._answer
        except TimeoutError:
            raise Gone(f"took longer than {self._timeout:g} s") from None
        except OSError:
            raise Gone("died") from None
        self._slot = sighting.slot
        return sighting

    @staticmethod
    def _usable(answer: asyncio.Future[Sighting]) -> bool:
        return answer.done() and not answer.cancelled()

    def _on_message(self) -> None:
        answer = self._answer
        try:
            message = child.decode_message(self._pipe.recv_bytes())
        except (EOFError, OSError):
            self._unwatch()
            if answer is not None and not answer.done():
                answer.set_exception(ConnectionResetError())
            return
        match message:
            case Sighting() if answer is not None and not answer.done():
                answer.set_result(message)
            case WindowClosed():
                self._window_closed.set()

    def _unwatch(self) -> None:
        if not self._pipe.closed:
            asyncio.get_running_loop().remove_reader(self._pipe.fileno())

    async def close(self, patience: float = 0) -> None:
        """Ask the process to end, wait for at most `patience` seconds, then kill it."""
        self._unwatch()
        self._pipe.close()  # the end of the pipe is the child's word to end
        try:
            await _readable(self._process.sentinel, patience)
        finally:
            self._process.kill()
            self._process.join()
            self._process.close()


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
