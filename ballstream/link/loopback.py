"""The video as a receiver gets it, without a network: drawn, compressed, and decoded at once."""

from collections.abc import Iterator
from typing import cast

from av import CodecContext, Packet, VideoFrame
from av.video.codeccontext import VideoCodecContext

from ..protocol.planes import Planes
from ..scene.render import Scene
from .codec import Encoding, video_compressor
from .picture import planes_of_frame

_DECODERS = {"VP8": "libvpx", "H264": "h264"}


def pictures(scene: Scene, encoding: Encoding, frames: int) -> Iterator[Planes | None]:
    """The first so many frames of a scene; None for those that the encoder left out.

    The first is a keyframe and no other is, as for a viewer who loses nothing.
    """
    compress = video_compressor(encoding)
    decoder = cast(VideoCodecContext, CodecContext.create(_DECODERS[encoding.codec], "r"))
    decoder.thread_count = 1  # with more, pictures come out later than they went in
    for number in range(frames):
        frame = VideoFrame(*encoding.size, "yuv420p")
        scene.draw(planes_of_frame(frame), number, number / encoding.fps)
        packet = compress(frame, number, number == 0)
        decoded = [] if packet is None else decoder.decode(Packet(bytes(packet)))
        yield planes_of_frame(decoded[0]) if decoded else None
