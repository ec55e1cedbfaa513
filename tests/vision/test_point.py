from fractions import Fraction

import numpy as np
import pytest

from ballstream.vision.point import as_point, is_inside, is_near


@pytest.mark.parametrize(
    "found",
    [
        (1, 2),
        [1.0, 2.0],
        np.array([1, 2]),
        np.array([1, 2], np.float16),
        (np.float32(1), np.int64(2)),
        (np.array(1.0), np.array([2])),
        (Fraction(1), Fraction(2)),
        iter((1, 2)),
    ],
)
def test_two_real_numbers_are_a_place(found: object) -> None:
    x, y = as_point(found)
    assert (type(x), type(y)) == (float, float)
    assert (x, y) == (1, 2)


@pytest.mark.parametrize(
    "found",
    [
        "12", b"12", {1: 2, 3: 4}, {1, 2}, (True, False), np.array([True, False]), ("1", "2"),
        np.array(["1", "2"]), (1, 2, 3), (1,), 7, (1j, 2), (None, None), np.zeros((1, 2)),
        (10**400, 1),
    ],
)  # fmt: skip
def test_what_is_no_place_is_an_error_in_words(found: object) -> None:
    with pytest.raises(TypeError, match=r"^returned .*, not \(x, y\) or None$"):
        as_point(found)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), np.float32("-inf")])
def test_numbers_that_are_nowhere_are_no_place(number: float) -> None:
    with pytest.raises(ValueError, match="which is not a place"):
        as_point((1, number))


def test_a_picture_ends_with_the_edges_of_its_pixels() -> None:
    assert is_inside((-0.5, 479.5), 640, 480)
    assert not is_inside((-0.6, 10), 640, 480)
    assert not is_inside((10, 479.6), 640, 480)
    assert is_near((-640, 960), 640, 480)
    assert not is_near((-641, 0), 640, 480)
