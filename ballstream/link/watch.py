"""Pictures that come from somewhere else than the server: from a media server, again if need be."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import NamedTuple, Protocol

from aiortc import RTCRtpTransceiver

from ..config import IceServer, Network
from ..endings import first_of
from ..errors import BallstreamError, NoRoute, PeerLost, Unacceptable, Unavailable
from .negotiation import accept_answer, answer_sender, make_offer
from .peer import Peer
from .receiver import OnPicture, Reception, open_reception

logger = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 4.0

_PASSING = (Unavailable, PeerLost, NoRoute)
"""What another attempt may mend."""

AnswerCounter = Callable[[str], Awaitable[str]]
"""An offer's SDP in, the answer's out."""


class Showing(Protocol):
    """Whoever shows pictures to players that ask, for one session at a time."""

    ice_servers: tuple[IceServer, ...]
    """What it says that one can use to find a way to it."""

    async def exchange(self, offer: str, answer_counter: AnswerCounter) -> str | None:
        """Send an offer; the answer, or None where instead an offer came that was answered."""


Reach = Callable[[], AbstractAsyncContextManager[Showing]]
"""Finds one, for a session that ends with the context; raises Unavailable where nobody is there."""


class Watch:
    """Receives video from whoever `reach` finds there, and does so again where it is lost.

    `on_picture` gets the frames. Where nothing has come for `patience` seconds from the start on,
    it gives up; once something came it goes on for as long as it runs.

    It has nine fields, as here meet where the pictures come from and what has become of them.
    """

    def __init__(
        self,
        reach: Reach,
        network: Network,
        on_picture: OnPicture,
        patience: float,
        *,
        stock: bool,
    ) -> None:
        self.codec = ""
        """Of the video that came last."""

        self._reach = reach
        self._network = network
        self._on_picture = on_picture
        self._patience = patience
        self._stock = stock
        self._reception: Reception | None = None
        self._breaks = 0
        self._connections = 0

    @property
    def received_at(self) -> float | None:
        """The instant at which the last packet of the newest picture came."""
        return None if self._reception is None else self._reception.received_at

    @property
    def breaks(self) -> int:
        """How often the video went on with a keyframe after a loss."""
        return self._breaks + (0 if self._reception is None else self._reception.breaks)

    async def run(self) -> None:
        """Watch for ever; raises what cannot be mended, or lasts longer than the patience."""
        deadline = time.monotonic() + self._patience
        pause, said = _FIRST_PAUSE, ""
        while True:
            before = self._connections
            error = await self._try()
            if self._connections > before:
                pause, said = _FIRST_PAUSE, ""
            if not self._connections and time.monotonic() + pause > deadline:
                raise error
            if str(error) != said:
                said = str(error)
                logger.warning("no pictures come: %s; trying again", error)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _try(self) -> BallstreamError:
        """One session, until it ends; returns why it did, or did not begin."""
        try:
            async with self._reach() as showing:
                await self._watch(showing)
        except _PASSING as error:
            return error
        return PeerLost("the media server closed the connection")

    async def _watch(self, showing: Showing) -> None:
        network = self._network.or_by(showing.ice_servers)
        async with AsyncExitStack() as ways:
            way = await ways.enter_async_context(self._open_way(network))

            async def answer_counter(offer: str) -> str:
                nonlocal way
                await ways.aclose()  # a connection that made an offer can answer none
                way = await ways.enter_async_context(self._open_way(network))
                answer, self.codec = await answer_sender(way.peer.connection, offer, network)
                return answer

            offer = await make_offer(way.peer.connection, network)
            answer = await showing.exchange(offer, answer_counter)
            if answer is not None:
                self.codec = await accept_answer(way.peer.connection, answer)
            await self._receive(way)

    @asynccontextmanager
    async def _open_way(self, network: Network) -> AsyncIterator["_Way"]:
        async with Peer(network) as peer:
            video = peer.connection.addTransceiver("video", direction="recvonly")
            reception = open_reception(
                video.receiver, self._on_picture, peer.guard, stock=self._stock
            )
            yield _Way(peer, video, reception)

    async def _receive(self, way: "_Way") -> None:
        if way.video.currentDirection != "recvonly":
            raise Unacceptable("the media server answered, but sends no video")
        self._breaks, self._reception = self.breaks, way.reception
        await way.peer.connected()
        self._connections += 1
        await first_of(way.peer.guard.failure(), way.peer.watch(), way.reception.run())


class _Way(NamedTuple):
    """A connection that is to bring pictures, from its offer on."""

    peer: Peer
    video: RTCRtpTransceiver
    reception: Reception
