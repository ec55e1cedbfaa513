"""How far off is what a controller holds: weighted by time, pauses included.

What counts on a bad network, where an answer that never comes has no error: "streaming accuracy"
(Li, Wang, Ramanan: Towards Streaming Perception, arXiv:2005.10420).
"""

import math
from collections.abc import Callable

from .distribution import Statistics
from .spread import Spread

_STEP = 0.004
_MOST_STEPS = 4_000
_GOLDEN = (math.sqrt(5) - 1) / 2
_EXACT, _EXACT_PX = 2e-3, 1e-3
_DEEPEST = 7

Curve = Callable[[float], float]


class HeldError:
    """Integrates the distance from the newest answer to the true centre.

    `centre` gives the true centre at an instant; the instants of a session do not go back. Of two
    answers the one for the newer frame is held, and one without a number replaces what is held.
    Time before `begin` does not count.
    """

    def __init__(self, centre: Callable[[float], tuple[float, float]]) -> None:
        self._centre = centre
        self._spread = Spread()
        self._held: tuple[float, float] | None = None
        self._frame = -1
        self._since = 0.0
        self._n = 0

    def answer(
        self, frame: int | None, place: tuple[float, float], at: float, begin: float
    ) -> None:
        """From an instant on the answer is held, unless it is for an older frame."""
        if frame is not None and frame < self._frame:
            return
        if self._held is not None:
            self._integrate(self._spread, self._held, max(self._since, begin), at)
        # What is replaced before the count begins was never held in it.
        self._n = self._n + 1 if at > begin else 1
        self._held, self._since = place, at
        self._frame = self._frame if frame is None else frame

    @property
    def mean(self) -> float | None:
        """The mean in pixels up to the newest answer; None before there is one."""
        return self._spread.mean

    def statistics(self, until: float, begin: float) -> Statistics:
        """The figures in pixels up to an instant, at which the session has ended.

        `n` is the number of answers held.
        """
        if self._held is None:
            return Statistics(0)
        self._integrate(self._spread, self._held, max(self._since, begin), until)
        self._since = max(self._since, until)
        return self._spread.statistics(self._n) if self._spread.seconds else Statistics(0)

    def _integrate(
        self, spread: Spread, place: tuple[float, float], begin: float, end: float
    ) -> None:
        if end <= begin:
            return

        def error(at: float) -> float:
            return math.dist(self._centre(at), place)

        steps = math.ceil((end - begin) / _STEP)
        if steps > _MOST_STEPS:
            _sample(spread, error, begin, end)
            return
        width = (end - begin) / steps
        instants = [begin + width * step for step in range(steps)] + [end]
        errors = [error(at) for at in instants]
        for step in range(steps):
            piece = (instants[step], errors[step], instants[step + 1], errors[step + 1])
            _divide(spread, error, *piece, _DEEPEST)


def _divide(
    spread: Spread,
    curve: Curve,
    begin: float,
    first: float,
    end: float,
    last: float,
    depth: int,
) -> None:
    """Take a piece of a curve as straight, or in halves where it is not."""
    middle = (begin + end) / 2
    between = curve(middle)
    bend = abs(between - (first + last) / 2)
    if not depth or bend <= _EXACT_PX + _EXACT * between:
        spread.add(middle - begin, first, between)
        spread.add(end - middle, between, last)
        return
    _divide(spread, curve, begin, first, middle, between, depth - 1)
    _divide(spread, curve, middle, between, end, last, depth - 1)


def _sample(spread: Spread, curve: Curve, begin: float, end: float) -> None:
    """Take a long pause by samples, each at another place in its step: no rhythm is missed.

    Who waits for an hour must not hold the others up when it is over.
    """
    width = (end - begin) / _MOST_STEPS
    for step in range(_MOST_STEPS):
        value = curve(begin + width * (step + step * _GOLDEN % 1))
        spread.add(width, value, value)
