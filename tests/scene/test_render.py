import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ballstream.protocol import stamp
from ballstream.protocol.planes import BLACK, Plane, Planes, i420_shape, planes_of_i420
from ballstream.scene.motion import Axis, Motion, bounce
from ballstream.scene.render import BLUE, Scene, draw_ball

SIZES = [(160, 120), (162, 122), (640, 480), (1280, 720), (1920, 1080)]
SCALES = (1, 2, 2)
"""Pixels that a sample of each plane covers, each way."""


def blank(width: int, height: int) -> Planes:
    """Planes full of rubbish, so that whatever is not drawn over shows."""
    return planes_of_i420(np.full(i420_shape(width, height), 77, np.uint8))


def weights(plane: Plane, black: int) -> Any:
    return np.abs(plane.astype(np.int64) - black)


def centroid(plane: Plane, black: int, scale: int) -> tuple[float, float]:
    """The intensity-weighted centroid in pixels; a sample stands in the middle of its pixels."""
    weight = weights(plane, black)
    x = weight.sum(axis=0) @ np.arange(plane.shape[1]) / weight.sum()
    y = weight.sum(axis=1) @ np.arange(plane.shape[0]) / weight.sum()
    return float(scale * x + (scale - 1) / 2), float(scale * y + (scale - 1) / 2)


def check_centroids(planes: Planes, centre: tuple[float, float]) -> None:
    for plane, black, scale in zip(planes, BLACK, SCALES, strict=True):
        assert math.dist(centroid(plane, black, scale), centre) < 0.01


def place(size: tuple[int, int], radius: float, shares: tuple[float, float]) -> tuple[float, float]:
    """A centre in the field; shares 0 and 1 are the places where the ball touches a wall."""
    low = radius - 0.5
    high = size[0] - 0.5 - radius, size[1] - stamp.ROWS - 0.5 - radius
    x, y = (min(low + share * (end - low), end) for share, end in zip(shares, high, strict=True))
    return x, y


SHARES = st.tuples(*[st.sampled_from([0.0, 1.0]) | st.floats(0, 1)] * 2)


@given(st.sampled_from(SIZES[:3]), st.floats(4, 60), SHARES)
@settings(deadline=None, max_examples=250)
def test_every_plane_has_its_centroid_at_the_centre(
    size: tuple[int, int], radius: float, shares: tuple[float, float]
) -> None:
    radius = min(radius, (size[1] - stamp.ROWS) / 2)
    centre = place(size, radius, shares)
    planes = blank(*size)
    draw_ball(planes, centre, radius)
    check_centroids(planes, centre)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("radius", [4, 4.3, 20, 52])
