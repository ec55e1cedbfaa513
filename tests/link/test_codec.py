import numpy as np
import pytest
from av import VideoFrame

from ballstream.config import MAX_BITRATE, MIN_BITRATE, Codec
from ballstream.link.codec import Encoding, encode, open_encoder
from ballstream.link.picture import planes_of_frame
from ballstream.protocol.planes import BLACK

SIZE, FPS = (640, 480), 30


def noise(side: int, dice: np.random.Generator, index: int) -> VideoFrame:
    """A square of fresh noise on black: the larger, the more bits it takes."""
    frame = VideoFrame(*SIZE, "yuv420p")
    planes = planes_of_frame(frame)
    for plane, black in zip(planes, BLACK, strict=True):
        plane.fill(black)
    planes.y[40 : 40 + side, 40 : 40 + side] = dice.integers(16, 235, (side, side))
    frame.pts = index
    return frame


@pytest.mark.parametrize("codec", Codec)
@pytest.mark.parametrize(
    ("bitrate", "side"), [(MIN_BITRATE, 32), (1_000_000, 64), (5_000_000, 160), (MAX_BITRATE, 320)]
)
def test_the_bitrate_is_kept_where_the_picture_needs_it(
    codec: Codec, bitrate: int, side: int
) -> None:
    context = open_encoder(Encoding(codec, SIZE, FPS, bitrate))
    dice = np.random.default_rng(0)
    sizes = []
    for index in range(4 * FPS):
        frame = noise(side, dice, index)
        frame.time_base = context.time_base
        packet = encode(context, frame, keyframe=index == 0)
        sizes.append(0 if packet is None else packet.size)
    settled = sizes[FPS:]
    assert 8 * sum(settled) * FPS / len(settled) == pytest.approx(bitrate, rel=0.15)


@pytest.mark.parametrize("codec", Codec)
def test_a_frame_in_is_a_packet_out_and_keyframes_come_when_asked_for(codec: Codec) -> None:
    context = open_encoder(Encoding(codec, SIZE, FPS, 1_000_000))
    dice = np.random.default_rng(0)
    for index in range(20):
        frame = noise(64, dice, index)
        frame.time_base = context.time_base
        packet = encode(context, frame, keyframe=index in (0, 7))
        assert packet is not None
        assert packet.pts == index
        assert packet.is_keyframe == (index in (0, 7))


@pytest.mark.parametrize("fps", [1, 29.97, 59.94, 120])
def test_any_frame_rate_will_do(fps: float) -> None:
    context = open_encoder(Encoding(Codec.VP8, SIZE, fps, 1_000_000))
    assert float(1 / context.time_base) == pytest.approx(fps, rel=1e-6)
