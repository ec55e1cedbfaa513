"""Both ends on machines of their own, with NAT, firewalls and TURN between them."""

import time
from typing import Any

import needs
import pytest
from networks import TURN_LOGIN, Machine, internet, turn_server
from programs import run

pytestmark = needs.namespaces

SERVER = ("-s", "whep", "--http", "0.0.0.0:8080", "--token", "sesame", "--json")


def client_of(address: str, *flags: str) -> tuple[str, ...]:
    url = f"http://{address}:8080/whep"
    return ("-s", "whep", "--url", url, "--token", "sesame", "--duration", "3", *flags)


def show(session: dict[str, Any]) -> None:
    """Print what `pytest -rP` then shows: how late the answers came, and what it took."""
    latency = session["latency_ms"]
    rate = 8 * session["bytes_sent"] / session["seconds"] / 1000
    print(f"latency p50 {latency['p50']:.1f} p95 {latency['p95']:.1f} ms, {rate:.0f} kbit/s sent")


async def close_the_loop(
    left: Machine,
    address: str,
    right: Machine,
    server_flags: tuple[str, ...] = (),
    client_flags: tuple[str, ...] = (),
) -> None:
    """Run the server on the left, the client on the right, and look at the score."""
    flags = (*SERVER, "--sessions", "1", *server_flags)
    async with run("server", *flags, within=left.within) as server:
        await server.says("the page is")
        async with run("client", *client_of(address, *client_flags), within=right.within) as client:
            assert (await client.ends())[0] == 0, client.errors
        (session,) = (await server.report())["sessions"]
    show(session)
    assert session["frames_answered"] >= 0.9 * session["frames_sent"] > 0


async def test_two_machines() -> None:
    with internet() as network:
        (left, address), (right, _) = network.attach("server"), network.attach("client")
        await close_the_loop(left, address, right)


async def test_a_client_behind_nat_reaches_a_server_in_the_open() -> None:
    with internet() as network:
        (left, address), (right, _) = network.attach("server"), network.attach_behind_nat("client")
        await close_the_loop(left, address, right)


@needs.coturn
async def test_two_machines_behind_nat_meet_at_a_turn_server() -> None:
    """The client gets to know of the TURN server from the server."""
    with internet() as network:
        left, address = network.attach_behind_nat("server", 8080)
        right, _ = network.attach_behind_nat("client")
        async with turn_server(network) as place:
            server = ("--ice-server", f"turn:{TURN_LOGIN}@{place}", "--relay-only")
            await close_the_loop(left, address, right, server, ("--relay-only",))


async def test_a_server_behind_nat_tells_where_it_can_be_reached() -> None:
    """As with published ports of a container: the router passes a range of UDP ports on."""
    with internet() as network:
        left, address = network.attach_behind_nat("server", 8080, udp="40000:40100")
        right, _ = network.attach("client")
        left("sysctl -qw 'net.ipv4.ip_local_port_range=40000 40100'")
        await close_the_loop(left, address, right, ("--advertise", address))


async def test_blocked_udp_is_named() -> None:
    with internet() as network:
        (left, address), (right, _) = network.attach("server"), network.attach("client")
        right("iptables -A OUTPUT -p udp -j DROP")
        async with run("server", *SERVER, within=left.within) as server:
            await server.says("the page is")
            started = time.monotonic()
            async with run("client", *client_of(address), within=right.within) as client:
                status, _ = await client.ends()
            assert time.monotonic() - started < 20
    assert status == 1
    assert "is UDP blocked" in client.errors
    assert "--ice-server" in client.errors


@needs.coturn
async def test_a_turn_server_that_refuses_is_named() -> None:
    with internet() as network:
        (left, address), (right, _) = network.attach("server"), network.attach("client")
        async with (
            turn_server(network) as place,
            run("server", *SERVER, within=left.within) as server,
        ):
            await server.says("the page is")
            wrong = ("--ice-server", f"turn:robot:leg@{place}", "--relay-only")
            async with run("client", *client_of(address, *wrong), within=right.within) as client:
                status, _ = await client.ends()
    assert status == 1
    assert f"the TURN server turn:{place} cannot be reached or refuses" in client.errors
    assert "--ice-server" in client.errors
    assert "leg" not in client.errors


@pytest.mark.parametrize("role", ["server", "client"])
async def test_relay_only_without_a_turn_server(role: str) -> None:
    with internet() as network:
        (left, address), (right, _) = network.attach("server"), network.attach("client")
        only = {role: ("--relay-only",)}
        async with run("server", *SERVER, *only.get("server", ()), within=left.within) as server:
            await server.says("the page is")
            flags = client_of(address, *only.get("client", ()))
            async with run("client", *flags, within=right.within) as client:
                status, _ = await client.ends()
    assert status == 1
    assert "--relay-only needs a TURN server" in client.errors
