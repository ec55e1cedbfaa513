import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ballstream.protocol import stamp
from ballstream.protocol.planes import BLACK, i420_shape
from ballstream.scene.render import draw_ball
from ballstream.vision.detect import centroid, contour, hough
from ballstream.vision.picture import Detector, Picture
from ballstream.vision.point import Point

SIZES = [(160, 120), (162, 122), (640, 480), (1920, 1080)]
SHARES = st.sampled_from([0.0, 1.0]) | st.floats(0, 1)
DETECTORS = pytest.mark.parametrize("detector", [centroid, contour, hough])


def black(size: tuple[int, int] = (160, 120)) -> Picture:
    picture = Picture(np.zeros(i420_shape(*size), np.uint8))
    for plane, level in zip(picture.planes, BLACK, strict=True):
        plane.fill(level)
    return picture


def with_ball(size: tuple[int, int], place: Point, radius: float, number: int | None) -> Picture:
    """A picture as the server draws it, with its number in the stamp or without a stamp."""
    picture = black(size)
    draw_ball(picture.planes, place, radius)
    if number is not None:
        stamp.write(picture.planes.y, number)
    return picture


def place_in(size: tuple[int, int], radius: float, across: float, down: float) -> Point:
    """A place at shares of the ball's ranges; at 0 and 1 it touches a wall."""
    width, field = size[0], size[1] - stamp.ROWS
    low = radius - 0.5
    return low + across * (width - 2 * radius), low + down * (field - 2 * radius)


def distance(found: Point | None, truth: Point) -> float:
    assert found is not None
    return math.dist(found, truth)


@given(
    st.sampled_from(SIZES),
    st.sampled_from([4.0, 20.0]) | st.floats(4, 52),
    SHARES,
    SHARES,
    st.none() | st.integers(0, stamp.MODULUS - 1),
)
@settings(deadline=None, max_examples=300)
def test_the_centroid_is_exact_everywhere(
    size: tuple[int, int], radius: float, across: float, down: float, number: int | None
) -> None:
    truth = place_in(size, radius, across, down)
    found = centroid(with_ball(size, truth, radius, number))
    assert distance(found, truth) <= 0.01


@pytest.mark.parametrize("size", SIZES[:3])
@pytest.mark.parametrize(
    ("detector", "radius", "tolerance"),
    [
        (centroid, 4, 0.01),
        (centroid, 20, 0.01),
        (contour, 10, 0.5),
        (contour, 20, 0.5),
        (contour, 45, 0.5),
        (hough, 4, 1.5),
        (hough, 20, 1.5),
        (hough, 45, 1.5),
    ],
)
def test_detectors_find_the_ball_in_the_open_and_at_every_wall(
    size: tuple[int, int], detector: Detector, radius: float, tolerance: float
) -> None:
    for across in (0, 0.37, 0.5, 1):
        for down in (0, 0.41, 0.5, 1):
            truth = place_in(size, radius, across, down)
            for number in (None, stamp.MODULUS - 1):
                found = detector(with_ball(size, truth, radius, number))
                assert distance(found, truth) <= tolerance


# An outline of few pixels is coarse: half a chroma sample either way.
@given(st.floats(4, 10), SHARES, SHARES)
@settings(deadline=None)
def test_the_contour_of_a_small_ball_is_coarse(radius: float, across: float, down: float) -> None:
    truth = place_in((160, 120), radius, across, down)
    found = contour(with_ball((160, 120), truth, radius, 1))
    assert distance(found, truth) <= 0.75


@pytest.mark.parametrize("detector", [centroid, contour])
@pytest.mark.parametrize("spot", [(20, 20), (140, 20), (20, 90), (80, 96)])
def test_a_smaller_blue_spot_is_passed_over(detector: Detector, spot: tuple[int, int]) -> None:
    truth = (85.3, 51.7)
    picture = with_ball((160, 120), truth, 20, 5)
    alone = detector(picture)
    small = with_ball((160, 120), spot, 6, None).planes
    for plane, other, level in zip(picture.planes, small, BLACK, strict=True):
        np.copyto(plane, other, where=other != level)
    assert detector(Picture(picture.i420)) == alone
    assert distance(alone, truth) <= 0.5


@DETECTORS
@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_seen_in_a_black_picture(detector: Detector, size: tuple[int, int]) -> None:
    assert detector(black(size)) is None


@DETECTORS
def test_the_stamp_is_no_ball(detector: Detector) -> None:
    for number in range(0, stamp.MODULUS, 1_234_567):
        picture = black()
        stamp.write(picture.planes.y, number)
        assert detector(picture) is None


@DETECTORS
def test_nothing_is_seen_in_grey_noise(detector: Detector) -> None:
    dice = np.random.default_rng(1)
    picture = black((320, 240))
    picture.planes.y[:] = dice.integers(16, 236, picture.planes.y.shape)
    assert detector(picture) is None


@pytest.mark.parametrize(("u", "v"), [(128, 240), (90, 128), (128, 128), (183, 128)])
def test_the_centroid_sees_only_blue(u: int, v: int) -> None:
    picture = black()
    picture.planes.u[10:30, 10:30] = u
    picture.planes.v[10:30, 10:30] = v
    assert centroid(picture) is None


@DETECTORS
def test_blue_in_the_rows_of_the_stamp_is_no_ball(detector: Detector) -> None:
    picture = black()
    picture.planes.u[-8:, 20:30] = 240
    picture.planes.v[-8:, 20:30] = 110
    picture.planes.y[-16:, 40:60] = 41
    assert detector(picture) is None


@DETECTORS
def test_a_detector_leaves_the_picture_as_it_was(detector: Detector) -> None:
    picture = with_ball((160, 120), (70.2, 40.9), 15, 9)
    before = picture.i420.copy()
    assert detector(picture) is not None
    np.testing.assert_array_equal(picture.i420, before)


@pytest.mark.parametrize("size", SIZES)
def test_a_picture_knows_its_size_and_its_field(size: tuple[int, int]) -> None:
    picture = black(size)
    assert (picture.width, picture.height) == size
    assert picture.field == size[1] - 16
    assert picture.bgr.shape == (size[1], size[0], 3)
    assert picture.bgr is picture.bgr, "it is converted once"


@pytest.mark.parametrize(
    ("yuv", "bgr"),
    [
        ((16, 128, 128), (0, 0, 0)),
        ((235, 128, 128), (255, 255, 255)),
        ((41, 240, 110), (255, 0, 0)),
        ((145, 54, 34), (0, 255, 0)),
        ((81, 90, 240), (0, 0, 255)),
    ],
)
def test_colours_are_converted(yuv: tuple[int, int, int], bgr: tuple[int, int, int]) -> None:
    picture = black()
    for plane, level in zip(picture.planes, yuv, strict=True):
        plane.fill(level)
    assert np.abs(picture.bgr.astype(np.int16) - bgr).max() <= 2
