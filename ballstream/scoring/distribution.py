"""Statistics of a stream of values, in bounded memory."""

import random
from array import array
from bisect import bisect_left, insort
from collections import deque

import msgspec
import numpy as np

_KEPT = 20_000
_RECENT = 120


class Statistics(msgspec.Struct, frozen=True):
    """Number, mean, percentiles and maximum of some values; None where there are none."""

    n: int
    mean: float | None = None
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    max: float | None = None


class Recent(msgspec.Struct, frozen=True):
    """Median and 95th percentile of the last 120 values; None where there are none."""

    p50: float | None = None
    p95: float | None = None


NOTHING = Recent()


class Distribution:
    """Takes values one by one.

    Number, mean and maximum are exact. So are the percentiles up to 20,000 values; beyond that
    they come from a fair sample of that many (Vitter's algorithm R, doi:10.1145/3147.3165).
    """

    def __init__(self) -> None:
        self._n = 0
        self._sum = 0.0
        self._max = float("-inf")
        self._kept = array("d")
        self._window = Window()
        self._dice = random.Random(0)

    def add(self, value: float) -> None:
        """Take one finite value."""
        self._n += 1
        self._sum += value
        self._max = max(self._max, value)
        self._window.add(value)
        if len(self._kept) < _KEPT:
            self._kept.append(value)
        else:
            place = self._dice.randrange(self._n)
            if place < _KEPT:
                self._kept[place] = value

    def statistics(self) -> Statistics:
        """The figures over all values."""
        if self._n == 0:
            return Statistics(0)
        p50, p95, p99 = (float(value) for value in np.percentile(self._kept, (50, 95, 99)))
        return Statistics(self._n, self._sum / self._n, p50, p95, p99, self._max)

    def recent(self) -> Recent:
        """The figures of the last 120 values."""
        return self._window.figures()


class Window:
    """The last 120 values, kept in order, so that a live view costs next to nothing."""

    def __init__(self) -> None:
        self._arrived: deque[float] = deque(maxlen=_RECENT)
        self._ordered: list[float] = []

    def __len__(self) -> int:
        return len(self._ordered)

    def add(self, value: float) -> None:
        """Take one value, in place of the oldest where the window is full."""
        if len(self._arrived) == _RECENT:
            del self._ordered[bisect_left(self._ordered, self._arrived[0])]
        self._arrived.append(value)
        insort(self._ordered, value)

    def figures(self) -> Recent:
        """Percentiles of what is there."""
        if not self._ordered:
            return NOTHING
        return Recent(self._percentile(0.50), self._percentile(0.95))

    def _percentile(self, share: float) -> float:
        """Between two values by linear interpolation, as numpy does it."""
        ordered = self._ordered
        position = share * (len(ordered) - 1)
        below = int(position)
        if position == below:
            return ordered[below]
        return ordered[below] + (position - below) * (ordered[below + 1] - ordered[below])
