"""How evenly answers came: gaps, freezes, and how soon they were back after an outage."""

import math
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

_MEAN_OF = 30
_FEWEST = 5
_LONGER_S = 0.15
_MOST_RUNS = 10_000
_SHARE = 0.9


class Gaps(msgspec.Struct, frozen=True):
    """The gaps between answers, the one at the end included; None where there is nothing to say.

    A freeze is a gap of at least max(3 x mean, mean + 150 ms), with the mean of the 30 gaps before
    it, and 5 at the least; `frozen_ms` is the time in freezes (libwebrtc's, and `freezeCount` of
    https://www.w3.org/TR/webrtc-stats/). `harmonic_fps` is the sum of the gaps by the sum of their
    squares: the rate of answers as one sees it who looks at any instant. `recovery_ms` is the time
    from the end of an outage to the first answer from which on a second has answers to 90 % of its
    frames, after several outages the longest of these times; None without an outage, and where an
    outage was not recovered from.
    """

    longest_ms: float | None = None
    freezes: int | None = None
    frozen_ms: float | None = None
    harmonic_fps: float | None = None
    recovery_ms: float | None = None


class _Run(NamedTuple):
    """Answers one after the other, from each of which a full second begins."""

    first: float
    last: float


class Continuity:
    """Takes the instants of answers; those of a session do not go back.

    Gaps that end before `begin` do not count. It has eight fields: sums over gaps, what a freeze is
    measured by, and what recovery is.
    """

    def __init__(self, fps: float | None) -> None:
        self._longest = self._sum = self._squares = self._frozen = 0.0
        self._freezes = 0
        self._last: float | None = None
        self._before: deque[float] = deque(maxlen=_MEAN_OF)
        self._seconds = _FullSeconds(None if fps is None else math.ceil(_SHARE * fps))

    def answer(self, at: float, begin: float) -> None:
        """An answer came."""
        self._seconds.answer(at)
        if self._last is not None:
            self._gap(at - self._last, counts=at > begin)
        self._last = at

    @property
    def longest_ms(self) -> float | None:
        """The longest gap up to the newest answer; None before there is one."""
        return 1e3 * self._longest if self._sum else None

    def _gap(self, gap: float, *, counts: bool) -> None:
        before = self._before
        if counts:
            self._longest = max(self._longest, gap)
            self._sum += gap
            self._squares += gap * gap
            if len(before) >= _FEWEST:
                mean = sum(before) / len(before)
                if gap >= max(3 * mean, mean + _LONGER_S):
                    self._freezes += 1
                    self._frozen += gap
        before.append(gap)

    def total(
        self, until: float, begin: float, outages: Iterable[tuple[float, float | None]]
    ) -> Gaps:
        """The figures of a session that has ended at an instant.

        Outages are from and to instants, the latter None where it never ended.
        """
        if self._last is None:
            return Gaps()
        if until > self._last:
            self._gap(until - self._last, counts=until > begin)
            self._last = until
        if not self._sum:
            return Gaps(recovery_ms=self._recovery_ms(until, outages))
        return Gaps(
            longest_ms=1e3 * self._longest,
            freezes=self._freezes,
            frozen_ms=1e3 * self._frozen,
            harmonic_fps=self._sum / self._squares,
            recovery_ms=self._recovery_ms(until, outages),
        )

    def _recovery_ms(
        self, until: float, outages: Iterable[tuple[float, float | None]]
    ) -> float | None:
        ends = [end for since, end in outages if since < until and (end is None or end < until)]
        times = [None if end is None else self._seconds.since(end) for end in ends]
        known = [each for each in times if each is not None]
        if not known or len(known) < len(times):
            return None
        return 1e3 * max(known)


class _FullSeconds:
    """Remembers from which answers on a second has at least so many of them."""

    def __init__(self, answers: int | None) -> None:
        self._answers = answers
        self._recent: deque[float] = deque(maxlen=answers)
        self._runs: deque[_Run] = deque(maxlen=_MOST_RUNS)
        self._unbroken = False

    def answer(self, at: float) -> None:
        """An answer came."""
        recent = self._recent
        if self._answers is None:
            return
        recent.append(at)
        if len(recent) < self._answers:
            return
        full = at - recent[0] < 1
        if full and self._unbroken:
            self._runs[-1] = _Run(self._runs[-1].first, recent[0])
        elif full:
            self._runs.append(_Run(recent[0], recent[0]))
        self._unbroken = full

    def since(self, instant: float) -> float | None:
        """Seconds from an instant to the next such answer; None where there is none."""
        for run in self._runs:
            if run.last >= instant:
                return max(run.first - instant, 0.0)
        return None
