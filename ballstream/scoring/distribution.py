"""Statistics of a stream of values, in bounded memory."""

import random
from array import array
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
        self._recent: deque[float] = deque(maxlen=_RECENT)
        self._dice = random.Random(0)

    def add(self, value: float) -> None:
        """Take one finite value."""
        self._n += 1
        self._sum += value
        self._max = max(self._max, value)
        self._recent.append(value)
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

    def recent(self, percent: float) -> float | None:
        """A percentile of the last 120 values, or None where there are none."""
        return float(np.percentile(self._recent, percent)) if self._recent else None
