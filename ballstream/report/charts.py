"""Histories into charts: data and layout as Plotly wants them, and a caption in words.

Colours are left to the page, which knows whether it is light or dark: a trace says in `meta` which
session it belongs to (`session`) and which of the page's colours it takes (`colour`).
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..scoring.score import Figure
from .history import (
    MOST_POINTS,
    RECENT,
    RESOLUTION,
    STRETCHES,
    WORST,
    Batch,
    Counts,
    Floats,
    History,
    Points,
    Run,
    Scale,
    Stretches,
)

Trace = dict[str, Any]

COLOURS = 6
"""Colours that the page has for sessions; the seventh session takes the first again, dashed."""

NEUTRAL = 0
"""The colour of what belongs to no session."""

_OVER_TIME = "-over-time"
_LEAST_PAUSE = 0.25
_FEWEST_PLACES = 100
_FEWEST_RINGS = 3
_FEW_DECADES, _SOME_DECADES = 2.5, 4


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart with its caption; `data` and `layout` go to Plotly as they are."""

    name: str
    caption: str
    data: list[Trace]
    layout: dict[str, Any]


def of_figure(figure: Figure, run: Run) -> list[Chart]:
    """The charts of a figure that have something to show."""
    charts = (over_time(figure, run), histogram(figure, run), cumulative(figure, run))
    return [chart for chart in charts if chart.data]


def over_time(figure: Figure, run: Run) -> Chart:
    """A figure over the time of its arrival."""
    scale = run.scales.get(figure.name)
    floor = RESOLUTION if scale and scale.logarithmic else 0.0
    data: list[Trace] = []
    for look, history in looks(run):
        data += _early(figure, look, history.warm_up[figure.name], floor)
        data += _counted(figure, look, history.trails[figure.name], floor)
    caption = (
        f"{figure.title} in {figure.unit} over the seconds since the server's start.",
        _thinning(figure, run),
        _left_out(figure, run, scale),
    )
    layout = {"xaxis": _axis("time, s"), "yaxis": _value_axis(figure, scale)}
    return Chart(f"{figure.name}{_OVER_TIME}", _joined(caption), data, layout)


def mark_steps(charts: Iterable[Chart], steps: Iterable[tuple[float, str]]) -> None:
    """Draw into the charts over time what changed in the network, and when."""
    lines = [
        {
            "type": "line",
            "x0": round(at, 3),
            "x1": round(at, 3),
            "yref": "paper",
            "y0": 0,
            "y1": 1,
            "line": {"width": 1, "dash": "dash"},
            "label": {"text": words, "textposition": "end", "font": {"size": 10}},
        }
        for at, words in steps
    ]
    for chart in charts:
        if lines and chart.name.endswith(_OVER_TIME):
            chart.layout["shapes"] = lines


def histogram(figure: Figure, run: Run) -> Chart:
    """How often which of the usual values occur."""
    filled = _filled(run, lambda history: history.usual.get(figure.name))
    data = [
        {
            **look.trace("histogram", "lines", shape="hv"),
            "x": _values(counts.edges),
            "y": _percentages(counts, np.append(counts.inside, counts.inside[-1])),
            "customdata": [*counts.inside.tolist(), int(counts.inside[-1])],
            "fill": "tozeroy" if len(filled) == 1 else "none",
            "hovertemplate": f"from %{{x}} {figure.unit}: %{{customdata}} answers, %{{y:.2f}} %"
            f"<extra>{look.name}</extra>",
        }
        for look, counts in filled
    ]
    caption = [_beyond(filled)]
    if filled:
        first, second, *_ = filled[0][1].edges
        width = f"{second - first:.4f}".rstrip("0").rstrip(".")
        caption.insert(
            0, f"Histogram: the percentage of answers in each interval of {width} {figure.unit}."
        )
    layout = {"xaxis": _axis(figure.unit), "yaxis": _axis("% of answers", rangemode="tozero")}
    return Chart(f"{figure.name}-histogram", _joined(caption), data, layout)


def cumulative(figure: Figure, run: Run) -> Chart:
    """How many values are less than others."""
    data = [
        {
            **look.trace("cumulative", "lines"),
            "x": _values(counts.edges[1:]),
            "y": _percentages(counts, counts.inside.cumsum()),
            "hovertemplate": f"%{{y:.2f}} % below %{{x}} {figure.unit}<extra>{look.name}</extra>",
        }
        for look, counts in _filled(run, lambda history: history.whole.get(figure.name))
    ]
    caption = f"Cumulative: the percentage of answers below a value in {figure.unit}."
    layout = {
        "xaxis": _value_axis(figure, run.scales.get(figure.name), from_zero=False),
        "yaxis": _axis("% of answers", range=[0, 102]),
    }
    return Chart(f"{figure.name}-cumulative", caption, data, layout)


