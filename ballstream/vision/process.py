"""One process that runs a detector, and the parent's end of the pipe to it."""

import asyncio
from multiprocessing.connection import Connection, Pipe

from ..errors import DetectorError
from ..protocol.frames import Image
from ..protocol.planes import Planes
from . import child, memory
from .child import Ready, Sighting, Unusable, WindowClosed
from .family import Family

_START_TIMEOUT = 60.0
"""Seconds to load, and then for the first picture, at which many models are really built."""

_END_TIMEOUT = 1.0
"""Seconds from a process's last word to its end."""


class Gone(Exception):  # noqa: N818 - a state of affairs
    """A process will give no answer any more; the text says what became of it."""


class DetectorProcess:
    """A process from its start to its end; where it fails it is of no use any more.

    `pictures` is the memory that it shares with this process. A picture after the first that it
    takes more than `timeout` seconds for makes it count as gone. `window_closed` is set when the
    user closed the window, which is there where `display` says so.
    """

    def __init__(
        self,
        pictures: memory.Memory,
        detector: str,
        *,
        display: bool,
        timeout: float,
        window_closed: asyncio.Event,
    ) -> None:
        self._pipe: Connection
        self._pipe, theirs = Pipe()
        self._memory = pictures
        self._timeout = timeout
        self._window_closed = window_closed
        self._answer: asyncio.Future[Sighting] | None = None
        self._slot = 0
        self._display = display
        with theirs:
            self._family = Family(theirs.fileno(), pictures.descriptor, detector, display)

    async def ready(self) -> None:
        """Wait until the detector is loaded; raises DetectorError if that fails."""
        if not await _readable(self._pipe.fileno(), _START_TIMEOUT):
            raise DetectorError(f"the detector took more than {_START_TIMEOUT:g} s to load")
        try:
            message = child.decode_message(self._pipe.recv_bytes())
        except (EOFError, OSError):
            screen = "; can the screen that DISPLAY names be reached?" if self._display else ""
            raise DetectorError(
                f"the detector's process {await self._end()} before it was ready{screen}"
            ) from None
        match message:
            case Ready():
                asyncio.get_running_loop().add_reader(self._pipe.fileno(), self._on_message)
            case Unusable(reason):
                raise DetectorError(reason)

    async def look(self, picture: Planes | Image) -> Sighting:
        """What the detector sees in a picture; raises Gone where it will never say.

        Raises DetectorError where the first picture takes it longer than the start may.

        One picture at a time: a call that is cancelled leaves a process without a use.
        """
        if self._answer is not None and not self._usable(self._answer):
            raise Gone("was interrupted")
        first = self._answer is None
        self._answer = asyncio.get_running_loop().create_future()
        limit = max(_START_TIMEOUT, self._timeout) if first else self._timeout
        try:
            async with asyncio.timeout(limit):
                look = memory.put(self._memory, self._slot, picture)
                self._pipe.send_bytes(child.encode(look))
                sighting = await self._answer
        except TimeoutError:
            if first:
                raise DetectorError(
                    f"the detector took more than {limit:g} s for its first picture"
                ) from None
            raise Gone(f"took longer than {limit:g} s") from None
        except OSError:
            raise Gone(await self._end()) from None
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

    async def _end(self) -> str:
        """In words, how it came to its end, whose pipe has."""
        await self._family.ended(_END_TIMEOUT)
        return self._family.words

    async def close(self, patience: float = 0) -> None:
        """Ask the process to end, wait for at most `patience` seconds, then kill it."""
        self._unwatch()
        self._pipe.close()  # the end of the pipe is the child's word to end
        try:
            await self._family.ended(patience)
        finally:
            self._family.kill()


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
