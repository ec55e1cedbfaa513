import math

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from ballstream.errors import UsageError
from ballstream.protocol import stamp
from ballstream.scene.motion import Axis, Motion, bounce

SEEDS = st.integers(0, 2**32)
TIMES = st.floats(0, 1e6)
SIZES = st.tuples(st.integers(80, 960), st.integers(60, 540)).map(
    lambda half: (2 * half[0], 2 * half[1])
)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, 4.0),
        (0.5, 5.0),
        (3, 10.0),
        (4, 8.0),
        (7, 2.0),
        (8, 4.0),
        (11, 10.0),
        (8_000_000, 4.0),
        (8_000_003.5, 9.0),
        (8_000_007, 2.0),
        (-1, 2.0),
        (-2, 4.0),
    ],
)
def test_an_axis_goes_to_and_fro(seconds: float, expected: float) -> None:
    assert Axis(low=2, high=10, start=4, velocity=2).at(seconds) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0, 4.0), (1, 2.0), (2, 4.0), (5, 10.0), (8, 4.0)]
)
def test_an_axis_may_start_towards_its_low_end(seconds: float, expected: float) -> None:
    assert Axis(low=2, high=10, start=4, velocity=-2).at(seconds) == expected


@pytest.mark.parametrize("velocity", [-5.0, 0.0, 5.0])
def test_an_axis_without_room_stands_still(velocity: float) -> None:
    assert Axis(7, 7, 7, velocity).at(123.4) == 7


def test_an_axis_without_speed_stands_still() -> None:
    assert Axis(2, 10, 4, 0).at(1e6) == 4


def test_centre_takes_each_coordinate_from_its_axis() -> None:
    motion = Motion(Axis(2, 10, 4, 2), Axis(0, 100, 50, -10))
    assert motion.centre(4) == (8.0, 10.0)


@given(SIZES, st.floats(4, 60), st.floats(0, 100_000), SEEDS, TIMES)
@example((160, 120), 52, 280, 0, 1e6)
@settings(deadline=None)
def test_the_ball_stays_whole_inside_the_field(
    size: tuple[int, int], radius: float, speed: float, seed: int, seconds: float
) -> None:
    width, height = size
    assume(2 * radius <= min(width, height - stamp.ROWS))
    x, y = bounce(width, height, radius, speed, seed).centre(seconds)
    assert radius - 0.5 - 1e-9 <= x <= width - 0.5 - radius + 1e-9
    assert radius - 0.5 - 1e-9 <= y <= height - stamp.ROWS - 0.5 - radius + 1e-9


@given(SIZES, st.floats(4, 40), st.floats(1, 2000), SEEDS)
@settings(deadline=None)
def test_the_speed_along_the_path_is_the_one_asked_for(
    size: tuple[int, int], radius: float, speed: float, seed: int
) -> None:
    motion = bounce(*size, radius, speed, seed)
    velocity = motion.horizontal.velocity, motion.vertical.velocity
    assert math.hypot(*velocity) == pytest.approx(speed, rel=1e-12)


@given(SEEDS, TIMES, st.floats(0.001, 0.05))
@settings(deadline=None)
def test_between_reflections_the_path_is_straight(seed: int, seconds: float, step: float) -> None:
    motion = bounce(640, 480, 20, 280, seed)
    before, after = motion.centre(seconds), motion.centre(seconds + step)
    span = 280 * step + 0.01
    for axis, place in ((motion.horizontal, before[0]), (motion.vertical, before[1])):
        assume(axis.low + span < place < axis.high - span)
    # At a million seconds a time has steps of 1e-10 s.
    assert math.dist(before, after) == pytest.approx(280 * step, abs=1e-6)


def test_every_wall_is_touched() -> None:
    motion = bounce(640, 480, 20, 280, 5)
    xs, ys = zip(*(motion.centre(step / 120) for step in range(120 * 60)), strict=True)
    # Two frames at 120 fps lie no more than 2.4 px apart.
    assert min(xs) == pytest.approx(19.5, abs=2.4)
    assert max(xs) == pytest.approx(619.5, abs=2.4)
    assert min(ys) == pytest.approx(19.5, abs=2.4)
    assert max(ys) == pytest.approx(443.5, abs=2.4)


@given(SEEDS)
def test_the_path_is_neither_flat_nor_upright(seed: int) -> None:
    motion = bounce(640, 480, 20, 280, seed)
    assert abs(motion.horizontal.velocity) > 280 * math.cos(math.radians(70.01))
    assert abs(motion.vertical.velocity) > 280 * math.sin(math.radians(19.99))


def test_a_seed_decides_all() -> None:
    assert bounce(640, 480, 20, 280, 3) == bounce(640, 480, 20, 280, 3)
    assert len({bounce(640, 480, 20, 280, seed) for seed in range(100)}) == 100


def test_a_seed_may_start_in_any_quarter() -> None:
    motions = [bounce(640, 480, 20, 280, seed) for seed in range(40)]
    signs = {(m.horizontal.velocity > 0, m.vertical.velocity > 0) for m in motions}
    assert len(signs) == 4


@pytest.mark.parametrize("seconds", [0.0, 0.3, 17.0, 1e5])
def test_a_ball_that_just_fits_has_one_place_to_be(seconds: float) -> None:
    assert bounce(104, 120, 52, 280, 1).centre(seconds) == (51.5, 51.5)


@pytest.mark.parametrize(
    ("width", "height", "radius"),
    [(160, 120, 52.001), (160, 120, 60), (160, 480, 80.5), (640, 480, 1e9)],
)
def test_a_ball_that_does_not_fit_is_refused(width: int, height: int, radius: float) -> None:
    with pytest.raises(UsageError, match="does not fit") as error:
        bounce(width, height, radius, 280, 0)
    assert "\n" not in str(error.value)
    assert "--radius" in str(error.value)
