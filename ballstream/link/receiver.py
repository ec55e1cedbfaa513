"""Reception without aiortc's extra frame of delay, and with quick recovery.

aiortc releases a frame when the first packet of the next one arrives, at most one frame a packet,
asks for a lost packet once, and waits for it as long as 512 packets take. Here a frame is released
at its last packet (see `reassembly.py`), decoded at once, and the newest handed over.

Uses these private names of aiortc 1.16, all of an `RTCRtpReceiver` before it starts:

* `_RTCRtpReceiver__jitter_buffer`, `_RTCRtpReceiver__nack_generator`: replaced; the receiver calls
  their `add` with each packet, in the order nack generator, jitter buffer.
* `_RTCRtpReceiver__decoder_queue`: replaced, to hear of the end of the stream.
* `_RTCRtpReceiver__codecs`: payload type to codec; empty until the receiver starts.
* `_send_rtcp_nack`, `_send_rtcp_pli`: called with the SSRC of the stream.
* `_handle_rtp_packet`: to try whether the above are still called, on a receiver of no peer's.

Should one be gone, or not be called, `receive` says so once and leaves reception to aiortc.

And of an `RTCDtlsTransport`:

* `_task`: reads its packets. An error in it, aiortc's own, closes the connection just as the other
  end's goodbye does; without the name the two cannot be told apart.
"""

import asyncio
import logging
import queue
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from functools import cache
from typing import Any

from aiortc import RTCDtlsTransport, RTCRtpReceiver
from aiortc.codecs import depayload, get_decoder
from aiortc.codecs.base import Decoder
from aiortc.jitterbuffer import JitterFrame
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtp import RtpPacket
from av import CodecContext, FFmpegError, VideoFrame

from .. import trace
from ..endings import first_of
from ..protocol import stamp
from ..protocol.planes import MOST_PIXELS
from .guard import Guard
from .payload import fits, starts_keyframe
from .picture import planes_of_frame
from .probe import NoTransport, run_at_once
from .reassembly import EncodedFrame, Part, Reassembly

logger = logging.getLogger(__name__)

_HANDING_OVER = "handing a picture over"

_PRIVATE_NAMES = (
    "_RTCRtpReceiver__jitter_buffer",
    "_RTCRtpReceiver__nack_generator",
    "_RTCRtpReceiver__decoder_queue",
    "_RTCRtpReceiver__codecs",
    "_send_rtcp_nack",
    "_send_rtcp_pli",
)

OnPicture = Callable[[VideoFrame], None]
"""Told of a picture the moment it is decoded; it must not block."""


def missing_names(receiver: RTCRtpReceiver) -> list[str]:
    """The private names that this module relies on and that are gone, or of no use any more."""
    gone = [name for name in _PRIVATE_NAMES if not hasattr(receiver, name)]
    return gone or ([] if _takes_stand_ins() else ["calls of what stands in for its parts"])


@cache
def _takes_stand_ins() -> bool:
    """Whether a packet passes what was put in the place of a receiver's own parts."""
    called: list[tuple[str, int]] = []

    class StandIn:
        def __init__(self, name: str, answer: object) -> None:
            self._name, self._answer = name, answer

        def add(self, packet: RtpPacket) -> object:
            called.append((self._name, packet.sequence_number))
            return self._answer

    codec = RTCRtpCodecParameters(mimeType="video/VP8", clockRate=90_000, payloadType=97)
    packet = RtpPacket(payload_type=97, sequence_number=7, timestamp=0)
    packet.payload = b"\x10\0"
    try:
        receiver: Any = RTCRtpReceiver("video", NoTransport())  # type: ignore[arg-type]
        receiver._RTCRtpReceiver__nack_generator = StandIn("nack generator", False)
        receiver._RTCRtpReceiver__jitter_buffer = StandIn("jitter buffer", (False, None))
        receiver._RTCRtpReceiver__codecs[97] = codec
        run_at_once(receiver._handle_rtp_packet(packet, arrival_time_ms=0))
    except Exception:  # another version may raise whatever it likes
        logger.debug("trying aiortc's receiver failed", exc_info=True)
        return False
    return called == [("nack generator", 7), ("jitter buffer", 7)]


