import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballstream.protocol import stamp
from ballstream.protocol.frames import Image, ImageCodec
from ballstream.protocol.planes import Plane, Planes, i420_shape, planes_of_i420
from ballstream.vision.decoding import decode, picture_of

SIZE = (176, 144)
RANDOM = np.random.default_rng(1)


def i420(number: int = 7) -> Plane:
    drawn = RANDOM.integers(0, 256, i420_shape(*SIZE), np.uint8)
    stamp.write(planes_of_i420(drawn).y, number)
    return drawn


def payload(codec: ImageCodec, drawn: Plane) -> bytes:
    if codec is ImageCodec.RAW:
        return drawn.tobytes()
    data: bytes = cv2.imencode(f".{codec.name.lower()}", drawn)[1].tobytes()
    return data


def test_planes_become_a_picture_in_memory_of_its_own() -> None:
    drawn = i420()
    picture = picture_of(planes_of_i420(drawn))
    np.testing.assert_array_equal(picture.i420, drawn)
    assert (picture.frame, picture.width, picture.height) == (7, *SIZE)
    drawn[:] = 0
    assert picture.i420.any()


@pytest.mark.parametrize("codec", [ImageCodec.RAW, ImageCodec.PNG])
def test_an_image_becomes_the_same_picture(codec: ImageCodec) -> None:
    drawn = i420()
    picture = picture_of(Image(5, *SIZE, codec, payload(codec, drawn)))
    np.testing.assert_array_equal(picture.i420, drawn)
    assert picture.frame == 5, "the number comes beside the image"
    picture.i420[0, 0] = 1


def test_a_jpeg_is_nearly_the_same() -> None:
    smooth = cv2.GaussianBlur(i420(), (31, 31), 0)
    drawn = np.asarray(smooth, np.uint8)
    decoded = decode(Image(5, *SIZE, ImageCodec.JPEG, payload(ImageCodec.JPEG, drawn)))
    assert np.abs(decoded.astype(int) - drawn).max() < 16


@pytest.mark.parametrize("codec", list(ImageCodec))
def test_an_image_of_another_size_than_it_says_is_none(codec: ImageCodec) -> None:
    with pytest.raises(ValueError, match="cannot be decoded"):
        decode(Image(5, 160, 120, codec, payload(codec, i420())))


def test_a_jpeg_that_says_it_is_huge_is_not_unfolded() -> None:
    data = payload(ImageCodec.JPEG, i420())
    at = data.index(b"\xff\xc0") + 5
    huge = data[:at] + (60_000).to_bytes(2, "big") * 2 + data[at + 4 :]
    with pytest.raises(ValueError, match="cannot be decoded"):
        decode(Image(5, *SIZE, ImageCodec.JPEG, huge))


@pytest.mark.parametrize("size", [(161, 120), (160, 121), (0, 0), (8192, 8192)])
def test_a_size_that_no_picture_has_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="odd or too large"):
        picture_of(Image(5, *size, ImageCodec.PNG, b""))
    luma = np.broadcast_to(np.uint8(0), size[::-1])
    with pytest.raises(ValueError, match="odd or too large"):
        picture_of(Planes(luma, luma, luma))


@given(
    st.sampled_from(list(ImageCodec)),
    st.binary(max_size=200),
    st.sampled_from([b"", b"\xff\xd8", b"\x89PNG\r\n\x1a\n"]),
)
def test_nothing_that_comes_harms(codec: ImageCodec, data: bytes, start: bytes) -> None:
    with pytest.raises(ValueError, match="cannot be decoded"):
        decode(Image(5, *SIZE, codec, start + data))