@pytest.mark.parametrize("down", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("right", [0.0, 0.5, 1.0])
def test_the_centroid_is_right_at_each_wall_and_corner(
    size: tuple[int, int], radius: float, right: float, down: float
) -> None:
    centre = place(size, radius, (right, down))
    planes = blank(*size)
    draw_ball(planes, centre, radius)
    check_centroids(planes, centre)


@given(st.floats(4, 52), SHARES)
@settings(deadline=None)
def test_the_mass_is_the_area(radius: float, shares: tuple[float, float]) -> None:
    planes = blank(160, 120)
    draw_ball(planes, place((160, 120), radius, shares), radius)
    for plane, black, blue, scale in zip(planes, BLACK, BLUE, SCALES, strict=True):
        area = math.pi * (radius / scale) ** 2
        # Half a level for each sample of the edge, and two dozen nudges.
        slack = 0.5 * 4 * math.pi * radius / scale + 24
        assert abs(weights(plane, black).sum() - abs(blue - black) * area) < slack


@given(st.floats(4, 52), SHARES)
@settings(deadline=None)
def test_it_is_blue_inside_and_black_outside(radius: float, shares: tuple[float, float]) -> None:
    centre = place((160, 120), radius, shares)
    planes = blank(160, 120)
    draw_ball(planes, centre, radius)
    for plane, black, blue, scale in zip(planes, BLACK, BLUE, SCALES, strict=True):
        rows, columns = np.indices(plane.shape) * scale + (scale - 1) / 2
        distance = np.hypot(columns - centre[0], rows - centre[1])
        assert (plane[distance < radius - 0.7072 * scale] == blue).all()
        assert (plane[distance > radius + 0.7072 * scale] == black).all()
        assert (np.abs(plane.astype(int) - black) <= abs(blue - black)).all()


@given(st.floats(4, 52), st.floats(0, 1))
@settings(deadline=None)
def test_the_ball_stays_out_of_the_rows_of_the_stamp(radius: float, share: float) -> None:
    planes = blank(160, 120)
    draw_ball(planes, place((160, 120), radius, (share, 1)), radius)
    for plane, black, scale in zip(planes, BLACK, SCALES, strict=True):
        assert (plane[-stamp.ROWS // scale :] == black).all()


@pytest.mark.parametrize("radius", [4, 20.5, 52])
@pytest.mark.parametrize(
    ("shares", "edge"),
    [
        ((0, 0.5), np.s_[:, 0]),
        ((1, 0.5), np.s_[:, -1]),
        ((0.5, 0), np.s_[0]),
        ((0.5, 1), np.s_[-stamp.ROWS // 2 - 1]),
    ],
)
def test_the_ball_reaches_each_wall(radius: float, shares: tuple[float, float], edge: Any) -> None:
    planes = blank(160, 120)
    draw_ball(planes, place((160, 120), radius, shares), radius)
    assert (planes.u[edge] > 128).any()


def still(x: float, y: float) -> Motion:
    return Motion(Axis(x, x, x, 0), Axis(y, y, y, 0))


def test_a_scene_shows_the_ball_where_the_motion_has_it() -> None:
    motion = bounce(640, 480, 20, 280, 4)
    drawn, expected = blank(640, 480), blank(640, 480)
    Scene(motion, 20, stamped=False).draw(drawn, 7, 12.3)
    draw_ball(expected, motion.centre(12.3), 20)
    for plane, other in zip(drawn, expected, strict=True):
        np.testing.assert_array_equal(plane, other)


@pytest.mark.parametrize("centre", [(80.3, 40.7), (80.3, 83.5)])
def test_a_stamp_changes_nothing_but_its_own_pixels(centre: tuple[float, float]) -> None:
    plain, stamped = blank(160, 120), blank(160, 120)
    Scene(still(*centre), 20, stamped=False).draw(plain, 0x123456, 0)
    Scene(still(*centre), 20, stamped=True).draw(stamped, 0x123456, 0)
    assert stamp.read(stamped.y) == 0x123456
    np.testing.assert_array_equal(plain.y[: -stamp.ROWS], stamped.y[: -stamp.ROWS])
    np.testing.assert_array_equal(plain.u, stamped.u)
    np.testing.assert_array_equal(plain.v, stamped.v)


def test_a_plain_scene_has_no_stamp_and_black_bottom_rows() -> None:
    planes = blank(640, 480)
    Scene(still(320, 443.5), 20, stamped=False).draw(planes, 99, 0)
    assert stamp.read(planes.y) is None
    for plane, black, scale in zip(planes, BLACK, SCALES, strict=True):
        assert (plane[-stamp.ROWS // scale :] == black).all()


def test_nothing_of_the_last_picture_is_left() -> None:
    scene = Scene(bounce(640, 480, 20, 280, 4), 20, stamped=True)
    used, fresh = blank(640, 480), blank(640, 480)
    for second in (0, 1):
        scene.draw(used, second, second)
    scene.draw(fresh, 1, 1)
    for plane, other in zip(used, fresh, strict=True):
        np.testing.assert_array_equal(plane, other)


def test_padded_planes_are_drawn_alike() -> None:
    rows = np.full((480, 704), 77, np.uint8)
    halves = np.full((2, 240, 352), 77, np.uint8)
    padded = Planes(rows[:, :640], halves[0, :, :320], halves[1, :, :320])
    plain = blank(640, 480)
    scene = Scene(bounce(640, 480, 20, 280, 4), 20, stamped=True)
    scene.draw(padded, 5, 0.5)
    scene.draw(plain, 5, 0.5)
    for plane, other in zip(padded, plain, strict=True):
        np.testing.assert_array_equal(plane, other)
    assert (rows[:, 640:] == 77).all()


def test_a_ball_on_the_lowest_place_leaves_the_rows_of_the_stamp_alone() -> None:
    """Float rounding adds a row of samples here that the ball does not touch."""
    planes = blank(160, 120)
    draw_ball(planes, (4.156999459449517, 98.84300054055049), 4.656999459449517)
    for plane, black, scale in zip(planes, BLACK, SCALES, strict=True):
        assert (plane[-stamp.ROWS // scale :] == black).all()
