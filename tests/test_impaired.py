"""Both programs, and the library, on an emulated network."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from programs import run, soon
from whep import serving_http

import ballstream
from ballstream import UsageError
from ballstream.config import IceServer
from ballstream.impairment import Direction, Impairment, parse_plan
from ballstream.impairment.emulation import Link

PLAN = parse_plan("delay=20ms,loss=2%")
TURN = IceServer("turn:127.0.0.1:9?transport=tcp", "user", ballstream.config.Secret("password"))


def unix(path: Path) -> tuple[str, ...]:
    return ("-s", "unix-socket", "--signaling-path", str(path))


async def loop(path: Path, server: tuple[str, ...], client: tuple[str, ...]) -> tuple[Any, Any]:
    """A session of two seconds; the documents of both ends."""
    flags = (*unix(path), "--json")
    async with (
        run("server", *flags, "--sessions", "1", *server) as ours,
        run("client", *flags, "--duration", "2", *client) as theirs,
    ):
        return await ours.report(60), await theirs.report(60)


def check_fates(link: dict[str, Any], direction: Direction, spec: str, seed: int) -> None:
    """The packets that were lost are those that the emulation says, of as many."""
    again: Link[None] = Link(parse_plan(spec), seed, direction)
    lost = sum(again.offer(None, 1, 0.0) is None for _ in range(link["packets"]))
    assert (link["lost"], link["queue_dropped"]) == (lost, 0)
    assert link["packets"] > 20


async def test_one_seed_loses_the_same_packets_and_the_client_knows_nothing(
    socket_path: Path,
) -> None:
    spec = "delay=20ms,loss=5%"
    sent = {}
    for redundancy in ("auto", "off"):
        ours = ("--impair", spec, "--impair-seed", "7", "--redundancy", redundancy)
        seen, told = await loop(socket_path, ours, ())
        network, (session,) = seen["impairment"], seen["sessions"]
        assert (network["spec"], network["seed"]) == (spec, 7)
        for direction in Direction:
            check_fates(network[direction], direction, spec, 7)
        assert session["latency_ms"]["p50"] >= 40
        assert session["frames_answered"] > 20
        assert told["impairment"] is None
        assert session["duplicates"] == 0
        sent[redundancy] = network["down"]["bytes"] / session["frames_sent"]
    assert sent["auto"] > 1.5 * sent["off"], "packets go out twice, for some are lost"


async def test_the_client_emulates_what_it_sends_as_up(socket_path: Path) -> None:
    seen, told = await loop(socket_path, (), ("--impair-up", "delay=30ms", "--impair-seed", "3"))
    network = told["impairment"]
    assert (network["spec"], network["seed"]) == ("down: delay=0ms | up: delay=30ms", 3)
    assert network["down"]["lateness_ms"]["n"] == 0
    assert network["up"]["lateness_ms"]["n"] > 50
    assert seen["impairment"] is None
    assert seen["sessions"][0]["latency_ms"]["p50"] >= 30


async def test_a_plan_begins_with_the_first_client_and_is_told_in_words(
    socket_path: Path, tmp_path: Path
) -> None:
    plan = "delay=5ms; delay=30ms@1s"
    async with (
        run(
            "server", *unix(socket_path), "--sessions", "1", "--impair", plan,
            "--output", str(tmp_path / "out"),
        ) as server,
        run("client", *unix(socket_path), "--duration", "3"),
    ):  # fmt: skip
        await server.says("emulated network, each way: delay=30ms")
        status, output = await server.ends()
    assert status == 0
    assert f"emulated network: {plan} (seed 0)\n  down: " in output
    page = (tmp_path / "out" / "report.html").read_text()
    assert f"<p>{plan} (seed 0)." in page
    assert re.findall(">(down|up): delay=30ms</td>", page) == ["down", "up"]


@pytest.mark.parametrize("spec", ["loss=90%", "rate=40kbit,queue=2s"])
async def test_a_network_on_which_nothing_lives_is_a_loss_and_no_crash(
    socket_path: Path, spec: str
) -> None:
    async with (
        run("server", *unix(socket_path), "--duration", "4", "--impair", spec) as server,
        run("client", *unix(socket_path), "--duration", "1"),
    ):
        status, output = await server.ends(60)
    assert status in (0, 1), "1 where a client was there and answered nothing"
    assert "Traceback" not in server.errors
    assert f"emulated network: {spec} (seed 0)" in output


async def test_page_and_metrics_say_which_network_it_is() -> None:
    async with serving_http("--impair", "delay=20ms,loss=2%") as served:
        async with served.http.get(f"{served.url}feed") as feed:
            await soon(feed.content.readline())
            line = json.loads(await soon(feed.content.readline()))
        assert line["impairment"] == "emulated network, each way: delay=20ms,loss=2%"
        async with served.http.get(f"{served.url}metrics") as metrics:
            text = await metrics.text()
        assert 'ballstream_impairment_packets_total{direction="down"} 0.0' in text


async def test_another_loop_is_a_usage_error(tmp_path: Path) -> None:
    network = Impairment(PLAN, PLAN)
    with pytest.raises(UsageError, match=r"loop_factory=ballstream\.impairment\.loop"):
        async with ballstream.Server(ballstream.ServerConfig(impairment=network)):
            pytest.fail("it began")
    with pytest.raises(UsageError, match=r"loop_factory=ballstream\.impairment\.loop"):
        async with ballstream.connect(f"unix:{tmp_path}/nobody", impairment=network):
            pytest.fail("it began")


def test_on_the_loop_the_library_emulates_by_itself() -> None:
    async def both() -> ballstream.Server:
        signaling = ballstream.Signaling(port=0)
        network = Impairment(PLAN, PLAN, seed=1)
        config = ballstream.ServerConfig(signaling, impairment=network)
        async with (
            ballstream.Server(config) as server,
            ballstream.connect(server.address) as link,
        ):
            await soon(anext(link.pictures))
        return server

    with asyncio.Runner(loop_factory=ballstream.impairment.loop) as runner:
        server = runner.run(both())
    assert server.emulation is not None
    assert server.emulation.steps() == []
    assert server.emulation.record().down.packets > 20
    assert server.emulation.links[Direction.UP].started_at is not None


def test_turn_over_tcp_is_refused_at_either_end(tmp_path: Path) -> None:
    network = ballstream.Network(ice_servers=(TURN,))
    impairment = Impairment(PLAN, PLAN)

    async def serve() -> None:
        config = ballstream.ServerConfig(network=network, impairment=impairment)
        async with ballstream.Server(config):
            pytest.fail("it began")

    async def watch() -> None:
        address = f"unix:{tmp_path}/nobody"
        async with ballstream.connect(address, network=network, impairment=impairment):
            pytest.fail("it began")

    for end in (serve, watch):
        with (
            asyncio.Runner(loop_factory=ballstream.impairment.loop) as runner,
            pytest.raises(UsageError, match="TURN over TCP would go around"),
        ):
            runner.run(end())


async def test_turn_over_tcp_that_the_server_names_is_refused() -> None:
    turn = ("--ice-server", "turn:user:password@127.0.0.1:9?transport=tcp")
    async with (
        serving_http(*turn) as served,
        run("client", "-s", "whep", "--url", served.whep, "--impair", "wifi") as client,
    ):
        status, _ = await client.ends()
    assert status == 2
    assert "turn:127.0.0.1:9?transport=tcp: TURN over TCP would go around" in client.errors
