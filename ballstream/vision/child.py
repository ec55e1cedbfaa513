"""What runs in the detector's process: one picture at a time, one answer for each.

This process imports numpy and OpenCV but never av or aiortc: `cv2.imshow` can hang for ever
beside PyAV's own copy of libxcb.
"""

import os
import sys
import time
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

import msgspec

from ..errors import DetectorError, import_problem, printable
from ..protocol import stamp
from ..protocol.frames import Image, ImageCodec
from ..protocol.planes import i420_shape
from .family import end_with_parent, outlive_signals
from .memory import Look, Memory, Slots
from .point import Point, as_point, is_inside, is_near
from .prints import print_beside

if TYPE_CHECKING:
    from .picture import Picture


class Sighting(msgspec.Struct, frozen=True, tag=True):
    """Child to parent: what was seen; `x` and `y` None where no ball was found.

    `frame` is the picture's number, `error` says what the detector did wrong, `outside` that this
    is an answer outside the picture, `slot` where the next picture is to lie.
    """

    frame: int | None
    x: float | None
    y: float | None
    detect_ms: float
    error: str | None = None
    outside: bool = False
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


def main(pipe: int, memory: int, detector: str, display: bool) -> None:
    """What the process does, given its descriptors of the pipe and of the memory."""
    # Whatever parses arguments while the detector is imported speaks as that, and finds none.
    sys.argv[:] = [detector.partition(":")[0]]
    for descriptor in (pipe, memory):
        os.set_inheritable(descriptor, False)
    connection = Connection(pipe)
    print_beside()
    outlive_signals()
    end_with_parent(connection)
    run(connection, Memory(memory), detector, display)


def run(pipe: Connection, memory: Memory, detector_name: str, display: bool) -> None:
    """Answer every `Look` with a `Sighting` until the parent closes the pipe."""
    try:
        looker = _Looker(memory, detector_name, display)
    except Exception as error:
        pipe.send_bytes(encode(Unusable(_reason(error))))
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


def _reason(error: Exception) -> str:
    match error:
        case DetectorError():
            return str(error)
        case ImportError():
            return import_problem(error)
        case _:
            return f"the detector's process cannot start: {_describe(error)}"


class _Looker:
    """A loaded detector, the memory that its pictures lie in, and the window if there is one."""

    def __init__(self, memory: Memory, detector_name: str, display: bool) -> None:
        # Qt would complain of fonts that OpenCV does not bring; it draws the text itself.
        os.environ.setdefault("QT_LOGGING_RULES", "default.warning=false")
        import cv2

        from .decoding import decode
        from .loading import load_detector
        from .picture import Picture

        cv2.setNumThreads(1)  # the encoder and the decoder need the other cores
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
        point = error = None
        try:
            found = self._detect(picture)
            if found is not None:
                point = as_point(found)
        except (Exception, SystemExit) as problem:  # whatever a user's detector does, go on
            error = _describe(problem)
        detect_ms = 1e3 * (time.perf_counter() - started)
        return _sighting(picture, point, detect_ms, error)

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


def _sighting(
    picture: "Picture", point: Point | None, detect_ms: float, error: str | None
) -> Sighting:
    if point is None:
        return Sighting(picture.frame, None, None, detect_ms, error)
    size = picture.width, picture.height
    if is_inside(point, *size):
        return Sighting(picture.frame, *point, detect_ms)
    error = "({:g}, {:g}) in one of {}x{}".format(*point, *size)
    # What no server would score counts as no ball, so that the frame does not look lost.
    x, y = point if is_near(point, *size) else (None, None)
    return Sighting(picture.frame, x, y, detect_ms, error, outside=True)


def _describe(problem: BaseException) -> str:
    try:
        return printable(f"{type(problem).__name__}: {problem}")
    except Exception:  # even the text of an exception is the user's
        return type(problem).__name__
