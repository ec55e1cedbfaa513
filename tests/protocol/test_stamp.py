from itertools import combinations
from typing import cast

import cv2
import numpy as np
import pytest
from av import CodecContext, VideoFrame
from av.video.codeccontext import VideoCodecContext
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ballstream.config import MIN_BITRATE, Codec
from ballstream.link.codec import Encoding, encode, open_encoder
from ballstream.link.picture import planes_of_frame
from ballstream.protocol import stamp
from ballstream.protocol.planes import Plane
from ballstream.scene.motion import bounce
from ballstream.scene.render import Scene

CELLS = [(row, column) for row in (0, 8) for column in range(0, 160, 8)]
"""The low corners of the forty cells, from the most significant bit on, in a stamp's own rows."""

DECODERS = {Codec.VP8: "libvpx", Codec.H264: "h264"}
FRAMES = 45


def black(width: int = stamp.WIDTH, height: int = stamp.ROWS) -> Plane:
    return np.full((height, width), 16, np.uint8)


def stamped(number: int) -> Plane:
    luma = black()
    stamp.write(luma, number)
    return luma


def crc16(data: bytes) -> int:
    """CRC-16/CCITT-FALSE, bit by bit."""
    register = 0xFFFF
    for byte in data:
        register ^= byte << 8
        for _ in range(8):
            register = register << 1 ^ (0x11021 if register & 0x8000 else 0)
    return register


@given(st.integers(160, 400), st.integers(16, 64), st.integers(0, stamp.MODULUS - 1))
@example(160, 16, 0)
@example(161, 17, stamp.MODULUS - 1)
@settings(deadline=None)
def test_what_is_written_is_read(width: int, height: int, number: int) -> None:
    luma = black(width, height)
    stamp.write(luma, number)
    assert stamp.read(luma) == number


@pytest.mark.parametrize("number", [stamp.MODULUS, stamp.MODULUS + 7, 5 * stamp.MODULUS + 12345])
def test_numbers_wrap(number: int) -> None:
    assert stamp.read(stamped(number)) == number % stamp.MODULUS


def test_the_checksum_in_this_file_is_the_one_of_the_catalogue() -> None:
    assert crc16(b"123456789") == 0x29B1


@pytest.mark.parametrize("number", [0, 1, 0x123456, 0xAAAAAA, stamp.MODULUS - 1])
def test_the_layout_is_as_documented(number: int) -> None:
    word = number << 16 | crc16(number.to_bytes(3, "big"))
    expected = black()
    for (row, column), bit in zip(CELLS, f"{word:040b}", strict=True):
        expected[row : row + 8, column : column + 8] = 235 if bit == "1" else 16
    np.testing.assert_array_equal(stamped(number), expected)


def test_nothing_is_written_elsewhere() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (48, 200), np.uint8)
    luma = noise.copy()
    stamp.write(luma, 0x5A5A5A)
    np.testing.assert_array_equal(luma[:-16], noise[:-16])
    np.testing.assert_array_equal(luma[:, 160:], noise[:, 160:])
    np.testing.assert_array_equal(luma[-16:, :160], stamped(0x5A5A5A))


def test_a_plane_with_padding_is_written_and_read() -> None:
    luma = black(256, 40)[:, :162]
    stamp.write(luma, 99)
    assert stamp.read(luma) == 99


@pytest.mark.parametrize(
    ("dark", "bright", "expected"),
    [(95, 156, 77), (0, 255, 77), (96, 156, None), (95, 155, None), (126, 126, None)],
)
def test_a_cell_is_decided_outside_the_middle_of_the_range(
    dark: int, bright: int, expected: int | None
) -> None:
    luma = np.where(stamped(77) == 235, bright, dark).astype(np.uint8)
    assert stamp.read(luma) == expected


def test_the_rims_of_the_cells_do_not_matter() -> None:
    luma = stamped(0xC0FFEE)
    rims = np.ones((8, 8), np.bool_)
    rims[1:-1, 1:-1] = False
    luma[np.tile(rims, (2, 20))] = 126
    assert stamp.read(luma) == 0xC0FFEE


@pytest.mark.parametrize("level", [96, 126, 155])
def test_one_undecided_cell_is_damage(level: int) -> None:
    for row, column in CELLS:
        luma = stamped(0x00F00D)
        luma[row : row + 8, column : column + 8] = level
        assert stamp.read(luma) is None


