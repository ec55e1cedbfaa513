"""How late datagrams were released, in bounded memory."""

from collections import Counter
from math import ceil, exp, log

import msgspec

_WIDTH = log(1.01)
_FINEST = 1e-3


class LatenessMs(msgspec.Struct, frozen=True):
    """Number, mean, percentiles and maximum, in milliseconds; None where nothing was held."""

    n: int
    mean: float | None = None
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    max: float | None = None


class Lateness:
    """Takes how late each datagram left that had to be held.

    Number, mean and maximum are exact, and percentiles within 1 %, or a microsecond.
    """

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self._n = 0
        self._sum = 0.0
        self._max = 0.0

    def add(self, seconds: float) -> None:
        """Take one, not negative."""
        ms = 1000 * seconds
        self._n += 1
        self._sum += ms
        self._max = max(self._max, ms)
        self._counts[ceil(log(max(ms, _FINEST)) / _WIDTH)] += 1

    def statistics(self) -> LatenessMs:
        """The figures over all."""
        if not self._n:
            return LatenessMs(0)
        p50, p95, p99 = (self._percentile(percent) for percent in (50, 95, 99))
        return LatenessMs(self._n, self._sum / self._n, p50, p95, p99, self._max)

    def _percentile(self, percent: float) -> float:
        """The upper bound of the bin in which the value of that rank lies: never too small."""
        rank, seen = ceil(self._n * percent / 100), 0
        for place in sorted(self._counts):
            seen += self._counts[place]
            if seen >= rank:
                return min(exp(place * _WIDTH), self._max)
        return self._max
