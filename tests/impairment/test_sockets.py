"""The event loop that emulates a network, with sockets on loopback."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import wraps
from typing import Any, cast

import pytest
from programs import soon

from ballstream import impairment
from ballstream.errors import UsageError
from ballstream.impairment.conditions import Impairment, Outage
from ballstream.impairment.emulation import Direction, Link
from ballstream.impairment.grammar import parse_plan
from ballstream.impairment.sockets import Emulation, emulate, refuse_what_bypasses


def on_an_emulating_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a test on the loop that it is about."""

    @wraps(test)
    def run(*args: Any, **options: Any) -> None:
        with asyncio.Runner(loop_factory=impairment.loop) as runner:
            runner.run(test(*args, **options))

    return run


def both_ways(spec: str, seed: int = 0) -> Impairment:
    return Impairment(parse_plan(spec), parse_plan(spec), seed)


class End(asyncio.DatagramProtocol):
    """Remembers what came, and when."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.instants: list[float] = []
        self.came = asyncio.Event()
        self.gone = asyncio.Event()
        self.losses: list[Exception | None] = []
        self.errors: list[Exception] = []
        self.transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.received.append(data)
        self.instants.append(asyncio.get_running_loop().time())
        self.came.set()

    def error_received(self, exc: Exception) -> None:
        self.errors.append(exc)

    def connection_lost(self, exc: Exception | None) -> None:
        self.losses.append(exc)
        self.gone.set()

    @property
    def address(self) -> tuple[str, int]:
        host, port = self.transport.get_extra_info("sockname")
        return host, port

    async def has(self, number: int) -> None:
        async with asyncio.timeout(30):
            while len(self.received) < number:
                self.came.clear()
                await self.came.wait()


async def bind(**options: Any) -> End:
    loop = asyncio.get_running_loop()
    options.setdefault("local_addr", ("127.0.0.1", 0))
    transport, end = await loop.create_datagram_endpoint(End, **options)
    assert transport is end.transport
    return end


@asynccontextmanager
async def two_ends() -> AsyncIterator[tuple[End, End]]:
    near, far = await bind(), await bind()
    try:
        yield near, far
    finally:
        for end in (near, far):
            end.transport.close()
            await soon(end.gone.wait())


async def test_another_loop_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot emulate a network"):
        async with emulate(Impairment(), Direction.DOWN):
            pass


@on_an_emulating_loop
async def test_two_networks_on_one_loop_are_refused_and_one_after_the_other_is_not() -> None:
    async with emulate(Impairment(), Direction.DOWN):
        with pytest.raises(UsageError, match="already"):
            async with emulate(Impairment(), Direction.DOWN):
                pass
    async with emulate(Impairment(), Direction.UP):
        pass


@on_an_emulating_loop
async def test_each_way_has_its_delay() -> None:
    network = Impairment(parse_plan("delay=30ms"), parse_plan("delay=10ms"))
    async with emulate(network, Direction.DOWN) as emulation:
        own = await bind()
    other = await bind()  # opened outside: on the far side of the network
    sent = asyncio.get_running_loop().time()
    own.transport.sendto(b"down", other.address)
    await other.has(1)
    assert other.instants[0] - sent >= 0.03
    sent = asyncio.get_running_loop().time()
    other.transport.sendto(b"up", own.address)
    await own.has(1)
    assert own.instants[0] - sent >= 0.01
    record = emulation.record()
    assert (record.down.packets, record.down.bytes) == (1, 4)
    assert (record.up.packets, record.up.bytes) == (1, 2)
    assert (record.down.lateness_ms.n, record.up.lateness_ms.n) == (1, 1)
    for end in (own, other):
        end.transport.close()
        await soon(end.gone.wait())


@on_an_emulating_loop
async def test_without_conditions_all_pass_at_once_and_in_order() -> None:
    async with emulate(Impairment(), Direction.DOWN) as emulation, two_ends() as (near, far):
        for place in range(100):
            near.transport.sendto(b"%d" % place, far.address)
        await far.has(100)
        assert far.received == [b"%d" % place for place in range(100)]
        assert emulation.record().up.packets == 100
        assert emulation.record().down.lateness_ms.n == 0


@on_an_emulating_loop
async def test_the_data_may_change_after_it_is_sent() -> None:
    async with emulate(both_ways("delay=5ms"), Direction.DOWN), two_ends() as (near, far):
        buffer = bytearray(b"before")
        near.transport.sendto(buffer, far.address)
        near.transport.sendto(memoryview(buffer), far.address)
        buffer[:] = b"after!"
        await far.has(2)
        assert far.received == [b"before"] * 2
        with pytest.raises(TypeError):
            near.transport.sendto("text", far.address)  # type: ignore[arg-type]


def fates(spec: str, seed: int, number: int) -> list[bytes]:
    """What arrives of numbered datagrams, over real sockets."""

    async def run() -> list[bytes]:
        network = Impairment(down=parse_plan(spec), seed=seed)
        async with emulate(network, Direction.DOWN) as emulation, two_ends() as (near, far):
            for place in range(number):
                near.transport.sendto(b"%d" % place, far.address)
                if place % 50 == 49:  # no more at once than the kernel's buffer takes
                    await far.has(place + 1 - emulation.record().down.lost)
            return far.received

    with asyncio.Runner(loop_factory=impairment.loop) as runner:
        return runner.run(run())


def test_one_seed_is_one_fate_over_sockets_too() -> None:
    first = fates("delay=20ms,loss=20%,burst=2", 5, 1000)
    assert fates("delay=3ms,loss=20%,burst=2", 5, 1000) == first
    assert fates("delay=3ms,loss=20%,burst=2", 6, 1000) != first
    pure: Link[bytes] = Link(parse_plan("loss=20%,burst=2"), 5, Direction.DOWN)
    assert first == [b"%d" % place for place in range(1000) if pure.offer(b"", 1, 0.0) is not None]


@on_an_emulating_loop
async def test_what_is_sent_before_closing_arrives() -> None:
    async with emulate(both_ways("delay=30ms"), Direction.DOWN) as emulation:
        near, far = await bind(), await bind()
        near.transport.sendto(b"goodbye", far.address)
        near.transport.close()
        near.transport.close()
        assert near.transport.is_closing()
        near.transport.sendto(b"too late", far.address)
        await soon(near.gone.wait())
        assert far.received == []
        assert len(emulation.lingering) == 1
        await far.has(1)
        assert emulation.lingering == set()
        assert far.received == [b"goodbye"]
        assert near.losses == [None]
        far.transport.close()


@on_an_emulating_loop
async def test_what_is_sent_before_the_end_leaves() -> None:
    far = await bind()
    async with emulate(Impairment(parse_plan("delay=30ms")), Direction.DOWN):
        near = await bind()
        near.transport.sendto(b"goodbye", far.address)
        near.transport.close()
    await far.has(1)
    far.transport.close()


@on_an_emulating_loop
async def test_what_would_take_too_long_at_the_end_does_not_leave() -> None:
    async with emulate(Impairment(parse_plan("delay=10s")), Direction.DOWN) as emulation:
        near = await bind()
        opened = near.transport.get_extra_info("socket")
        near.transport.sendto(b"goodbye", near.address)
        near.transport.close()
        assert opened.fileno() != -1
    assert emulation.lingering == set()
    await asyncio.sleep(0)
    assert opened.fileno() == -1


@on_an_emulating_loop
async def test_nothing_comes_to_one_that_has_closed() -> None:
    async with emulate(Impairment(up=parse_plan("delay=20ms")), Direction.DOWN) as emulation:
        near, far = await bind(), await bind()
        far.transport.sendto(b"x", near.address)
        far.transport.sendto(b"y", far.address)
        for _ in range(3):
            await asyncio.sleep(0)
        assert emulation.incoming.link.held == 2
        near.transport.close()
        await far.has(1)
        assert near.received == []
        far.transport.abort()
        await soon(far.gone.wait())
        assert far.losses == [None]


@on_an_emulating_loop
async def test_a_receiver_that_fails_does_not_hold_up_the_others() -> None:
    failures: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
    async with emulate(both_ways("delay=5ms"), Direction.DOWN), two_ends() as (near, far):

        def fail(data: bytes, addr: Any) -> None:
            far.came.set()
            raise ValueError("no such thing")

        far.datagram_received = fail  # type: ignore[method-assign]
        near.transport.sendto(b"x", far.address)
        near.transport.sendto(b"y", near.address)
        await near.has(1)
        await soon(far.came.wait())
    assert [str(context["exception"]) for context in failures] == ["no such thing"]


@on_an_emulating_loop
async def test_an_error_of_the_socket_is_passed_on() -> None:
    async with emulate(Impairment(), Direction.DOWN), two_ends() as (near, _):
        near.transport.sendto(b"x" * 70_000, near.address)
        assert len(near.errors) == 1


@on_an_emulating_loop
async def test_names_are_looked_up_without_the_network() -> None:
    async with emulate(both_ways("down"), Direction.DOWN) as emulation:
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        opened.bind(("127.0.0.1", 5353))
        end = await bind(sock=opened, local_addr=None)
        end.transport.sendto(b"who is it?", end.address)
        await end.has(1)
        end.transport.close()
        assert emulation.record().down.packets == 0


@on_an_emulating_loop
async def test_datagrams_within_the_machine_are_left_alone(tmp_path: Any) -> None:
    async with emulate(both_ways("down"), Direction.DOWN):
        path = str(tmp_path / "socket")
        end = await bind(local_addr=path, family=socket.AF_UNIX)
        end.transport.sendto(b"hello", path)
        await end.has(1)
        end.transport.close()


@on_an_emulating_loop
async def test_a_socket_of_the_user_s_own_is_impaired() -> None:
    async with emulate(both_ways("down"), Direction.DOWN) as emulation:
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        opened.bind(("127.0.0.1", 0))
        end = await bind(sock=opened, local_addr=None)
        end.transport.sendto(b"hello", end.address)
        assert emulation.record().down.lost == 1
        end.transport.close()


@on_an_emulating_loop
async def test_an_address_that_cannot_be_had_is_an_error_as_ever() -> None:
    async with emulate(Impairment(), Direction.DOWN):
        with pytest.raises(OSError, match="Cannot assign requested address"):
            await bind(local_addr=("192.0.2.1", 0))


@on_an_emulating_loop
async def test_a_plan_runs_from_the_first_client_on() -> None:
    network = Impairment(
        parse_plan("delay=1ms; loss=2%@10s; down@20s; up@23s"), parse_plan("down@20s")
    )
    async with emulate(network, Direction.DOWN) as emulation:
        assert (emulation.steps(), emulation.outages()) == ([], [])
        emulation.start()
        begun = started(emulation)
        emulation.start()
        assert started(emulation) == begun
        assert emulation.steps() == [
            (begun + 10, "down: loss=2%"),
            (begun + 20, "down: down"),
            (begun + 20, "up: down"),
            (begun + 23, "down: up"),
        ]
        assert emulation.outages() == [Outage(begun + 20, begun + 23), Outage(begun + 20, None)]
        assert emulation.active() == "emulated network: down delay=1ms, up clean"


def started(emulation: Emulation) -> float:
    at = emulation.outgoing.link.started_at
    assert at is not None
    assert emulation.incoming.link.started_at == at
    return at


@pytest.mark.parametrize("url", ["turn:host:3478?transport=tcp", "turns:host:5349"])
def test_what_goes_around_the_network_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="TURN over TCP would go around the emulated network"):
        refuse_what_bypasses(["stun:host:3478", url])


def test_what_goes_through_the_network_is_not_refused() -> None:
    refuse_what_bypasses(["stun:host:3478", "turn:host:3478", "turn:host:3478?transport=udp"])
