"""Measure what a media server adds, and leave it in docs/media-servers.json: `make media-servers`.

Janus, its bridge and its WHEP server have to run as docs/media-servers.md has it. Both programs run
as the benchmark runs them; the ways take turns.
"""

import argparse
import asyncio
import json
from pathlib import Path

import msgspec

from ballstream.bench.run import Run, run_scenario
from ballstream.bench.scenarios import SCENARIOS, Scenario, through
from ballstream.bench.table import figures
from ballstream.report.environment import environment

RESULTS = Path(__file__).with_name("media-servers.json")

_LOSS = ("--impair-down", "loss=2%", "--impair-seed", "1")


def ways(publish: str, watch: str) -> list[Scenario]:
    """What is compared: where the frames go, and on what network."""
    clean = SCENARIOS["clean"]
    lossy = Scenario("clean", clean.meaning, _LOSS)
    beside = Scenario("", "", ("--publish", publish))
    return [
        _named("direct", clean),
        _named("through Janus", through(clean, publish, watch)),
        _named("direct, 2 % lost", lossy),
        _named("through Janus, 2 % lost on the way to it", through(lossy, publish, watch)),
        _named("direct, and published beside", beside),
    ]


def _named(name: str, scenario: Scenario) -> Scenario:
    return Scenario(name, scenario.meaning, scenario.server, scenario.client)


async def measure(several: list[Scenario], repeat: int, duration: float) -> dict[str, list[Run]]:
    """The runs of each way."""
    runs: dict[str, list[Run]] = {each.name: [] for each in several}
    for turn in range(1, repeat + 1):
        for each in several:
            print(f"{each.name}, run {turn} of {repeat}", flush=True)
            runs[each.name].append(await run_scenario(each, duration))
    return runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--publish", default="http://127.0.0.1:7080/whip/1")
    parser.add_argument("--watch", default="http://127.0.0.1:7090/whep/endpoint/1")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--duration", type=float, default=10)
    given = parser.parse_args()
    runs = asyncio.run(measure(ways(given.publish, given.watch), given.repeat, given.duration))
    content = {
        "environment": environment(),
        "repeat": given.repeat,
        "duration": given.duration,
        "ways": {name: msgspec.to_builtins(figures(each)) for name, each in runs.items()},
    }
    RESULTS.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