def path(run: Run, size: tuple[int, int]) -> Chart:
    """The ball's true path and the estimates of it."""
    number = max(len(run.histories), 1)
    length, rings = max(_FEWEST_PLACES, RECENT // number), max(_FEWEST_RINGS, WORST // number)
    data: list[Trace] = []
    for look, history in looks(run):
        data += _path(look, history.recent.where(slice(-length, None)))
        data += _rings(look, history.worst.where(slice(rings)))
    parts = {trace["meta"]["part"] for trace in data}
    caption = (
        f"Points: the last {length} estimates of a session, at most.",
        "Line: the true path, broken where answers pause." if "true" in parts else "",
        f"Rings: the {rings} estimates of a whole session with the greatest detection errors."
        if "worst" in parts
        else "",
        f"In px of the picture, {size[0]} by {size[1]}, from its top left corner.",
    )
    return Chart("path", _joined(caption), data, _picture(*size))


@dataclass(frozen=True, slots=True)
class Look:
    """How a session looks in every chart."""

    session: int
    place: int

    @property
    def name(self) -> str:
        return f"session {self.session}"

    @property
    def colour(self) -> int:
        return self.place % COLOURS + 1

    @property
    def dash(self) -> str:
        return "solid" if self.place < COLOURS else "dash"

    def trace(self, part: str, mode: str, dash: str | None = None, **line: object) -> Trace:
        """What all traces of the session have in common; `part` says what it shows of it."""
        return {
            "type": "scatter",
            "mode": mode,
            "name": self.name,
            "meta": {"part": part, "session": self.session, "colour": self.colour},
            "line": {"width": 1.5, "dash": dash or self.dash, **line},
            "marker": {"size": 3},
        }


def looks(run: Run) -> Iterator[tuple[Look, History]]:
    """Each history with the look of its session."""
    for place, (session, history) in enumerate(run.histories.items()):
        yield Look(session, place), history


def _joined(sentences: Iterable[str]) -> str:
    return " ".join(filter(None, sentences))


def _values(numbers: Floats) -> list[float | None]:
    """Numbers as JSON has them, to the resolution of the file."""
    return [None if math.isnan(number) else round(number, 4) for number in numbers.tolist()]


def _percentages(counts: Counts, numbers: NDArray[np.int64]) -> list[float | None]:
    return _values(numbers / (counts.total / 100))


def _axis(title: str, **settings: object) -> dict[str, Any]:
    return {"title": {"text": title}, **settings}


def _value_axis(figure: Figure, scale: Scale | None, from_zero: bool = True) -> dict[str, Any]:
    """The axis of a figure's values; logarithmic where a few of them are far from the others."""
    if scale is None or not scale.greatest:
        return _axis(figure.unit, rangemode="tozero")
    if not scale.logarithmic:
        return _axis(figure.unit, range=[0 if from_zero else scale.least, 1.05 * scale.greatest])
    low, high = 0.9 * max(scale.least, RESOLUTION), 1.1 * scale.greatest
    ticks = _ticks(low, high)
    return _axis(
        f"{figure.unit}, logarithmic",
        type="log",
        range=[math.log10(low), math.log10(high)],
        tickvals=ticks,
        ticktext=[f"{tick:g}" for tick in ticks],
    )


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers for a logarithmic axis."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)))
    span = math.log10(high / low)
    factors = (1, 2, 5) if span < _FEW_DECADES else (1, 3) if span < _SOME_DECADES else (1,)
    ticks = [float(f"{factor}e{decade}") for decade in decades for factor in factors]
    return [tick for tick in ticks if low <= tick <= high]


def _early(figure: Figure, look: Look, trail: Points | Stretches, floor: float) -> Iterator[Trace]:
    """What came in the warm-up; where it is too much to draw, its means."""
    at, values = (trail.at, trail.mean) if isinstance(trail, Stretches) else _broken(trail)
    if not np.isnan(values).all():
        yield {
            **look.trace("early", "lines", dash="dot", width=1),
            "x": _values(at),
            "y": _values(np.maximum(values, floor)),
            "hovertemplate": f"%{{y}} {figure.unit} at %{{x:.3f}} s, warm-up"
            f"<extra>{look.name}</extra>",
        }


def _counted(
    figure: Figure, look: Look, trail: Points | Stretches, floor: float
) -> Iterator[Trace]:
    """What came after the warm-up: every value, or a line and bars of stretches of time."""
    if isinstance(trail, Stretches):
        if not np.isnan(trail.mean).all():
            yield _bars(look, trail, floor)
            yield _means(figure, look, trail, floor)
        return
    at, values = _broken(trail)
    if len(values):
        yield {
            **look.trace("every", "lines+markers", width=1),
            "x": _values(at),
            "y": _values(np.maximum(values, floor)),
            "hovertemplate": f"%{{y}} {figure.unit} at %{{x:.3f}} s<extra>{look.name}</extra>",
        }


def _bars(look: Look, trail: Stretches, floor: float) -> Trace:
    least, greatest = np.maximum(trail.least, floor), np.maximum(trail.greatest, floor)
    nothing = np.full(len(trail.at), math.nan)
    return {
        **look.trace("range", "lines", dash="solid", width=1),
        "x": _values(np.column_stack((trail.at, trail.at, nothing)).ravel()),
        "y": _values(np.column_stack((least, greatest, nothing)).ravel()),
        "opacity": 0.5,
        "hoverinfo": "skip",
    }


def _means(figure: Figure, look: Look, trail: Stretches, floor: float) -> Trace:
    least, greatest = _values(trail.least), _values(trail.greatest)
    return {
        **look.trace("mean", "lines+markers"),
        "x": _values(trail.at),
        "y": _values(np.maximum(trail.mean, floor)),
        "customdata": list(zip(least, greatest, strict=True)),
        "hovertemplate": f"%{{y}} {figure.unit} on average around %{{x:.3f}} s, from "
        f"%{{customdata[0]}} to %{{customdata[1]}}<extra>{look.name}</extra>",
    }


def _left_out(figure: Figure, run: Run, scale: Scale | None) -> str:
    """What to say of the warm-up, which may reach beyond the top."""
    trails = [history.warm_up[figure.name] for history in run.histories.values()]
    highest = [trail.values if isinstance(trail, Points) else trail.greatest for trail in trails]
    early = np.fmax.reduce(np.concatenate([np.empty(0), *highest]), initial=-math.inf)
    if math.isinf(early):
        return ""
    text = "Dotted: the first second of a session, which the statistics leave out"
    if scale is None or early <= scale.greatest:
        return f"{text}."
    return f"{text}; it reaches up to {early:.{figure.places}f} {figure.unit}."


def _thinning(figure: Figure, run: Run) -> str:
    """How a chart over time was thinned out, if it was."""
    trails = [history.trails[figure.name] for history in run.histories.values()]
    seconds = [trail.seconds for trail in trails if isinstance(trail, Stretches)]
    if not seconds:
        return "Every answer is drawn."
    least, greatest = f"{min(seconds):.3g}", f"{max(seconds):.3g}"
    width = least if least == greatest else f"{least} to {greatest}"
    return (
        f"Thinned out: where a session has more than {MOST_POINTS:,} answers, its time is cut into "
        f"{STRETCHES} stretches (of {width} s); the line is at the mean of each, the bars reach "
        "from its least to its greatest value."
    )


def _filled(run: Run, counts: Callable[[History], Counts | None]) -> list[tuple[Look, Counts]]:
    """The counts of the sessions that have any."""
    found = [(look, counts(history)) for look, history in looks(run)]
    return [(look, each) for look, each in found if each is not None and each.total]


def _beyond(counts: list[tuple[Look, Counts]]) -> str:
    """How many values the bins leave out, if any."""
    beyond, total = (sum(getattr(each, name) for _, each in counts) for name in ("beyond", "total"))
    return f"{beyond:,} of {total:,} lie further to the right." if beyond else ""


def _path(look: Look, answers: Batch) -> Iterator[Trace]:
    ordered = answers.where(np.argsort(answers.since, kind="stable"))
    located = ordered.where(~np.isnan(ordered["true_x"]))
    if len(located):
        _, x, y = _with_gaps(located.since, located["true_x"], located["true_y"])
        line = look.trace("true", "lines", dash="solid", width=5)
        line["meta"]["colour"] = NEUTRAL
        yield {**line, "x": _values(x), "y": _values(y), "opacity": 0.45, "hoverinfo": "skip"}
    if len(ordered):
        yield {**look.trace("found", "markers"), **_places(look, ordered)}


def _rings(look: Look, answers: Batch) -> Iterator[Trace]:
    if len(answers):
        ring = {"size": 11, "symbol": "circle-open", "line": {"width": 1.5}}
        yield {**look.trace("worst", "markers"), "marker": ring, **_places(look, answers)}


def _places(look: Look, answers: Batch) -> Trace:
    """Where answers say that the ball is, and by how much they are wrong."""
    at, error = _values(answers["at"]), _values(answers["detection_error_px"])
    return {
        "x": _values(answers["x"]),
        "y": _values(answers["y"]),
        "customdata": list(zip(at, error, strict=True)),
        "hovertemplate": "found at (%{x}, %{y}), %{customdata[1]} px off, at %{customdata[0]:.3f} s"
        f"<extra>{look.name}</extra>",
    }


def _picture(width: int, height: int) -> dict[str, Any]:
    """Axes in OpenCV's convention: (0, 0) is the centre of the top left pixel, y goes down."""
    down = [height - 0.5, -0.5]
    return {
        "xaxis": _axis("x, px", range=[-0.5, width - 0.5], constrain="domain"),
        "yaxis": _axis("y, px", range=down, constrain="domain", scaleanchor="x"),
    }


def _broken(trail: Points) -> tuple[Floats, Floats]:
    at, values = _with_gaps(trail.at, trail.values)
    return at, values


def _with_gaps(at: Floats, *columns: Floats) -> list[Floats]:
    """Times and what belongs to them, with NaN where answers pause, so that lines break there."""
    steps = np.diff(at)
    usual = float(np.median(steps)) if len(steps) else 0.0
    pauses = np.flatnonzero(steps > max(_LEAST_PAUSE, 3 * usual)) + 1
    return [np.insert(column, pauses, math.nan) for column in (at, *columns)]
