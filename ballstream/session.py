"""One client of the server: a connection that was answered, what it says, and a score."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from . import trace
from .config import Network
from .endings import first_of
from .errors import PeerLost
from .link.answerer import Answerer, Streams
from .link.source import Drawn
from .report.records import SessionReport
from .scoring.intake import Intake
from .scoring.score import Scorer, Verdict
from .signaling.sockets import Answer, Bye, Channel, Offer, until_bye
from .stopping import Stop

_FEEDBACK_PERIOD = 0.5


@dataclass(frozen=True, slots=True)
class Service:
    """What a server has for each of its clients: the streams, and the truth about them.

    `centre` is the ball's at a time of the scene in seconds, `size` the picture's, and `origin` the
    instant of the monotonic clock at which the scene's time is 0. `on_verdict` is told of every
    estimate: the session's number, the scene's time of its arrival, and what it is worth.
    """

    streams: Streams
    network: Network
    centre: Callable[[float], tuple[float, float]]
    size: tuple[int, int]
    origin: float
    on_verdict: Callable[[int, float, Verdict], None]


class Session:
    """Streams to one client and scores what it answers."""

    def __init__(self, number: int, service: Service) -> None:
        self.number = number
        self.answered = False
        """Whether the offer was answered; from then on there is nothing to refuse."""

        self.scorer = Scorer(service.centre, service.size, service.origin)
        self._service = service
        self._intake = Intake(self.scorer)
        self._exhausted = asyncio.Event()
        self._answerer = Answerer(service.network, service.streams, self)
        self._end: _End | None = None

    async def run(self, signaling: Channel, offer: Offer, stop: Stop) -> str:
        """Answer the offer and stream until one of the two ends; returns why it ended.

        Raises NegotiationError where the offer cannot be used, PeerLost where the client is lost,
        and InternalFailure where we failed; in any case nothing of the session is left.
        """
        async with self._answerer as answerer:
            await signaling.send(Answer(await answerer.answer(offer.sdp)))
            self.answered = True
            until = None
            try:
                return await self._stream(signaling, stop)
            except PeerLost:
                until = answerer.peer.heard_at
                raise
            finally:
                until = until or time.monotonic()
                self._end = _End(until, await answerer.bytes_sent())
                await signaling.send(Bye())

    async def _stream(self, signaling: Channel, stop: Stop) -> str:
        goodbye, stopping = "the client said goodbye", "the server stops"
        opening = asyncio.ensure_future(self._answerer.open())
        first = await first_of({goodbye: until_bye(signaling), stopping: stop.wait(), "": opening})
        if first:
            return first
        if not opening.result():
            return "the client opened neither video nor a channel for frames"
        return await first_of(
            {
                goodbye: until_bye(signaling),
                stopping: stop.wait(),
                "the client closed the connection": self._answerer.closed(),
                "the client sent nothing but rubbish": self._exhausted.wait(),
                "": self._give_feedback(),
            }
        )

    def opened(self) -> None:
        """The client can get frames and answer them."""

    def sent(self, drawn: Drawn) -> None:
        """The client gets a frame."""
        self.scorer.drawn(*drawn)

    def left_out(self, drawn: Drawn) -> None:
        """The client does not get a frame."""

    def said(self, message: object, at: float) -> None:
        """The client said something, at an instant of the monotonic clock."""
        if self._end is not None:
            return
        verdict = self._intake.take(message, at)
        if self._intake.exhausted:
            self._exhausted.set()
        if self._intake.alive is not None:
            self._answerer.peer.gives_signs = True
        if verdict is not None:
            trace.mark("arrived", verdict.frame, at)
            self._service.on_verdict(self.number, at - self._service.origin, verdict)

    async def _give_feedback(self) -> None:
        while True:
            await asyncio.sleep(_FEEDBACK_PERIOD)
            self._answerer.say(self._intake.feedback())

    @property
    def passive(self) -> bool:
        """Whether the client only watches: without datachannels there is nothing to score."""
        return self._answerer.passive

    @property
    def transport(self) -> str:
        """How frames go to the client: `track`, `datachannel`, or both with a plus between."""
        return self._answerer.transport

    @property
    def dropped(self) -> int:
        """Frames that were left out because the client, or the way to it, did not keep up."""
        return self._answerer.dropped

    def report(self) -> SessionReport:
        """The figures of the session, which has ended."""
        end = self._end or _End(time.monotonic(), 0)
        return SessionReport(
            id=self.number,
            transport=self.transport,
            codec=self._answerer.codec,
            bytes_sent=end.bytes_sent,
            **msgspec.structs.asdict(self.scorer.total(end.at)),
        )


@dataclass(frozen=True, slots=True)
class _End:
    """The instant up to which a session counts, and what had gone out by then."""

    at: float
    bytes_sent: int
