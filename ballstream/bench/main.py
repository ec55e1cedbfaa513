"""From the flags of `ballstream-bench` to its table."""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress

import msgspec
from rich.console import Console
from rich.table import Table

from ..errors import BallstreamError
from ..impairment.presets import PRESETS
from ..report.environment import environment
from ..report.stdout import print_document, print_lines
from .config import BenchConfig
from .profile import profile, profile_table
from .proof import HOLD_MS, TOLERANCE_MS, Medians, parts, proof_table, prove
from .run import Run, run_scenario
from .scenarios import SCENARIOS, Scenario, through
from .table import results_document, results_table


def run_bench(config: BenchConfig) -> int:
    """Run scenarios in turn, as often as configured, and print what came of it."""
    on = environment()
    results = asyncio.run(_alternate(_scenarios(config), config.repeat, config.duration))
    if config.json:
        written = print_document(results_document(results, config.duration, on))
    else:
        written = print_lines(_drawn(results_table(results), 200))
    return 0 if written else 1


def _scenarios(config: BenchConfig) -> list[Scenario]:
    """What to run; where there is a media server, each also through that, right after."""
    scenarios = []
    for each in map(SCENARIOS.__getitem__, config.scenarios):
        scenarios.append(each)
        if config.publish is not None and config.watch is not None:
            scenarios.append(through(each, config.publish, config.watch))
    return scenarios


async def _alternate(
    scenarios: Sequence[Scenario], repeat: int, duration: float
) -> dict[str, list[Run]]:
    """Take turns between the scenarios, so that a slow minute of the machine hits all of them."""
    results: dict[str, list[Run]] = {each.name: [] for each in scenarios}
    for turn in range(1, repeat + 1):
        for each in scenarios:
            _say(f"{each.name}, run {turn} of {repeat}, {duration:g} s")
            results[each.name].append(await run_scenario(each, duration))
    return results


def run_profile(config: BenchConfig) -> int:
    """Profile the first scenario and print where the time goes."""
    name = config.scenarios[0]
    _say(f"profile of {name}, {config.duration:g} s, then the bare work")
    parts = asyncio.run(profile(SCENARIOS[name], config.duration))
    if not parts:
        raise BallstreamError("no frame went all the way round: nothing to profile")
    if config.json:
        written = print_document(msgspec.json.encode(parts).decode())
    else:
        written = print_lines(_drawn(profile_table(parts), 100))
    return 0 if written else 1


def _drawn(table: Table, width: int) -> list[str]:
    """A table in lines, drawn with signs and colours that standard output has."""
    console = Console(width=width)
    with console.capture() as captured:
        console.print(table)
    return captured.get().splitlines()


def run_proof(config: BenchConfig) -> int:
    """Compare known delays with what is reported of them; raises BallstreamError where they differ.

    The runs without delays and those with them take turns.
    """
    on = environment()
    without, delayed = asyncio.run(_prove(config.repeat, config.duration))
    proved = parts(without, delayed)
    agrees = all(each.agrees for each in proved)
    if config.json:
        content = {
            "proved": agrees,
            "parts": [
                {**msgspec.structs.asdict(each), "reported": each.reported} for each in proved
            ],
            "environment": on,
        }
        written = print_document(msgspec.json.format(msgspec.json.encode(content)).decode())
    else:
        written = print_lines(_drawn(proof_table(proved), 100))
    if not agrees:
        wrong = ", ".join(each.part for each in proved if not each.agrees)
        raise BallstreamError(
            f"not proved: off by more than {TOLERANCE_MS:g} ms in {wrong}; is the machine busy?"
        )
    _say(f"proved: what was reported is what was recorded, to within {TOLERANCE_MS:g} ms")
    return 0 if written else 1


async def _prove(repeat: int, duration: float) -> tuple[list[Medians], list[Medians]]:
    without, delayed = [], []
    for turn in range(1, repeat + 1):
        _say(f"without delays and with them, run {turn} of {repeat}, {duration:g} s each")
        without.append(await prove(0.0, "prompt", duration))
        delayed.append(await prove(HOLD_MS, "slow", duration))
    return without, delayed


def run_list() -> int:
    """Print what there is: scenarios, and networks by name."""
    networks = {name: f"{each.spec}: {each.description}" for name, each in PRESETS.items()}
    lines = (
        *_named("Scenarios", {each.name: each.meaning for each in SCENARIOS.values()}),
        *_named("Networks for --impair, delays one way", networks),
    )
    return 0 if print_lines(lines) else 1


def _named(title: str, named: Mapping[str, str]) -> list[str]:
    width = max(map(len, named))
    return [f"{title}:", *(f"  {name:<{width}}  {meaning}" for name, meaning in named.items())]


def _say(text: str) -> None:
    # What cannot be said is no reason to lose what is measured.
    with suppress(OSError, AttributeError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
