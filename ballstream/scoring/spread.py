"""A distribution of a value over time, in bounded memory."""

from itertools import accumulate
from math import ceil, exp, log

from .distribution import Statistics

_WIDTH = log(1.01)
_FINEST, _MOST = 1e-3, 1e6
_EDGES = [0.0] + [
    _FINEST * exp(_WIDTH * place) for place in range(ceil(log(_MOST / _FINEST) / _WIDTH) + 1)
]
_LAST = len(_EDGES) - 2
_POINT = 1e-9


def _bin(value: float) -> int:
    if value < _FINEST:
        return 0
    place = min(int(log(value / _FINEST) / _WIDTH) + 1, _LAST)
    # The logarithm may err by a bin at the edges.
    if value < _EDGES[place]:
        return place - 1
    return min(place + (value >= _EDGES[place + 1]), _LAST)


class Spread:
    """Takes stretches of time in each of which a value goes evenly from one to another.

    Mean and maximum are exact; percentiles, which are of the time, lie within 1 % (or 0.001).
    Values are not negative; beyond a million they count as that in the percentiles.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._sum = 0.0
        self._max = 0.0
        self._parts = [0.0] * (_LAST + 1)
        """Seconds in each bin, but for those of the bins that a stretch crosses as a whole."""

        self._densities = [0.0] * (_LAST + 2)
        """By how much the seconds for each unit of the value change from bin to bin."""

    def add(self, seconds: float, first: float, last: float) -> None:
        """Take a stretch."""
        low, high = (first, last) if first <= last else (last, first)
        self.seconds += seconds
        self._sum += seconds * (low + high) / 2
        self._max = max(self._max, high)
        begin, end = _bin(low), _bin(high)
        if begin == end or high - low < _POINT:
            self._parts[begin] += seconds
            return
        density = seconds / (high - low)
        self._parts[begin] += density * (_EDGES[begin + 1] - low)
        self._parts[end] += density * (high - _EDGES[end])
        self._densities[begin + 1] += density
        self._densities[end] -= density

    @property
    def mean(self) -> float | None:
        """The mean over all the time; None of no time."""
        return self._sum / self.seconds if self.seconds else None

    def statistics(self, n: int) -> Statistics:
        """The figures over all the time, beside a number of values; of no time they are None."""
        if not self.seconds:
            return Statistics(n)
        p50, p95, p99 = self._percentiles(0.50, 0.95, 0.99)
        return Statistics(n, self._sum / self.seconds, p50, p95, p99, self._max)

    def _percentiles(self, *shares: float) -> list[float]:
        inside = [
            part + density * (_EDGES[place + 1] - _EDGES[place])
            for place, (part, density) in enumerate(
                zip(self._parts, accumulate(self._densities), strict=False)
            )
        ]
        below = list(accumulate(inside))
        return [self._at(share * below[-1], inside, below) for share in shares]

    def _at(self, seconds: float, inside: list[float], below: list[float]) -> float:
        """The value under which there are so many seconds."""
        place = next(each for each, sum_ in enumerate(below) if sum_ >= seconds)
        share = 1 - (below[place] - seconds) / inside[place] if inside[place] else 1.0
        low, high = _EDGES[place], min(_EDGES[place + 1], self._max)
        return min(low + share * (high - low), self._max)