def receive(receiver: RTCRtpReceiver, on_picture: OnPicture, *, stock: bool = False) -> "Reception":
    """Receive video in any program of aiortc's, without its extra frame of delay.

    Call it once the transceiver is there and *before* the receiver starts, which it does when
    offer and answer are both set: raises RuntimeError after that. Then let `run` of what it returns
    run until the video ends, in place of awaiting `recv` on the track:

        transceiver = connection.addTransceiver("video", direction="recvonly")
        reception = receive(transceiver.receiver, on_picture)
        ...  # offer and answer
        await reception.run()

    `on_picture` gets every picture, an `av.VideoFrame` with a time stamp of 90 kHz in `pts`. It is
    called from aiortc's transport and must not block; whatever it raises is raised by `run`, as an
    InternalFailure, and nothing more is received. With `stock`, or where this aiortc lacks a name
    that the quick path needs, it is aiortc's own path that is used.
    """
    return open_reception(receiver, on_picture, Guard(), stock=stock)


def open_reception(
    receiver: RTCRtpReceiver, on_picture: OnPicture, guard: Guard, *, stock: bool
) -> "Reception":
    """The same under somebody's guard."""
    missing = missing_names(receiver)
    if missing and not stock:
        logger.warning("this aiortc lacks %s; using its own reception", ", ".join(missing))
    if not missing and receiver._RTCRtpReceiver__codecs:  # type: ignore[attr-defined]
        raise RuntimeError("too late: receive() has to be called before the receiver starts")
    kind = StockReception if stock or missing else QuickReception
    return kind(receiver, on_picture, guard)


def reading(transport: RTCDtlsTransport) -> "asyncio.Future[None] | None":
    """The task that reads the packets of a transport; None where that is not known, or over."""
    return getattr(transport, "_task", None)


class Reception(ABC):
    """Hands every picture of a receiver to a callback as soon as it is decoded."""

    received_at: float | None = None
    """The instant at which the last packet of the newest picture came, of the monotonic clock.

    None where that is not known.
    """

    @property
    def breaks(self) -> int:
        """How often the video had to go on with a keyframe, because frames were missing."""
        return 0

    @abstractmethod
    async def run(self) -> None:
        """Return when the video ends; raises InternalFailure where the callback failed.

        To be called after offer and answer, and only once; a call that is cancelled ends the
        reception.
        """


class StockReception(Reception):
    """aiortc's own path: what a program that awaits `track.recv()` gets.

    Nobody says when the packets of a picture came, which may have waited for long since.
    """

    def __init__(self, receiver: RTCRtpReceiver, on_picture: OnPicture, guard: Guard) -> None:
        self._receiver = receiver
        self._on_picture = guard(_HANDING_OVER)(on_picture)
        self._guard = guard

    async def run(self) -> None:
        await first_of(self._guard.failure(), self._receive())

    async def _receive(self) -> None:
        while True:
            try:
                frame = await self._receiver.track.recv()
            except MediaStreamError:
                return
            if isinstance(frame, VideoFrame):
                self._on_picture(frame)


class QuickReception(Reception):
    """Frames are released at their last packet and decoded where they are."""

    def __init__(self, receiver: RTCRtpReceiver, on_picture: OnPicture, guard: Guard) -> None:
        self._on_picture = guard(_HANDING_OVER)(on_picture)
        self._guard = guard
        self._path = _QuickPath(receiver, self._decode, guard)
        self._decoder: Decoder | None = None
        self._codec = ""

    @property
    def breaks(self) -> int:
        return self._path.breaks

    async def run(self) -> None:
        try:
            await first_of(self._guard.failure(), self._path.ended.wait())
        finally:
            self._path.close()

    def _decode(self, codec: RTCRtpCodecParameters, frame: EncodedFrame) -> bool:
        if not fits(codec.name, frame.data, MOST_PIXELS):
            return False
        if self._decoder is None or codec.name != self._codec:
            self._decoder, self._codec = _decoder(codec), codec.name
        try:
            pictures = self._decoder.decode(JitterFrame(frame.data, frame.timestamp))
        except FFmpegError as error:
            logger.debug("a frame could not be decoded: %s", error)
            return False
        for picture in pictures:
            if isinstance(picture, VideoFrame):
                self._trace(picture)
                self.received_at = self._path.received_at
                self._on_picture(picture)
        return True

    def _trace(self, picture: VideoFrame) -> None:
        if trace.enabled():
            decoded_at = time.monotonic()
            number = stamp.read(planes_of_frame(picture).y)
            trace.mark("received", number, self._path.received_at)
            trace.mark("decoded", number, decoded_at)


