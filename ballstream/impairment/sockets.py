"""An emulated network at the sockets: an event loop whose datagrams pass it.

All that WebRTC sends over UDP (STUN, DTLS, SRTP, SCTP, and TURN where it is over UDP) goes through
sockets that `create_datagram_endpoint` opens, so nothing else needs to know. TCP is left alone.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial
from itertools import pairwise
from typing import Any, TypeVar, cast

from ..errors import UsageError
from .conditions import Impairment, Outage
from .emulation import Direction, Link
from .record import ImpairmentRecord, active, record_of
from .selector import PreciseSelector

_MDNS_PORT = 5353
_DRAIN = 1.0
"""Seconds that the last datagrams of all have to leave in."""

HandOver = Callable[[], None]
P = TypeVar("P", bound=asyncio.BaseProtocol)


class Wire:
    """A link on an event loop: hands each datagram over when the link releases it."""

    def __init__(self, link: Link[HandOver], loop: asyncio.AbstractEventLoop) -> None:
        self.link = link
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None

    def carry(self, hand_over: HandOver, size: int) -> bool:
        """Take a datagram of some bytes; whether it will be handed over, perhaps before return."""
        taken = self.link.offer(hand_over, size, self._loop.time()) is not None
        self.deliver()
        return taken

    def _ring(self) -> None:
        self._timer = None
        self.deliver()

    def deliver(self) -> None:
        """Hand over what is due."""
        while (hand_over := self.link.release(self._loop.time())) is not None:
            try:
                hand_over()
            except Exception as error:  # of one receiver, which must not hold up the others
                message = "a datagram could not be handed over"
                self._loop.call_exception_handler({"message": message, "exception": error})
        due = self.link.next_release
        if self._timer is not None:
            if self._timer.when() == due:
                return
            self._timer.cancel()
        self._timer = None if due is None else self._loop.call_at(due, self._ring)


class Emulation:
    """The network that an event loop emulates; `emulate` makes it."""

    def __init__(
        self, impairment: Impairment, outgoing: Direction, loop: asyncio.AbstractEventLoop
    ) -> None:
        incoming = Direction.UP if outgoing is Direction.DOWN else Direction.DOWN
        self.impairment = impairment
        self.links: dict[Direction, Link[HandOver]] = {
            Direction.DOWN: Link(impairment.down, impairment.seed, Direction.DOWN),
            Direction.UP: Link(impairment.up, impairment.seed, Direction.UP),
        }
        self.outgoing = Wire(self.links[outgoing], loop)
        self.incoming = Wire(self.links[incoming], loop)
        self.lingering: set[asyncio.DatagramTransport] = set()
        """Sockets that are closed for their users, and from which datagrams still have to leave."""

        self.loop = loop

    def start(self) -> None:
        """Let the time of the plans begin now, unless it has begun: the first client is there."""
        now = self.loop.time()
        for link in self.links.values():
            link.start(now)

    def record(self) -> ImpairmentRecord:
        """What became of the datagrams so far."""
        return record_of(self.impairment, self.links)

    def active(self) -> str:
        """The present conditions in one line."""
        return active(self.links, self.loop.time())

    def steps(self) -> list[tuple[float, str]]:
        """When what changes: instants of the monotonic clock; empty before the start."""
        return sorted(
            (link.started_at + after.at, f"{direction}: {changes}")
            for direction, link in self.links.items()
            if link.started_at is not None
            for before, after in pairwise(link.plan.steps)
            if (changes := after.conditions.changes_from(before.conditions))
        )

    def outages(self) -> list[Outage]:
        """The times without a network in either direction, on the monotonic clock."""
        found = {
            Outage(link.started_at + since, None if until is None else link.started_at + until)
            for link in self.links.values()
            if link.started_at is not None
            for since, until in link.plan.outages
        }
        return sorted(found, key=lambda outage: (outage.since, outage.until or float("inf")))

    async def drain(self) -> None:
        """Let what is on its way out leave, for a second at most, and close what lingers."""
        try:
            last = self.outgoing.link.last_release
            if last is not None:
                await asyncio.sleep(min(last - self.loop.time(), _DRAIN))
                self.outgoing.deliver()
        finally:
            for transport in self.lingering:
                transport.abort()
            self.lingering.clear()


def described(emulation: Emulation | None) -> str:
    """The present conditions of the network that is emulated; empty where none is."""
    return "" if emulation is None else emulation.active()


class _Endpoint(asyncio.DatagramProtocol):
    """Stands between the transport of a socket and the protocol that its user gave."""

    def __init__(self, protocol: asyncio.BaseProtocol, emulation: Emulation) -> None:
        self.user = protocol
        self.protocol = cast(asyncio.DatagramProtocol, protocol)
        self.emulation = emulation
        self.transport: _Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = _Transport(cast(asyncio.DatagramTransport, transport), self)
        self.protocol.connection_made(self.transport)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        self.emulation.incoming.carry(partial(self._arrive, data, addr), len(data))

    def _arrive(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.protocol.datagram_received(data, addr)

    def error_received(self, exc: Exception) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.protocol.error_received(exc)

    def pause_writing(self) -> None:
        self.protocol.pause_writing()

    def resume_writing(self) -> None:
        self.protocol.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.transport is not None:
            self.transport.lost(exc)


class _Transport(asyncio.DatagramTransport):
    """What a protocol gets for its socket's transport.

    To close it does not hold up what it has sent: as in a real network, that is on its way.
    """

    def __init__(self, transport: asyncio.DatagramTransport, endpoint: _Endpoint) -> None:
        super().__init__()
        self._transport = transport
        self._protocol = endpoint.protocol
        self._emulation = endpoint.emulation
        self._under_way = 0
        self._closing = False

    def sendto(self, data: Any, addr: Any = None) -> None:
        if self._closing:
            return
        immutable = data if isinstance(data, bytes) else bytes(memoryview(data))
        self._under_way += 1
        if not self._emulation.outgoing.carry(partial(self._leave, immutable, addr), len(data)):
            self._under_way -= 1

    def _leave(self, data: bytes, addr: Any) -> None:
        self._under_way -= 1
        try:
            if not self._transport.is_closing():
                self._transport.sendto(data, addr)
        finally:
            self._close_when_idle()

    def _close_when_idle(self) -> None:
        if self._closing and not self._under_way:
            self._emulation.lingering.discard(self._transport)
            self._transport.close()

    def close(self) -> None:
        if not self._closing:
            self._emulation.loop.call_soon(self.lost, None)
            self._closing = True
            self._emulation.lingering.add(self._transport)
            self._close_when_idle()

    def abort(self) -> None:
        self._closing = True
        self._transport.abort()

    def lost(self, error: Exception | None) -> None:
        """Tell the protocol, once, that its connection is gone."""
        protocol, self._protocol = self._protocol, asyncio.DatagramProtocol()
        self._closing = True
        protocol.connection_lost(error)

    def is_closing(self) -> bool:
        return self._closing

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._transport.get_extra_info(name, default)


class EmulatingLoop(asyncio.SelectorEventLoop):
    """An event loop that can emulate a network; it wakes to a fraction of a millisecond."""

    def __init__(self) -> None:
        super().__init__(PreciseSelector())
        self.emulation: Emulation | None = None

    async def create_datagram_endpoint(
        self,
        protocol_factory: Callable[[], P],
        local_addr: tuple[str, int] | str | None = None,
        remote_addr: tuple[str, int] | str | None = None,
        **options: Any,
    ) -> tuple[asyncio.DatagramTransport, P]:
        """As of any event loop; what goes through it is impaired while a network is emulated."""
        emulation, open_one = self.emulation, super().create_datagram_endpoint
        if emulation is None or not _on_the_network(options.get("sock"), options.get("family")):
            return await open_one(protocol_factory, local_addr, remote_addr, **options)
        _, endpoint = await open_one(
            lambda: _Endpoint(protocol_factory(), emulation), local_addr, remote_addr, **options
        )
        assert endpoint.transport is not None
        return endpoint.transport, cast(P, endpoint.user)


def _on_the_network(opened: socket.socket | None, family: int | None) -> bool:
    """Whether a socket's datagrams go between the two ends; names are looked up at this one."""
    if opened is None:
        return family != socket.AF_UNIX
    return opened.family != socket.AF_UNIX and opened.getsockname()[1] != _MDNS_PORT


