"""Whether the instrument is right: known delays, and what is reported beside what recorded them.

A detector takes 20 ms and a relay holds every datagram for 30 ms, each a program that records what
it did. What they add to the figures, against the same run without them, has to be what they
recorded, in the part of the latency that is theirs.

A core that slept takes a tenth of a millisecond to wake, at each of five places on the way, and
there is more sleep between two of them where there are delays. So in both runs none sleeps.
"""

import os
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from statistics import median

import msgspec
from rich import box
from rich.table import Table

from ..errors import BallstreamError
from ..report.view import number
from .detour import Relay, detour, relay
from .known import VARIABLE
from .programs import running
from .run import Way, run_scenario
from .scenarios import Scenario

TOLERANCE_MS = 0.5
HOLD_MS = 30.0

_IDLE = "import os; os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))\nwhile True: pass"
"""A program that keeps a core awake and makes way for every other at once; see sched(7)."""

_PARTS = {
    "latency_ms": ("latency", ("down", "up", "detector")),
    "way_ms": ("server and network", ("down", "up")),
    "client_ms": ("client", ("detector",)),
    "detect_ms": ("of that the detector", ("detector",)),
}
"""The figures, what they are called, and whose delays belong in each."""


class Medians(msgspec.Struct, frozen=True):
    """Of one run, in ms: what was `reported`, by figure, and what was `recorded`, by witness."""

    reported: Mapping[str, float]
    recorded: Mapping[str, float]


class Part(msgspec.Struct, frozen=True):
    """A part of the latency in ms: without and with the delays, and what of them was recorded."""

    part: str
    without: float
    delayed: float
    recorded: float

    @property
    def reported(self) -> float:
        """What the delays added to the figure."""
        return self.delayed - self.without

    @property
    def agrees(self) -> bool:
        """Whether that is what their witnesses recorded."""
        return abs(self.reported - self.recorded) <= TOLERANCE_MS


async def prove(hold_ms: float, detector: str, duration: float) -> Medians:
    """Run the defaults with a relay and a detector that both record what they do.

    Raises BallstreamError where an end fails, or there is nothing to compare.
    """
    scenario = Scenario("proof", "", client=("--detector", f"ballstream.bench.known:{detector}"))
    with tempfile.TemporaryDirectory(prefix="ballstream-proof-") as folder:
        file = Path(folder) / "detector"
        async with _awake(), relay(hold_ms) as by:
            env = {VARIABLE: str(file)}
            run = await run_scenario(scenario, duration, env, _way_by(by))
            held = await by.held_ms()
        taken = [float(line) for line in file.with_name("detector.client").read_text().split()]
    recorded = {**held, "detector": taken}
    reported = {name: getattr(run.session, name).p50 for name in _PARTS}
    missing = [*(name for name in reported if reported[name] is None),
               *(name for name in recorded if not recorded[name])]  # fmt: skip
    if missing:
        raise BallstreamError(f"nothing to compare: there is no figure of {', '.join(missing)}")
    return Medians(reported, {name: median(values) for name, values in recorded.items()})


@asynccontextmanager
async def _awake() -> AsyncIterator[None]:
    """Let no core sleep."""
    async with AsyncExitStack() as stack:
        for _ in range(os.cpu_count() or 1):
            await stack.enter_async_context(running(_IDLE))
        yield


def _way_by(by: Relay) -> Way:
    def way(path: Path) -> AbstractAsyncContextManager[Path]:
        return detour(path, by)

    return way


def parts(without: Sequence[Medians], delayed: Sequence[Medians]) -> list[Part]:
    """The parts over several runs without delays and with them, at least one of each."""

    def recorded(runs: Sequence[Medians], witnesses: Sequence[str]) -> float:
        return median(sum(run.recorded[each] for each in witnesses) for run in runs)

    return [
        Part(
            words,
            median(run.reported[name] for run in without),
            median(run.reported[name] for run in delayed),
            recorded(delayed, witnesses) - recorded(without, witnesses),
        )
        for name, (words, witnesses) in _PARTS.items()
    ]


def proof_table(proved: Sequence[Part]) -> Table:
    """One row a part of the latency."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("part of the latency")
    for column in ("without", "with", "reported ms", "recorded ms", "agrees"):
        table.add_column(column, justify="right")
    for each in proved:
        figures = (each.without, each.delayed, each.reported, each.recorded)
        table.add_row(
            each.part, *(number(value, 2) for value in figures), "yes" if each.agrees else "NO"
        )
    return table
