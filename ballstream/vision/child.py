"""What runs in the detector's process: one picture at a time, one answer for each.

This process imports numpy and OpenCV but never av or aiortc: `cv2.imshow` can hang for ever
beside PyAV's own copy of libxcb.
"""

import os
import signal
import threading
import time
from contextlib import suppress
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.shared_memory import SharedMemory
from typing import TYPE_CHECKING

import msgspec

from ..errors import OPENCV_HINT, DetectorError, printable
from ..protocol import stamp
from ..protocol.frames import Image, ImageCodec
from ..protocol.planes import i420_shape
from .memory import Look, Slots
from .point import as_point

if TYPE_CHECKING:
    from .picture import Picture


class Sighting(msgspec.Struct, frozen=True, tag=True):
    """Child to parent: what was seen; `x` and `y` None where no ball was found.

    `frame` is the picture's number, `error` says what the detector did wrong, `slot` where the
    next picture is to lie.
    """

    frame: int | None
    x: float | None
    y: float | None
    detect_ms: float
    error: str | None = None
    slot: int = 0


class Ready(msgspec.Struct, frozen=True, tag=True):
    """Child to parent: the detector is loaded."""


class Unusable(msgspec.Struct, frozen=True, tag=True):
    """Child to parent, the last word: there will never be an answer, and why."""

    reason: str


class WindowClosed(msgspec.Struct, frozen=True, tag=True):
    """Child to parent, the last word: the user closed the window."""


Message = Sighting | Ready | Unusable | WindowClosed

encode = msgspec.msgpack.Encoder().encode
decode_look = msgspec.msgpack.Decoder(Look).decode
decode_message = msgspec.msgpack.Decoder(Message).decode


def run(pipe: Connection, memory: SharedMemory, detector_name: str, display: bool) -> None:
    """Answer every `Look` with a `Sighting` until the parent closes the pipe."""
    # Ctrl-C reaches the whole foreground group; it is the parent that decides when this ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Standard output belongs to the parent's report; what a detector prints goes beside it.
    os.dup2(2, 1)
    _end_with_parent()
    try:
        looker = _Looker(memory, detector_name, display)
    except DetectorError as error:
        pipe.send_bytes(encode(Unusable(str(error))))
        return
    except ImportError as error:
        pipe.send_bytes(encode(Unusable(OPENCV_HINT.format(error=error))))
        return
    try:
        pipe.send_bytes(encode(Ready()))
        while looker.watched:
            sighting = looker.look(decode_look(pipe.recv_bytes()))
            pipe.send_bytes(encode(sighting))
            looker.show(sighting)
        pipe.send_bytes(encode(WindowClosed()))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
    finally:
        looker.close()


class _Looker:
    """A loaded detector, the memory that its pictures lie in, and the window if there is one."""

    def __init__(self, memory: SharedMemory, detector_name: str, display: bool) -> None:
        # Qt would complain of fonts that OpenCV does not bring; it draws the text itself.
        os.environ.setdefault("QT_LOGGING_RULES", "default.warning=false")
        # What a server sends must not unfold into gigabytes.
        os.environ["OPENCV_IO_MAX_IMAGE_PIXELS"] = str(memory.size)
        import cv2

        from .decoding import decode
        from .loading import load_detector
        from .picture import Picture

        cv2.setNumThreads(1)  # the encoder and the decoder need the other cores
        self._memory = memory
        self._slots = Slots(memory)
        self._decode = decode
        self._picture_type = Picture
        self._picture: Picture | None = None
        self._detect = load_detector(detector_name)
        self._window = None
        if display:
            from .window import Window

            self._window = Window()

    @property
    def watched(self) -> bool:
        return self._window is None or self._window.is_open

    def look(self, look: Look) -> Sighting:
        sighting = self._look(look)
        if self._window is None:
            self._picture = None
        return msgspec.structs.replace(sighting, slot=self._slots.free())

    def _look(self, look: Look) -> Sighting:
        self._picture = None
        try:
            self._picture = picture = self._picture_in(look)
        except ValueError as problem:
            return Sighting(look.frame, None, None, 0, str(problem))
        started = time.perf_counter()
        x = y = error = None
        try:
            found = self._detect(picture)
            if found is not None:
                x, y = as_point(found)
        except Exception as problem:  # the detector is the user's: whatever it does, go on
            error = _describe(problem)
        detect_ms = 1e3 * (time.perf_counter() - started)
        return Sighting(picture.frame, x, y, detect_ms, error)

    def _picture_in(self, look: Look) -> "Picture":
        """The picture that lies in the memory; raises ValueError where it is none."""
        if look.codec in (None, ImageCodec.RAW):
            i420 = self._slots.picture(look.slot, i420_shape(look.width, look.height))
            number = stamp.read(i420[: look.height]) if look.frame is None else look.frame
            return self._picture_type(i420, number)
        payload = self._slots.data(look.slot, look.size)
        image = Image(look.frame or 0, look.width, look.height, ImageCodec(look.codec), payload)
        return self._picture_type(self._decode(image), look.frame)

    def show(self, sighting: Sighting) -> None:
        if self._window is not None and self._picture is not None:
            self._window.show(self._picture, sighting.frame, sighting.x, sighting.y)

    def close(self) -> None:
        self._picture = None
        with suppress(BufferError):  # a detector that kept a picture keeps the memory mapped
            self._memory.close()


def _describe(problem: Exception) -> str:
    try:
        return printable(f"{type(problem).__name__}: {problem}")
    except Exception:  # even the text of an exception is the user's
        return type(problem).__name__


def _end_with_parent() -> None:
    """Leave with the parent even where it is killed while a detector hangs."""
    parent = parent_process()
    assert parent is not None
    sentinel = parent.sentinel

    def watch() -> None:
        wait([sentinel])
        os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