def loop() -> asyncio.AbstractEventLoop:
    """A loop that can emulate a network, for `asyncio.Runner(loop_factory=...)`."""
    return EmulatingLoop()


@asynccontextmanager
async def emulated(
    impairment: Impairment | None, outgoing: Direction, ice_servers: Iterable[str]
) -> AsyncIterator[Emulation | None]:
    """`emulate` as configured, which may be not at all.

    Raises UsageError also where what is sent through one of the ICE servers would go around.
    """
    if impairment is None:
        yield None
        return
    refuse_what_bypasses(ice_servers)
    async with emulate(impairment, outgoing) as emulation:
        yield emulation


@asynccontextmanager
async def emulate(impairment: Impairment, outgoing: Direction) -> AsyncIterator[Emulation]:
    """Let all UDP sockets that are opened within pass an emulated network.

    What this end sends goes the way of `outgoing`: down at a server, up at a client. Raises
    UsageError on an event loop that cannot, or that does already.
    """
    running = asyncio.get_running_loop()
    if not isinstance(running, EmulatingLoop):
        raise UsageError(
            "this event loop cannot emulate a network: "
            "run with asyncio.Runner(loop_factory=ballstream.impairment.loop)"
        )
    if running.emulation is not None:
        raise UsageError("this event loop emulates a network already: one is enough for all")
    running.emulation = emulation = Emulation(impairment, outgoing, running)
    try:
        yield emulation
    finally:
        running.emulation = None
        await emulation.drain()


def refuse_what_bypasses(ice_servers: Iterable[str]) -> None:
    """Raise UsageError where a URL of an ICE server (RFC 7065) means TURN over TCP."""
    for url in ice_servers:
        if url.startswith("turns:") or url.endswith("?transport=tcp"):
            raise UsageError(
                f"{url}: TURN over TCP would go around the emulated network: use transport=udp"
            )
