"""One peer connection with an owner who notices when the other end is gone."""

import asyncio
import logging
import time
from contextlib import suppress
from types import TracebackType
from typing import Self

from aiortc import (
    RTCConfiguration,
    RTCDtlsTransport,
    RTCIceServer,
    RTCIceTransportPolicy,
    RTCPeerConnection,
)
from aiortc.stats import RTCTransportStats

from ..config import Network
from ..errors import InternalFailure, PeerLost, PeerMisbehaves
from ..rate import RateLimit
from .guard import Guard
from .receiver import reading

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT = 12.0
"""Seconds from the answer until media must flow."""

SILENCE = 4.0
"""Seconds without a packet after which a peer counts as gone; reports come every second or so."""

STANDSTILL = 2.0
"""Seconds between two looks at a peer, beyond those meant, in which we did not run ourselves."""

CONSENT = 30.0
"""Seconds for which ICE goes on without the peer's consent: aioice asks every five, six times."""

_POLL = 0.5
_MOST_PACKETS = 5_000
"""Packets between two polls: ten times what 120 pictures of 1080p a second come in."""

_CLOSE_TIMEOUT = 3.0

_saying = RateLimit(per_second=1, burst=1)
"""All peers of a program stand still together: one of them says so."""


class Peer:
    """Owns an `RTCPeerConnection`; use as `async with`.

    WebRTC keeps a vanished peer for half a minute (RFC 7675) and one that never connects for
    ever; `watch` does not, where the peer has to be heard. Whatever the connection calls is to pass
    `guard`.
    """

    def __init__(self, network: Network) -> None:
        servers = [
            RTCIceServer(each.url, each.username, each.credential) for each in network.ice_servers
        ]
        policy = RTCIceTransportPolicy.RELAY if network.relay_only else RTCIceTransportPolicy.ALL
        self.connection = RTCPeerConnection(
            RTCConfiguration(iceServers=servers, iceTransportPolicy=policy)
        )
        self.heard_at = time.monotonic()
        """The instant at which the last packet from the peer was seen, to within a poll."""

        self.gives_signs = False
        """Whether the other end says something all the time, so that its silence means that it is
        gone; where there is media it always does."""

        self.guard = Guard()
        self._reading: set[asyncio.Future[None]] = set()
        """The tasks of aiortc that read what comes, once there is a connection."""

        self._changed = asyncio.Event()
        self.guard.on(
            self.connection, "connectionstatechange", self._changed.set, "noting a change of state"
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await close(self.connection)

    def heard(self) -> None:
        """Note that something came from the peer, where `watch` cannot see it.

        aiortc counts packets for connections with media only.
        """
        self.heard_at = time.monotonic()

    async def connected(self) -> None:
        """Wait for the connection; raises PeerLost where none comes about in time."""
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                while self.connection.connectionState in ("new", "connecting"):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            pass
        if self.connection.connectionState != "connected":
            raise PeerLost(
                "signalling worked but no media connection came about: is UDP blocked between "
                "the two ends? A TURN server can be a way around: see --ice-server, --relay-only"
            )
        # Once it is closed, they are no longer to be had.
        found = map(reading, transports(self.connection))
        self._reading = {each for each in found if each is not None}

    async def watch(self) -> None:
        """Return when the other end closes the connection.

        Raises PeerLost if it falls silent while we run, PeerMisbehaves if it floods us,
        InternalFailure where it was aiortc that fell over a packet.
        """
        received, packets = -1, 0
        self.heard_at = looked_at = silent_since = time.monotonic()
        while self.connection.connectionState == "connected":
            transport = await self._transport()
            now = time.monotonic()
            if now - looked_at - _POLL >= STANDSTILL:
                silent_since = now  # who could not listen has heard nothing of silence
                _say_standstill(now, now - looked_at)
            looked_at = now
            if transport is not None and transport.bytesReceived != received:
                received, self.heard_at = transport.bytesReceived, now
                if received and packets and transport.packetsReceived - packets > _MOST_PACKETS:
                    raise PeerMisbehaves("the other end floods the connection with packets")
                packets = transport.packetsReceived
            heard_always = transport is not None or self.gives_signs
            silent_since = max(silent_since, self.heard_at)
            if heard_always and now - silent_since >= SILENCE:
                raise PeerLost(f"nothing came from the other end for {SILENCE:g} s")
            self._changed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(_POLL):
                    await self._changed.wait()
        if self.connection.connectionState == "failed":
            # Until the last time that it gave its consent it was there, though it said nothing.
            self.heard_at = max(self.heard_at, time.monotonic() - CONSENT)
            raise PeerLost("the media connection broke")
        self._check_reading()

    def _check_reading(self) -> None:
        """Raise InternalFailure where it was aiortc that fell over a packet."""
        for task in self._reading:
            if task.done() and not task.cancelled() and (error := task.exception()):
                raise InternalFailure("reading packets", error) from error

    async def bytes_sent(self) -> int:
        """What went out so far, in bytes: media, reports and messages, encrypted."""
        transport = await self._transport()
        return 0 if transport is None else transport.bytesSent

    async def _transport(self) -> RTCTransportStats | None:
        for stats in (await self.connection.getStats()).values():
            if isinstance(stats, RTCTransportStats):
                return stats
        return None


def _say_standstill(now: float, seconds: float) -> None:
    if _saying.allows(now):
        logger.warning("this program itself stood still for %.1f s", seconds)


async def close(connection: RTCPeerConnection) -> None:
    """Close a connection for sure: where aiortc gives up half way, transport by transport."""
    try:
        async with asyncio.timeout(_CLOSE_TIMEOUT):
            await connection.close()
    except Exception:  # a connection that was never fully set up raises all sorts of things
        logger.debug("closing a connection failed", exc_info=True)
        for transport in transports(connection):
            with suppress(Exception):
                await transport.stop()
            with suppress(Exception):
                await transport.transport.stop()


def transports(connection: RTCPeerConnection) -> list[RTCDtlsTransport]:
    """Those that a connection goes over, one of them perhaps several times."""
    found = [transceiver.receiver.transport for transceiver in connection.getTransceivers()]
    return found if connection.sctp is None else [*found, connection.sctp.transport]
