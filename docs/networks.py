"""Measure the loop on bad networks, and leave it in docs/networks.json: `make networks`.

Both programs run as the benchmark runs them, once for each seed of the emulated network. What the
file has of other networks and ways stays.
"""

import argparse
import asyncio
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from ballstream import impairment
from ballstream.bench.run import Run, run_scenario
from ballstream.bench.scenarios import Scenario
from ballstream.errors import BallstreamError
from ballstream.report.environment import environment

RESULTS = Path(__file__).with_name("networks.json")


@dataclass(frozen=True, slots=True)
class Goals:
    """What is to be reached with redundancy: milliseconds, and of the held error a ratio.

    `held` is to that of the network named `clean`, which loses nothing.
    """

    p95: float | None = None
    p99: float | None = None
    gap: float | None = None
    recovery: float | None = None
    held: float | None = None
    clean: str | None = None


@dataclass(frozen=True, slots=True)
class BadNetwork:
    """What is emulated in each direction."""

    spec: str
    goals: Goals


NETWORKS = {
    "20 ms": BadNetwork("delay=20ms", Goals(48, 50, 60)),
    "20 ms, 2 %": BadNetwork("delay=20ms,loss=2%", Goals(50, 55, 80, None, 1.05, "20 ms")),
    "20 ms, 2 %, burst 5": BadNetwork("delay=20ms,loss=2%,burst=5", Goals(52, 140, 300)),
    "50 ms": BadNetwork("delay=50ms", Goals()),
    "50 ms, 5 %": BadNetwork("delay=50ms,loss=5%", Goals(112, 160, 160, None, 1.15, "50 ms")),
    "100 ms": BadNetwork("delay=100ms", Goals()),
    "100 ms, 2 %": BadNetwork("delay=100ms,loss=2%", Goals(210, 215, 100, None, 1.05, "100 ms")),
    "20 ms, down for 3 s": BadNetwork("delay=20ms; down@4s; up@7s", Goals(recovery=300)),
}

WAYS = {
    "with redundancy": Scenario("with redundancy", "the default"),
    "without": Scenario("without", "asked for only", ("--redundancy", "off")),
    "datachannel": Scenario("datachannel", "PNG", client=("--transport", "datachannel")),
    "stock": Scenario("stock", "aiortc's own", ("--stock",), ("--stock",)),
}


async def measure(network: BadNetwork, way: Scenario, seeds: int, duration: float) -> Any:
    """The medians over the seeds 1, 2 and so on; runs without an answer are counted apart."""
    runs = []
    failed = 0
    for seed in range(1, seeds + 1):
        flags = ("--impair", network.spec, "--impair-seed", str(seed))
        run = Scenario(way.name, way.meaning, (*way.server, *flags), way.client)
        try:
            runs.append(await run_scenario(run, duration))
        except BallstreamError as error:
            failed += 1
            print(f"  seed {seed}: {error}")
    return {"runs": len(runs), "failed": failed, "duration": duration, **_figures(runs)}


def _figures(runs: list[Run]) -> dict[str, float | None]:
    sessions = [run.session for run in runs]

    def middle(values: Iterable[float | None]) -> float | None:
        known = [each for each in values if each is not None]
        return round(median(known), 3) if known else None

    return {
        "lateness_p99": middle(run.lateness_p99_ms for run in runs),
        "p50": middle(each.latency_ms.p50 for each in sessions),
        "p95": middle(each.latency_ms.p95 for each in sessions),
        "p99": middle(each.latency_ms.p99 for each in sessions),
        "gap": middle(each.gaps.longest_ms for each in sessions),
        "recovery": middle(each.gaps.recovery_ms for each in sessions),
        "answered": middle(each.answered_percent for each in sessions),
        "held": middle(each.held_error_px.mean for each in sessions),
        "bytes_a_second": middle(each.bytes_sent / each.seconds for each in sessions),
    }


async def idle_lateness() -> Any:
    """How late datagrams are released in a process that does nothing else."""
    loop = asyncio.get_running_loop()
    plan = impairment.parse_plan("delay=20ms")
    network = impairment.Impairment(down=plan, up=plan)
    async with impairment.emulate(network, impairment.Direction.DOWN) as emulation:
        local = ("127.0.0.1", 0)
        far, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=local)
        address = far.get_extra_info("sockname")
        near, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=local)
        for _ in range(1000):
            near.sendto(b"a datagram", address)
            await asyncio.sleep(0.00937)
        near.close()
        far.close()
        lateness = emulation.record().down.lateness_ms
    return {"n": lateness.n, "p50": lateness.p50, "p99": lateness.p99}


async def measure_all(networks: list[str], ways: list[str], seeds: int, duration: float) -> None:
    """Measure each network in each way; the file is written after each."""
    kept = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    measured = kept.get("networks", {})
    lateness = await idle_lateness()
    print(f"lateness in a process that does nothing else: {lateness}")
    for name in networks:
        for way in ways:
            print(f"{name}, {way}")
            figures = await measure(NETWORKS[name], WAYS[way], seeds, duration)
            print(f"  {figures}")
            measured.setdefault(name, {})[way] = figures
            document = {
                "environment": environment(),
                "lateness": lateness,
                "goals": {each: asdict(network.goals) for each, network in NETWORKS.items()},
                "networks": {each: measured[each] for each in NETWORKS if each in measured},
            }
            RESULTS.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Measure what the flags name, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", action="append", choices=NETWORKS, help="all if not given")
    parser.add_argument("--way", action="append", choices=WAYS, help="all if not given")
    parser.add_argument("--seeds", type=int, default=9, help="how many, from 1 on")
    parser.add_argument("--duration", type=float, default=30, help="seconds that a run takes")
    wanted = parser.parse_args()
    networks, ways = wanted.network or list(NETWORKS), wanted.way or list(WAYS)
    with asyncio.Runner(loop_factory=impairment.loop) as runner:
        runner.run(measure_all(networks, ways, wanted.seeds, wanted.duration))


if __name__ == "__main__":
    main()
