import numpy as np
import pytest

from ballstream.protocol.planes import BLACK, Planes, i420_shape, planes_of_i420


@pytest.mark.parametrize(("width", "height"), [(160, 120), (162, 122), (1920, 1080)])
def test_an_i420_array_has_one_luma_and_two_chroma_planes(width: int, height: int) -> None:
    shape = i420_shape(width, height)
    assert shape == (height * 3 // 2, width)
    planes = planes_of_i420(np.zeros(shape, np.uint8))
    assert (planes.width, planes.height) == (width, height)
    assert planes.y.shape == (height, width)
    assert planes.u.shape == planes.v.shape == (height // 2, width // 2)


def test_the_planes_follow_one_another() -> None:
    planes = planes_of_i420(np.arange(36, dtype=np.uint8).reshape(6, 6))
    assert planes.y.ravel().tolist() == list(range(24))
    assert planes.u.tolist() == [[24, 25, 26], [27, 28, 29]]
    assert planes.v.tolist() == [[30, 31, 32], [33, 34, 35]]


def test_the_planes_are_views() -> None:
    i420 = np.zeros(i420_shape(8, 4), np.uint8)
    for plane, level in zip(planes_of_i420(i420), BLACK, strict=True):
        plane.fill(level)
    assert i420.ravel().tolist() == [16] * 32 + [128] * 16


def test_width_and_height_are_those_of_luma() -> None:
    chroma = np.zeros((2, 4), np.uint8)
    planes = Planes(np.zeros((4, 8), np.uint8), chroma, chroma)
    assert (planes.width, planes.height) == (8, 4)
