"""The lines of `estimates.csv` into what a report draws, in memory that does not grow with them."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from ..scoring.distribution import Statistics
from ..scoring.score import Result
from .records import CSV_COLUMNS, SessionReport

Floats = NDArray[np.float64]
Lines = Callable[[], Iterable[str]]
"""Gives the lines of the file without its header, from the first on each time it is called."""

CHARTED = ("latency_ms", "detection_error_px", "tracking_error_px")
"""The figures that are drawn."""

MOST_POINTS = 2_000
"""Values of a session that are kept one by one; of more, stretches of time are summed up."""

STRETCHES = 666
"""Stretches of time in which a session with more values than that is summed up."""

RECENT = 600
WORST = 20
"""Answers of a session that are kept whole: the last ones, and those that were least exact."""

RESOLUTION = 1e-4
"""To what the figures in the file are rounded."""

_BATCH = 10_000
_FEWEST_BINS, _MOST_BINS = 30, 150
_FINE_BINS = 300
_FAR = 10

_NUMBERS = ("session", "at", "counted", "x", "y", "true_x", "true_y", *CHARTED)
_PLACES = tuple(CSV_COLUMNS.index(name) for name in _NUMBERS)


class Batch:
    """Some answers of one session, a column an array; NaN where there is nothing to say."""

    def __init__(self, table: Floats) -> None:
        self.table = table

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, column: str) -> Floats:
        return self.table[:, _NUMBERS.index(column)]

    @property
    def since(self) -> Floats:
        """When the frame was drawn or, without one, when the answer arrived."""
        return self["at"] - np.nan_to_num(self["latency_ms"]) / 1e3

    @property
    def counted(self) -> NDArray[np.bool_]:
        """Which answers are part of the statistics."""
        counted: NDArray[np.bool_] = self["counted"] == 1
        return counted

    def where(self, chosen: NDArray[np.bool_] | NDArray[np.intp] | slice) -> "Batch":
        """Some of the answers."""
        return Batch(self.table[chosen])

    def followed_by(self, later: "Batch") -> "Batch":
        """These answers, then others."""
        return Batch(np.concatenate((self.table, later.table)))


NO_ANSWERS = Batch(np.empty((0, len(_NUMBERS))))


def batches(lines: Iterable[str], sessions: Iterable[int]) -> Iterator[tuple[int, Batch]]:
    """The answers to some sessions, in order; a line that was cut off is left out."""
    answered = f",{Result.ANSWERED},"
    answers = (line for line in lines if answered in line and line.endswith("\n"))
    wanted = tuple(sessions)
    while some := list(islice(answers, _BATCH)):
        table = Batch(_parsed(some))
        for session in wanted:
            own = table["session"] == session
            if own.any():
                yield session, table.where(own)


def _parsed(lines: Iterable[str]) -> Floats:
    # Twice, as of two empty fields side by side the first round finds only one.
    filled = [line.replace(",,", ",nan,").replace(",,", ",nan,") for line in lines]
    return np.loadtxt(filled, delimiter=",", comments=None, usecols=_PLACES, ndmin=2)


class Extent:
    """How many answers a session has, how many are counted in its statistics, and where they lie:
    known before they are thinned out.
    """

    def __init__(self) -> None:
        self.rows = self.counted = 0
        self.first, self.last = math.inf, -math.inf
        self.least = dict.fromkeys(CHARTED, math.inf)

    def add(self, batch: Batch) -> None:
        """Take the next answers."""
        self.rows += len(batch)
        self.counted += int(batch.counted.sum())
        self.first = min(self.first, float(batch["at"].min()))
        self.last = max(self.last, float(batch["at"].max()))
        for name in CHARTED:
            self.least[name] = float(np.fmin.reduce(batch[name], initial=self.least[name]))


class Points:
    """A figure over time, value by value."""

    def __init__(self) -> None:
        self._taken: list[tuple[Floats, Floats]] = []

    def add(self, at: Floats, values: Floats) -> None:
        """Take values and the times at which they came."""
        known = ~np.isnan(values)
        self._taken.append((at[known], values[known]))

    @property
    def at(self) -> Floats:
        return np.concatenate([np.empty(0), *(at for at, _ in self._taken)])

    @property
    def values(self) -> Floats:
        return np.concatenate([np.empty(0), *(values for _, values in self._taken)])


class Stretches:
    """A figure over time: least, mean and greatest value of equal stretches of it.

    NaN stands for a stretch without a value.
    """

    def __init__(self, first: float, last: float, count: int = STRETCHES) -> None:
        self.seconds = (last - first) / count
        self.at: Floats = first + self.seconds * np.arange(0.5, count)
        self._first = first
        self._rows = np.zeros(count)
        self._sum = np.zeros(count)
        self._least = np.full(count, math.inf)
        self._greatest = np.full(count, -math.inf)

    def add(self, at: Floats, values: Floats) -> None:
        """Take values and the times at which they came."""
        known = ~np.isnan(values)
        values, place = values[known], (at[known] - self._first) / self.seconds
        stretch = np.clip(place, 0, len(self.at) - 1).astype(int)
        np.add.at(self._rows, stretch, 1)
        np.add.at(self._sum, stretch, values)
        np.minimum.at(self._least, stretch, values)
        np.maximum.at(self._greatest, stretch, values)

    @property
    def least(self) -> Floats:
        return np.where(self._rows, self._least, math.nan)

    @property
    def greatest(self) -> Floats:
        return np.where(self._rows, self._greatest, math.nan)

    @property
    def mean(self) -> Floats:
        mean = np.full(len(self.at), math.nan)
        np.divide(self._sum, self._rows, out=mean, where=self._rows > 0)
        return mean


def trail(extent: Extent, rows: int) -> Points | Stretches:
    """What takes so many rows of a session."""
    if rows <= MOST_POINTS or extent.first == extent.last:
        return Points()
    return Stretches(extent.first, extent.last)


def even_edges(least: float, greatest: float, most: int) -> Floats:
    """Edges of bins of one round width that hold both values; about so many bins at most."""
    narrowest = max((greatest - least) / most, RESOLUTION)
    exponent = math.floor(math.log10(narrowest) + 1e-9)
    width = next(
        factor * 10.0**exponent
        for factor in (1, 2, 5, 10)
        if factor * 10.0**exponent >= narrowest * (1 - 1e-9)
    )
    numbers = range(math.floor(least / width) - 1, math.floor(greatest / width) + 3)
    # Rounded, so that 0.3 as an edge is the same number as 0.3 in the file.
    edges = np.array([round(number * width, 9) for number in numbers])
    first = np.searchsorted(edges, least, side="right") - 1
    last = np.searchsorted(edges, greatest, side="right")
    return edges[first : last + 1]


def geometric_edges(least: float, greatest: float, count: int) -> Floats:
    """Edges of bins, each wider than the last by the same factor, that hold both values."""
    first = max(least, RESOLUTION)
    return np.geomspace(first, max(greatest, first) + RESOLUTION, count + 1)


class Counts:
    """How many values fall into each bin, with its left and without its right edge."""

    def __init__(self, edges: Floats) -> None:
        self.edges = edges
        self.inside: NDArray[np.int64] = np.zeros(len(edges) - 1, np.int64)
        self.beyond = 0
        """The values to the right of all bins."""

    @property
    def total(self) -> int:
        return int(self.inside.sum()) + self.beyond

    def add(self, values: Floats) -> None:
        """Take values; what is less than the first edge counts for the first bin."""
        place = np.searchsorted(self.edges, values[~np.isnan(values)], side="right") - 1
        counts = np.bincount(np.maximum(place, 0), minlength=len(self.edges))
        self.inside += counts[:-1]
        self.beyond += int(counts[-1])


@dataclass(frozen=True, slots=True)
class Scale:
    """How the values of a figure are spread, over all sessions.

    `logarithmic` where the greatest is far from the usual; `usual` are edges of bins for nearly
    all values, as a histogram shows them, `whole` for all.
    """

    least: float
    greatest: float
    logarithmic: bool
    usual: Floats
    whole: Floats

    @classmethod
    def of(cls, least: float, sessions: Sequence[Statistics]) -> "Scale | None":
        """The scale of some sessions, given their least value; None where there is no value."""
        greatest = usual = median = -math.inf
        number = 0
        for each in sessions:
            if each.max is not None and each.p95 is not None and each.p50 is not None:
                greatest, median = max(greatest, each.max), max(median, each.p50)
                usual = max(usual, min(each.max, 1.5 * each.p95))
                number = max(number, each.n)
        if number == 0 or math.isinf(least):
            return None
        # As in the file, so that the greatest value in it is inside.
        greatest, usual = (max(least, round(each, 4)) for each in (greatest, usual))
        bins = min(max(round(8 * number ** (1 / 3)), _FEWEST_BINS), _MOST_BINS)
        logarithmic = greatest > _FAR * max(median, RESOLUTION)
        edges = geometric_edges if logarithmic else even_edges
        return cls(
            least=least,
            greatest=greatest,
            logarithmic=logarithmic,
            usual=even_edges(least, usual, bins),
            whole=edges(least, greatest, _FINE_BINS),
        )


class History:
    """What is drawn of one session: over time, as frequencies of values, and in the picture."""

    def __init__(self, extent: Extent, scales: Mapping[str, Scale]) -> None:
        early = extent.rows - extent.counted
        self.warm_up = {name: trail(extent, early) for name in CHARTED}
        self.trails = {name: trail(extent, extent.counted) for name in CHARTED}
        self.usual = {name: Counts(scale.usual) for name, scale in scales.items()}
        self.whole = {name: Counts(scale.whole) for name, scale in scales.items()}
        self.rows = 0
        """The answers after the warm-up."""

        self.recent = NO_ANSWERS
        """The last of them."""

        self.worst = NO_ANSWERS
        """Those with the greatest detection errors, the greatest one first."""

    def add(self, batch: Batch) -> None:
        """Take the next answers."""
        early, counted = batch.where(~batch.counted), batch.where(batch.counted)
        self.rows += len(counted)
        for name in CHARTED:
            self.warm_up[name].add(early["at"], early[name])
            self.trails[name].add(counted["at"], counted[name])
        for counts in (self.usual, self.whole):
            for name, each in counts.items():
                each.add(counted[name])
        self.recent = self.recent.followed_by(counted).where(slice(-RECENT, None))
        located = counted.where(~np.isnan(counted["detection_error_px"]))
        worst = self.worst.followed_by(located)
        order = np.argsort(-worst["detection_error_px"], kind="stable")
        self.worst = worst.where(order[:WORST])


@dataclass(frozen=True, slots=True)
class Run:
    """The histories of its sessions, and the scales of the figures that have any values."""

    histories: Mapping[int, History]
    scales: Mapping[str, Scale]


def read(lines: Lines, sessions: Sequence[SessionReport]) -> Run:
    """Read a run in two rounds."""
    extents = {session.id: Extent() for session in sessions}
    for number, batch in batches(lines(), extents):
        extents[number].add(batch)
    scales = {}
    for name in CHARTED:
        least = min((extent.least[name] for extent in extents.values()), default=math.inf)
        scale = Scale.of(least, [getattr(session, name) for session in sessions])
        if scale is not None:
            scales[name] = scale
    histories = {number: History(extent, scales) for number, extent in extents.items()}
    for number, batch in batches(lines(), extents):
        histories[number].add(batch)
    return Run(histories, scales)
