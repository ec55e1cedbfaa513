"""The report of a run as one page of HTML, which needs nothing else to be read."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import jinja2
from plotly.offline import get_plotlyjs

from ..scoring.counts import Counts, counts_of, summed
from ..scoring.distribution import Statistics
from ..scoring.score import FIGURES, Figure, Loss
from . import charts
from .charts import Chart
from .history import CHARTED, Lines, Run, read
from .records import EmulatedNetwork, SessionReport

MOST_CHARTED = 12
"""Sessions that the charts show; the tables show all."""


@dataclass(frozen=True)
class _Section:
    """All about one figure."""

    figure: Figure
    sessions: Sequence[SessionReport]
    charted: bool
    charts: Sequence[Chart]

    @cached_property
    def statistics(self) -> list[tuple[int, Statistics]]:
        return [(session.id, getattr(session, self.figure.name)) for session in self.sessions]


def _section(figure: Figure, sessions: Sequence[SessionReport], run: Run) -> _Section:
    charted = figure.name in CHARTED
    return _Section(figure, sessions, charted, charts.of_figure(figure, run) if charted else [])


def render(
    config: Mapping[str, Any],
    environment: Mapping[str, Any],
    sessions: Iterable[SessionReport],
    lines: Lines,
    complete: bool = True,
    network: EmulatedNetwork | None = None,
) -> str:
    """The page of a server's run.

    `lines` are those of `estimates.csv`, and `complete` says whether they are all that there were;
    `network` is the one that was emulated.
    """
    ordered = sorted(sessions, key=lambda session: session.id)
    run = read(lines, ordered[:MOST_CHARTED])
    sections = [_section(figure, ordered, run) for figure in FIGURES]
    path = charts.path(run, config["size"])
    all_charts = [chart for section in sections for chart in section.charts]
    if network is not None:
        charts.mark_steps(all_charts, network.steps)
    all_charts += [path] if path.data else []
    return _template().render(
        fps=f"{config['fps']:g}",
        size=config["size"],
        config=dict(_flat(config)),
        environment=dict(_flat(environment)),
        counts=counts_of(SessionReport),
        losses=counts_of(Loss),
        sessions=ordered,
        overview=_overview(ordered),
        drawn=[look for look, _ in charts.looks(run)],
        complete=complete,
        network=None if network is None else network.record,
        steps=() if network is None else network.steps,
        sections=sections,
        path=path if path.data else None,
        charts=[asdict(chart) for chart in all_charts],
        plotly=get_plotlyjs() if all_charts else None,
    )


def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("ballstream", "report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["number"] = _number
    return environment.get_template("report.html.j2")


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Nested settings as names with dots, and values in words."""
    for key, value in settings.items():
        match value:
            case Mapping():
                yield from _flat(value, f"{prefix}{key}.")
            case [Mapping(), *_]:
                yield from _flat(
                    {str(place): each for place, each in enumerate(value)}, f"{prefix}{key}."
                )
            case _:
                yield f"{prefix}{key}", _in_words(value)


def _in_words(value: object) -> str:
    match value:
        case None | [] | "":
            return "none"
        case True:
            return "yes"
        case False:
            return "no"
        case [*several]:
            return ", ".join(map(_in_words, several))
        case _:
            return str(value)


def _number(value: float | None, places: int = 0) -> str:
    """A number for people, a dash where there is none."""
    return "\N{EN DASH}" if value is None else f"{value:,.{places}f}"


def _overview(sessions: Sequence[SessionReport]) -> list[tuple[str, str]]:
    """What to know first: names and values."""
    together = summed(sessions)
    share = together.answered_percent
    return [
        ("Sessions", _number(len(sessions))),
        *(
            (count.title, _number(getattr(together, name)))
            for name, count in counts_of(Counts).items()
            if count.live is not None
        ),
        ("Answered", _number(share, 1) if share is None else f"{_number(share, 1)} %"),
        *(
            (f"Median {each.title.lower()}", _medians(each, sessions))
            for each in FIGURES
            if each.name in CHARTED
        ),
    ]


def _medians(figure: Figure, sessions: Sequence[SessionReport]) -> str:
    """The median of a figure; of several sessions the least and the greatest."""
    medians = [getattr(session, figure.name).p50 for session in sessions]
    known = [median for median in medians if median is not None]
    if not known:
        return _number(None)
    least, greatest = (_number(choose(known), figure.places) for choose in (min, max))
    several = least if least == greatest else f"{least} \N{EN DASH} {greatest}"
    return f"{several}\N{NO-BREAK SPACE}{figure.unit}"
