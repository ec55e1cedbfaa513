"""How much of each sample a disc covers, exactly, and what integer levels follow from that."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Levels = NDArray[np.int16]

_HALF_DIAGONAL = 0.7072
_EXACTNESS = 1e-9
_TOLERANCE = 0.003
_MOST_NUDGES = 24


@dataclass(frozen=True, slots=True)
class Coverage:
    """The shares of the samples `[top : top + rows, left : left + columns]` that a disc covers.

    `shares` is `(rows, columns)`, from 0 to 1; `dx` and `dy` are the middles of columns and rows,
    in samples, seen from the disc's centre.
    """

    left: int
    top: int
    shares: Floats
    dx: Floats
    dy: Floats

    def halved(self) -> "Coverage":
        """The same disc on samples of twice the size, whose shares are the means of four."""
        rows, columns = self.shares.shape
        shares = self.shares.reshape(rows // 2, 2, columns // 2, 2).mean(axis=(1, 3))
        dx, dy = (middles[::2] / 2 + 0.25 for middles in (self.dx, self.dy))
        return Coverage(self.left // 2, self.top // 2, shares, dx, dy)

    def levels(self, amplitude: int) -> Levels:
        """Levels from 0 to `amplitude` by share, rounded so that their centroid is the centre.

        The shares alone do not do that: box samples of a sharp edge alias, and rounding adds to
        it, 0.03 px together for a chroma plane and a radius of 4 px. So single samples are moved
        by one level, the best one first, until a few thousandths of a sample are left. What the
        disc does not touch stays 0, and what it covers whole stays `amplitude`.
        """
        levels = np.rint(amplitude * self.shares)
        columns, rows = levels.sum(axis=0), levels.sum(axis=1)
        moments = np.array([columns.sum(), columns @ self.dx, rows @ self.dy])
        if _offset(moments) >= _TOLERANCE:
            edge = np.nonzero((self.shares > _EXACTNESS) & (self.shares < 1 - _EXACTNESS))
            places = np.stack([np.ones(len(edge[0])), self.dx[edge[1]], self.dy[edge[0]]])
            levels[edge] = _nudge(levels[edge], places, moments, amplitude)
        return levels.astype(np.int16)


def disc(x: float, y: float, radius: float) -> Coverage:
    """A disc on a grid in which sample (i, j) is the unit square from (i, j) to (i + 1, j + 1).

    The samples begin and end at even places, so that the coverage can be halved.
    """
    left, top = (2 * int(np.floor((middle - radius) / 2)) for middle in (x, y))
    right, bottom = (2 * int(np.ceil((middle + radius) / 2)) for middle in (x, y))
    dx: Floats = np.arange(left + 0.5 - x, right - x)
    dy: Floats = np.arange(top + 0.5 - y, bottom - y)
    distance = np.hypot(dx, dy[:, None])
    shares = (distance < radius).astype(np.float64)
    j, i = np.nonzero(np.abs(distance - radius) < _HALF_DIAGONAL)
    shares[j, i] = _overlap(dx[i] - 0.5, dy[j] - 0.5, radius)
    return Coverage(left, top, shares, dx, dy)


def _nudge(levels: Floats, places: Floats, moments: Floats, amplitude: int) -> Floats:
    """Move levels by one until their centroid is the centre; `moments` are those of the whole."""
    nearest = levels.copy()
    error = _offset(moments)
    steps = np.concatenate([places, -places], axis=1)
    for _ in range(_MOST_NUDGES):
        if error < _TOLERANCE:
            break
        may_rise = (levels < amplitude) & (levels <= nearest)
        may_fall = (levels > 0) & (levels >= nearest)
        errors = _offset(moments[:, None] + steps)
        errors[~np.concatenate([may_rise, may_fall])] = np.inf
        best = int(errors.argmin())
        if errors[best] >= error:
            break
        error = errors[best]
        moments = moments + steps[:, best]
        levels[best % len(levels)] += steps[0, best]
    return levels


def _offset(moments: Floats) -> Floats:
    """The distance of a centroid from the disc's centre, from mass and first moments."""
    offset: Floats = np.hypot(moments[1], moments[2]) / np.maximum(moments[0], 1)
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
    x = np.minimum(np.maximum(x, -radius), radius)
    y = np.minimum(np.maximum(y, -radius), radius)
    chord = np.sqrt(radius * radius - y * y)
    left, right = np.minimum(x, -chord), np.maximum(x, chord)
    inside = np.minimum(np.maximum(x, -chord), chord)
    to_inside, to_chord, to_left, to_right = _half(np.stack([inside, chord, left, right]), radius)
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
