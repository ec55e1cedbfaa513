"""PyAV's encoders, set up for one thing: that the next picture arrives soon and sharp."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, assert_never, cast

from av import CodecContext, Packet, VideoFrame
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from ..config import Codec
from .source import TIME_BASE

if TYPE_CHECKING:
    from av import VideoStream

    VideoPacket = Packet[VideoStream]
else:
    VideoPacket = Packet  # generic for type checkers only

_NEVER = 1 << 20
"""Frames between keyframes that nobody asked for."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a stream is compressed, `bitrate` in bit/s."""

    codec: Codec
    size: tuple[int, int]
    fps: float
    bitrate: int


def open_encoder(encoding: Encoding) -> VideoCodecContext:
    """An encoder without look-ahead, denoiser or a thread of its own: a frame in, a packet out."""
    name, options = _settings(encoding.codec)
    context = cast(VideoCodecContext, CodecContext.create(name, "w"))
    context.width, context.height = encoding.size
    context.pix_fmt = "yuv420p"
    rate = Fraction(encoding.fps).limit_denominator(1001)
    context.framerate = rate
    # Time stamps are frame numbers: whatever unit they had, PyAV would rebase them to this one,
    # and lose a tick now and then where the two do not divide.
    context.time_base = 1 / rate
    context.gop_size = _NEVER
    context.bit_rate = encoding.bitrate
    context.thread_count = 1
    context.options = {**options, **_constant_rate(encoding.bitrate)}
    return context


def encode(context: VideoCodecContext, frame: VideoFrame, keyframe: bool) -> VideoPacket | None:
    """Compress one frame; a keyframe if asked for. None where the encoder left the frame out."""
    frame.pict_type = PictureType.I if keyframe else PictureType.NONE
    packets = context.encode(frame)
    return packets[0] if packets else None


def video_compressor(encoding: Encoding) -> Callable[[VideoFrame, int, bool], VideoPacket | None]:
    """A fresh encoder as a function of frame, frame number and whether to make a keyframe."""
    context = open_encoder(encoding)

    def compress(frame: VideoFrame, number: int, keyframe: bool) -> VideoPacket | None:
        pts = frame.pts
        frame.pts, frame.time_base = number, context.time_base
        packet = encode(context, frame, keyframe)
        if packet is not None:
            packet.pts, packet.time_base = pts, TIME_BASE
        return packet

    return compress


def _constant_rate(bitrate: int) -> dict[str, str]:
    """Equal bounds make both encoders hold the rate; a second of it evens keyframes out."""
    return {"minrate": str(bitrate), "maxrate": str(bitrate), "bufsize": str(bitrate)}


def _settings(codec: Codec) -> tuple[str, dict[str, str]]:
    """The encoder of a codec by FFmpeg's name, and what is asked of it."""
    match codec:
        case Codec.VP8:
            return "libvpx", _LIBVPX
        case Codec.H264:
            return "libx264", _LIBX264
        case _:
            assert_never(codec)


_LIBVPX = {
    "deadline": "realtime",
    "cpu-used": "-8",
    "lag-in-frames": "0",
    "auto-alt-ref": "0",
    # A picture that is black but for the ball: blocks that did not change are skipped
    # without a search, which halves the time, and those of the ball get all the bits.
    "static-thresh": "1",
    "noise-sensitivity": "0",
    "qmin": "0",
    "qmax": "56",
    "undershoot-pct": "100",
    "overshoot-pct": "15",
}

_LIBX264 = {
    "preset": "ultrafast",
    "tune": "zerolatency",
    "profile": "baseline",
    "forced-idr": "1",
    # Coarser than this, a large picture at the lowest bitrate loses its frame number.
    "qmax": "44",
}