# The code is linear: what holds for the bits of one number holds for those of all.
@pytest.mark.parametrize("flips", [1, 2, 3])
def test_up_to_three_wrong_bits_are_damage(flips: int) -> None:
    whole = stamped(0x31337)
    for cells in combinations(CELLS, flips):
        luma = whole.copy()
        for row, column in cells:
            luma[row : row + 8, column : column + 8] = 251 - luma[row, column]
        assert stamp.read(luma) is None


@pytest.mark.parametrize("level", [0, 16, 60, 126, 128, 200, 235, 255])
def test_a_plain_picture_has_no_stamp(level: int) -> None:
    assert stamp.read(np.full((120, 160), level, np.uint8)) is None


@pytest.mark.parametrize(("low", "high"), [(0, 256), (0, 64), (16, 100), (160, 256)])
def test_noise_has_no_stamp(low: int, high: int) -> None:
    dice = np.random.default_rng(low)
    for _ in range(100):
        assert stamp.read(dice.integers(low, high, (120, 160), np.uint8)) is None


@pytest.mark.parametrize(("width", "height"), [(159, 120), (160, 15), (0, 0), (16, 160)])
def test_a_picture_that_is_too_small_has_no_stamp(width: int, height: int) -> None:
    assert stamp.read(black(width, height)) is None


@pytest.mark.parametrize("codec", Codec)
@pytest.mark.parametrize(
    ("size", "fps"),
    [
        ((160, 120), 30),
        ((162, 122), 30),
        ((640, 480), 30),
        ((1280, 720), 30),
        ((1280, 720), 120),
        ((1920, 1080), 30),
        ((1920, 1080), 120),
    ],
)
def test_the_stamp_survives_the_codec_at_the_lowest_bitrate(
    codec: Codec, size: tuple[int, int], fps: float
) -> None:
    scene = Scene(bounce(*size, 20, 280, 1), 20, stamped=True)
    encoder = open_encoder(Encoding(codec, size, fps, MIN_BITRATE))
    decoder = cast(VideoCodecContext, CodecContext.create(DECODERS[codec], "r"))
    sent: list[int] = []
    frames: list[VideoFrame] = []
    for index in range(FRAMES):
        number = (stamp.MODULUS - 10 + index) % stamp.MODULUS
        frame = VideoFrame(*size, "yuv420p")
        scene.draw(planes_of_frame(frame), number, index / fps)
        frame.pts, frame.time_base = index, encoder.time_base
        packet = encode(encoder, frame, keyframe=index % 20 == 0)
        if packet is not None:
            sent.append(number)
            frames += decoder.decode(packet)
    frames += decoder.decode(None)
    assert len(sent) > FRAMES / 2
    assert [stamp.read(planes_of_frame(frame).y) for frame in frames] == sent


@pytest.mark.parametrize(
    "size",
    [(320, 240), (240, 180), (480, 360), (512, 384), (640, 480), (854, 480), (960, 720),
     (1280, 960), (1920, 1080)],
)  # fmt: skip
@given(number=st.integers(0, stamp.MODULUS - 1))
@settings(max_examples=20, deadline=None)
def test_it_is_read_after_scaling(size: tuple[int, int], number: int) -> None:
    luma = np.full((480, 640), 16, np.uint8)
    stamp.write(luma, number)
    scaled = np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    assert stamp.read_scaled(scaled, (640, 480)) == number


def test_it_is_not_guessed_where_it_is_too_small_or_is_not_there() -> None:
    luma = np.full((480, 640), 16, np.uint8)
    stamp.write(luma, 4711)
    tiny = np.asarray(cv2.resize(luma, (200, 150), interpolation=cv2.INTER_AREA), np.uint8)
    assert stamp.read_scaled(tiny, (640, 480)) is None
    half = np.asarray(cv2.resize(luma, (320, 240), interpolation=cv2.INTER_AREA), np.uint8)
    assert stamp.read_scaled(half, (100, 480)) is None
    assert stamp.read_scaled(half, (1280, 960)) is None
    half[-8:, :80] = 128
    assert stamp.read_scaled(half, (640, 480)) is None
