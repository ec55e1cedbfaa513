"""A disc as integer levels on a grid, each from the exact area that it covers of that sample."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Levels = NDArray[np.int16]

_HALF_DIAGONAL = 0.7072
_EXACTNESS = 1e-9
_TOLERANCE = 0.002
_MOST_NUDGES = 24


class Disc:
    """A disc on a grid in which sample (i, j) is the unit square from (i, j) to (i + 1, j + 1).

    It lies in the samples `[top : top + rows, left : left + columns]`.
    """

    def __init__(self, x: float, y: float, radius: float) -> None:
        self.left, self.top = int(np.floor(x - radius)), int(np.floor(y - radius))
        columns = int(np.ceil(x + radius)) - self.left
        rows = int(np.ceil(y + radius)) - self.top
        # Middles of the samples, seen from the disc's centre.
        dx: Floats = np.arange(columns, dtype=np.float64) + (self.left + 0.5 - x)
        dy: Floats = np.arange(rows, dtype=np.float64) + (self.top + 0.5 - y)
        distance = np.hypot(dx[None, :], dy[:, None])
        self._inside = distance <= radius - _HALF_DIAGONAL
        self._edge = np.nonzero(~self._inside & (distance < radius + _HALF_DIAGONAL))
        self._places = np.stack([
            np.ones(len(self._edge[0])), dx[self._edge[1]], dy[self._edge[0]]
        ])  # fmt: skip
        self._shares = _overlap(self._places[1] - 0.5, self._places[2] - 0.5, radius)
        # What lies wholly outside stays black, and what lies wholly inside stays blue.
        self._touched = self._shares > _EXACTNESS
        self._covered = self._shares > 1 - _EXACTNESS
        in_columns = self._inside.sum(axis=0)
        self._inner = np.array([
            in_columns.sum(), in_columns @ dx, self._inside.sum(axis=1) @ dy
        ])  # fmt: skip

    def levels(self, amplitude: int) -> Levels:
        """The levels of its samples, `(rows, columns)`, from 0 to `amplitude`.

        A sample that is covered in part has its share of `amplitude`, rounded such that the
        centroid of all levels is the disc's centre (see `_round`).
        """
        levels = np.where(self._inside, np.int16(amplitude), np.int16(0))
        levels[self._edge] = self._round(amplitude)
        return levels

    def _round(self, amplitude: int) -> Floats:
        """Round the levels of the edge so that the centroid of the whole disc lies at its centre.

        The areas alone do not do that: box samples of a sharp edge alias, and rounding adds to
        it, 0.03 px together for a chroma plane and a radius of 4 px. So single samples are moved
        by one level, the best one first, until a few thousandths of a sample are left.
        """
        rounded: Floats = np.rint(amplitude * self._shares)
        nearest = rounded.copy()
        moments = amplitude * self._inner + self._places @ rounded
        error = float(_offset(moments))
        steps = np.concatenate([self._places, -self._places], axis=1)
        for _ in range(_MOST_NUDGES):
            if error < _TOLERANCE:
                break
            may_rise = (rounded < amplitude) & (rounded <= nearest) & self._touched
            may_fall = (rounded > 0) & (rounded >= nearest) & ~self._covered
            errors = _offset(moments[:, None] + steps)
            errors[~np.concatenate([may_rise, may_fall])] = np.inf
            best = int(errors.argmin())
            if errors[best] >= error:
                break
            error = float(errors[best])
            moments += steps[:, best]
            rounded[best % len(rounded)] += steps[0, best]
        return rounded


def _offset(moments: Floats) -> Floats:
    """The distance of a centroid from the disc's centre, from mass and first moments."""
    mass = np.maximum(moments[0], 1)
    offset: Floats = np.hypot(moments[1] / mass, moments[2] / mass)
    return offset


def _overlap(x: Floats, y: Floats, radius: float) -> Floats:
    """The area that a disc about the origin shares with each unit square, by its low corner."""
    corners = _quadrant(np.stack([x, x + 1, x, x + 1]), np.stack([y, y, y + 1, y + 1]), radius)
    area: Floats = corners[3] - corners[2] - corners[1] + corners[0]
    return area


def _quadrant(x: Floats, y: Floats, radius: float) -> Floats:
    """The area of a disc about the origin where both coordinates are smaller than `x` and `y`.

    Column by column: where the chord at `y` crosses a column it reaches from the lower arc to
    `y`; outside the chord a column counts whole if `y` is beyond the centre, else not at all.
    """
    x = np.clip(x, -radius, radius)
    y = np.clip(y, -radius, radius)
    chord = np.sqrt(radius * radius - y * y)
    inside = np.clip(x, -chord, chord)
    outside = np.stack([np.minimum(x, -chord), np.maximum(x, chord)])
    to_inside, to_chord, to_left, to_right = _half(np.stack([inside, chord, *outside]), radius)
    half_disc = np.pi * radius * radius / 2
    crossed = to_inside - (half_disc - to_chord) + y * (inside + chord)
    area: Floats = crossed + np.where(y > 0, 2 * (to_left + to_right - to_chord), 0)
    return area


def _half(x: Floats, radius: float) -> Floats:
    """The area of the upper half disc from its left end to `x`."""
    share = x / radius
    root = np.sqrt(np.maximum(1 - share * share, 0))
    area: Floats = (share * root + np.arcsin(share) + np.pi / 2) * (radius * radius / 2)
    return area