def _decoder(codec: RTCRtpCodecParameters) -> Decoder:
    """aiortc's decoder, which refuses pictures that are too large before it makes room for them."""
    decoder = get_decoder(codec)
    context = getattr(decoder, "codec", None)
    if isinstance(context, CodecContext):
        context.options = {"max_pixels": str(MOST_PIXELS)}
    return decoder


class Counting:
    """Counts the frames of a video receiver and does not decode them."""

    def __init__(self) -> None:
        self.frames = 0

    def attach(self, receiver: RTCRtpReceiver) -> None:
        """Take the place of the decoder, before the answer is applied."""
        _QuickPath(receiver, self._count, Guard())

    def _count(self, codec: RTCRtpCodecParameters, frame: EncodedFrame) -> bool:
        self.frames += 1
        return True


class _QuickPath:
    """Stands in for a receiver's jitter buffer; `on_frame` says whether a frame was sound."""

    def __init__(
        self,
        receiver: RTCRtpReceiver,
        on_frame: Callable[[RTCRtpCodecParameters, EncodedFrame], bool],
        guard: Guard,
    ) -> None:
        self.ended = asyncio.Event()
        self.received_at = 0.0
        self._codecs: dict[int, RTCRtpCodecParameters] = receiver._RTCRtpReceiver__codecs  # type: ignore[attr-defined]
        self._on_frame = on_frame
        self._guard = guard
        self._reassembly = Reassembly()
        self._requests = _Requests(receiver, self._reassembly, guard)
        for name, stand_in in (
            ("jitter_buffer", self),
            ("nack_generator", _NackNothing()),
            ("decoder_queue", _EndOfStream(self.close)),
        ):
            setattr(receiver, f"_RTCRtpReceiver__{name}", stand_in)

    @property
    def breaks(self) -> int:
        return self._reassembly.breaks

    def close(self) -> None:
        """Take no more packets and ask for nothing more."""
        self.ended.set()
        self._requests.close()

    def add(self, packet: RtpPacket) -> tuple[bool, None]:
        """Take a packet in the jitter buffer's place; never a frame for aiortc to decode."""
        if not self.ended.is_set():
            with self._guard("taking a packet"):
                self._take(packet)
        return False, None

    def _take(self, packet: RtpPacket) -> None:
        codec = self._codecs[packet.payload_type]
        data = depayload(codec, packet.payload) if packet.payload else b""
        now = self.received_at = time.monotonic()
        part = Part(
            packet.sequence_number,
            packet.timestamp,
            bool(packet.marker),
            data,
            starts_keyframe(codec.name, packet.payload, data),
        )
        for frame in self._reassembly.add(part, now):
            if not self._on_frame(codec, frame):
                self._reassembly.abandon()
                break
        self._requests.send(packet.ssrc, now)


class _Requests:
    """Sends what the reassembly asks for: after each packet, and again when it is time."""

    def __init__(self, receiver: RTCRtpReceiver, reassembly: Reassembly, guard: Guard) -> None:
        self._receiver: Any = receiver
        self._reassembly = reassembly
        self._guard = guard
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def send(self, ssrc: int, now: float) -> None:
        """Ask the sender for what is missing, and set the timer for the next time."""
        request = self._reassembly.request(now)
        if request.packets:
            self._start(self._receiver._send_rtcp_nack(ssrc, sorted(request.packets)))
        if request.keyframe:
            self._start(self._receiver._send_rtcp_pli(ssrc))
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        at = self._reassembly.next_request_at
        if at is not None and not self._closed:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(at - now, self._on_timer, ssrc)

    def _on_timer(self, ssrc: int) -> None:
        self._timer = None
        with self._guard("asking for packets"):
            self.send(ssrc, time.monotonic())

    def _start(self, sending: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(sending)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        """Ask for nothing more."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        for task in self._tasks:
            task.cancel()


class _NackNothing:
    """Takes the nack generator's place: what is missing is asked for by `_QuickPath`."""

    def add(self, packet: RtpPacket) -> bool:
        return False


class _EndOfStream(queue.Queue[Any]):
    """Takes the place of the queue to aiortc's decoder, which only gets to hear the end."""

    def __init__(self, on_end: Callable[[], None]) -> None:
        super().__init__()
        self._on_end = on_end

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        if item is None:
            self._on_end()
        super().put(item, block, timeout)
