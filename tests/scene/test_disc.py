import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ballstream.scene.disc import Coverage, Floats, Levels, disc

AMPLITUDES = st.sampled_from([25, 112, 18])
"""Those of the luma, U and V planes of a blue ball on black."""

RADII = st.floats(2, 60)
PLACES = st.floats(-50, 2000)
FINENESS = 128


def shares(coverage: Coverage, x: float, y: float, radius: float, shape: tuple[int, int]) -> Floats:
    """The area of each sample inside the circle, from many lines across, each cut exactly."""
    rows, columns = shape
    lines = coverage.top + (np.arange(rows * FINENESS) + 0.5) / FINENESS
    half = np.sqrt(np.maximum(radius**2 - (lines - y) ** 2, 0))[:, None]
    left = coverage.left + np.arange(columns)[None, :]
    covered = np.minimum(left + 1, x + half) - np.maximum(left, x - half)
    share: Floats = np.clip(covered, 0, 1).reshape(rows, FINENESS, columns).mean(axis=1)
    return share


def centroid(coverage: Coverage, levels: Levels) -> tuple[float, float]:
    mass = levels.sum()
    x = levels.sum(axis=0) @ (np.arange(levels.shape[1]) + coverage.left + 0.5) / mass
    y = levels.sum(axis=1) @ (np.arange(levels.shape[0]) + coverage.top + 0.5) / mass
    return float(x), float(y)


@given(PLACES, PLACES, RADII, AMPLITUDES)
@example(10.0, 10.0, 2.0, 112)
@example(0.5, 0.5, 2.5, 25)
@settings(deadline=None)
def test_a_level_is_the_share_of_the_sample_that_is_covered(
    x: float, y: float, radius: float, amplitude: int
) -> None:
    coverage = disc(x, y, radius)
    levels = coverage.levels(amplitude)
    exact = shares(coverage, x, y, radius, levels.shape)
    # One and a half for rounding and a nudge; the reference errs by half a line.
    assert np.abs(levels - amplitude * exact).max() <= 1.5 + amplitude / (2 * FINENESS)


@given(PLACES, PLACES, RADII, AMPLITUDES)
@settings(deadline=None)
def test_inside_is_full_and_outside_is_nothing(
    x: float, y: float, radius: float, amplitude: int
) -> None:
    coverage = disc(x, y, radius)
    levels = coverage.levels(amplitude)
    rows, columns = levels.shape
    # The farthest and the nearest point of each sample, seen from the centre.
    dx = np.abs(np.arange(columns) + coverage.left + 0.5 - x)[None, :]
    dy = np.abs(np.arange(rows) + coverage.top + 0.5 - y)[:, None]
    inside = np.hypot(dx + 0.5, dy + 0.5) < radius - 1e-6
    outside = np.hypot(np.maximum(dx - 0.5, 0), np.maximum(dy - 0.5, 0)) > radius + 1e-6
    assert (levels >= 0).all()
    assert (levels <= amplitude).all()
    assert (levels[inside] == amplitude).all()
    assert (levels[outside] == 0).all()
    deep = np.hypot(dx, dy) <= radius - 0.7072
    assert (levels[deep] == amplitude).all()


@given(PLACES, PLACES, RADII)
@settings(deadline=None)
def test_the_box_is_as_small_as_can_be(x: float, y: float, radius: float) -> None:
    coverage = disc(x, y, radius)
    rows, columns = coverage.levels(112).shape
    assert coverage.left <= x - radius < coverage.left + 2
    assert coverage.top <= y - radius < coverage.top + 2
    assert coverage.left + columns - 2 < x + radius <= coverage.left + columns
    assert coverage.top + rows - 2 < y + radius <= coverage.top + rows
    assert [coverage.left % 2, coverage.top % 2, rows % 2, columns % 2] == [0, 0, 0, 0]


@given(PLACES, PLACES, RADII, AMPLITUDES)
@example(10.0, 10.0, 2.0, 112)
@example(10.5, 10.25, 2.0, 18)
@settings(deadline=None, max_examples=300)
def test_the_centroid_is_the_centre(x: float, y: float, radius: float, amplitude: int) -> None:
    coverage = disc(x, y, radius)
    # In samples; those of chroma are two pixels wide, hence the half of 0.01 px.
    assert math.dist(centroid(coverage, coverage.levels(amplitude)), (x, y)) < 0.005


@given(PLACES, PLACES, RADII, AMPLITUDES)
@settings(deadline=None)
def test_the_mass_is_the_area(x: float, y: float, radius: float, amplitude: int) -> None:
    levels = disc(x, y, radius).levels(amplitude)
    # Each sample of the edge is rounded, and 24 of them may be nudged.
    edge = 2 * math.pi * radius * 2
    error = abs(levels.sum() - amplitude * math.pi * radius**2)
    assert error < 0.5 * edge + 24


def test_a_disc_on_the_grid_is_symmetrical() -> None:
    levels = disc(20, 20, 10).levels(112)
    assert levels.shape == (20, 20)
    for turned in (levels[::-1], levels[:, ::-1], levels.T):
        np.testing.assert_array_equal(levels, turned)


def test_a_disc_moves_with_its_place() -> None:
    here, there = disc(20.25, 30.5, 6), disc(1020.25, 530.5, 6)
    assert (there.left - here.left, there.top - here.top) == (1000, 500)
    np.testing.assert_array_equal(here.levels(112), there.levels(112))


@pytest.mark.parametrize("amplitude", [18, 25, 112])
def test_the_same_disc_gives_several_amplitudes(amplitude: int) -> None:
    coverage = disc(20.3, 30.6, 6)
    coverage.levels(50)
    np.testing.assert_array_equal(coverage.levels(amplitude), disc(20.3, 30.6, 6).levels(amplitude))
    assert coverage.levels(amplitude).dtype == np.int16


@given(PLACES, PLACES, RADII)
@settings(deadline=None)
def test_half_as_fine_it_is_the_disc_of_half_the_size(x: float, y: float, radius: float) -> None:
    halved = disc(2 * x, 2 * y, 2 * radius).halved()
    direct = disc(x, y, radius)
    by, bx = direct.top - halved.top, direct.left - halved.left
    whole = np.zeros((len(halved.dy) + 4, len(halved.dx) + 4))
    whole[2:-2, 2:-2] = halved.shares
    rows, columns = direct.shares.shape
    part = whole[2 + by : 2 + by + rows, 2 + bx : 2 + bx + columns]
    np.testing.assert_allclose(part, direct.shares[: part.shape[0], : part.shape[1]], atol=1e-9)
    assert halved.shares.sum() == pytest.approx(direct.shares.sum())
