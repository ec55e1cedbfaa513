"""One client of the server: a connection that was answered, an intake of what it says, a score."""

import asyncio
import logging
import time
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from . import trace
from .config import ServerConfig
from .endings import By, Ending, Reason, after, first_of
from .errors import (
    BallstreamError,
    InternalFailure,
    PeerLost,
    PeerMisbehaves,
    Unacceptable,
)
from .impairment.sockets import Emulation
from .link.answerer import Answerer
from .link.source import Drawn
from .link.stage import Stage
from .report.endings import ended
from .report.observers import Observer
from .report.records import SessionReport
from .scoring.counts import counts_of
from .scoring.distribution import Statistics
from .scoring.intake import Intake
from .scoring.score import FIGURES, Scorer, Snapshot
from .signaling.messages import IncomingOffer

logger = logging.getLogger(__name__)

_FEEDBACK_PERIOD = 0.5

_NOTHING: dict[str, Any] = {
    "seconds": 0.0,
    "lost": None,
    **dict.fromkeys(counts_of(SessionReport), 0),
    **{each.name: Statistics(0) for each in FIGURES},
}
"""The counts and figures of a report that we fail to make."""


class Session:
    """Streams to one client and scores what it answers; `observer` is told.

    It is the listener of its connection. `name` is the client's own, if it has one; `emulation` the
    network that is emulated, if one is.

    It has nine fields, as here meet who the client is, the way to it, and what it says.
    """

    def __init__(
        self,
        number: int,
        name: str | None,
        config: ServerConfig,
        stage: Stage,
        observer: Observer,
        emulation: Emulation | None = None,
    ) -> None:
        self.number = number
        self.name = name
        self._observer = observer
        self._emulation = emulation
        self._origin = stage.origin
        self._scorer = Scorer(stage.motion.centre, config.size, stage.origin, config.fps)
        self._intake = Intake(self._scorer)
        self._answerer = Answerer(config.network, stage.streams, self)
        self._end: _End | None = None

    async def run(self, offer: IncomingOffer, stopping: asyncio.Event) -> None:
        """Answer the offer, and stream until one of the two ends; then nothing is left of it.

        Raises BallstreamError where the offer cannot be answered. From then on whatever happens is
        the session's ending, of which the observer is told once.
        """
        came = False
        try:
            async with self._answerer as answerer:
                answer = await answerer.answer(offer.sdp)
                offer.on_candidate = lambda candidate: answerer.add_candidate(*candidate)
                await offer.answer(answer)
                came = True
                self._observer.came(self)
                await self._stream_to_the_end(offer, stopping)
        except Exception as error:
            if not came:
                raise
            self._fail("ending a session", error)
        finally:
            if came:
                self._observer.ended(self, self._last_report())

    async def _stream_to_the_end(self, offer: IncomingOffer, stopping: asyncio.Event) -> None:
        ending = Ending(By.SERVER, Reason.STOPPED)  # if this task is cancelled
        try:
            ending = await self._stream(offer, stopping)
        finally:
            by_network = ending.by is By.NETWORK
            until = self._answerer.peer.heard_at if by_network else time.monotonic()
            self._end = _End(ending, until, await self._answerer.bytes_sent())
            if ending.reason is Reason.NOTHING_ASKED and ending.error is not None:
                await offer.refuse(ending.error)
            else:
                await offer.goodbye()

    async def _stream(self, offer: IncomingOffer, stopping: asyncio.Event) -> Ending:
        """Whatever ends the session, as a value."""
        goodbye = Ending(By.CLIENT, Reason.GOODBYE)
        stopped = Ending(By.SERVER, Reason.STOPPED)
        try:
            return await first_of(
                self._answerer.failure(),
                self._watch(),
                after(offer.gone.wait(), goodbye),
                after(stopping.wait(), stopped),
            )
        except InternalFailure as error:
            return Ending(By.SERVER, Reason.FAILED, error)
        except PeerLost as error:
            return Ending(By.NETWORK, Reason.FAILED, error)
        except BallstreamError as error:
            return Ending(By.CLIENT, Reason.FAILED, error)
        except Exception as error:
            logger.debug("a session failed", exc_info=True)
            return Ending(By.SERVER, Reason.FAILED, InternalFailure("serving a client", error))

    async def _watch(self) -> Ending:
        await self._answerer.open()
        if self._emulation is not None:
            self._emulation.start()
        return await first_of(self._answerer.closed(), self._give_feedback())

    def opened(self) -> None:
        """From now on the client can answer; only the first time counts."""
        self._scorer.opened(time.monotonic())

    def sent(self, drawn: Drawn) -> None:
        """The client gets a frame."""
        self._scorer.drawn(*drawn)

    def left_out(self, drawn: Drawn) -> None:
        """The client lagged, and does not get a frame."""
        self._scorer.dropped(*drawn)

    def joined(self, at: float) -> None:
        """From an instant on the client can answer what is published."""
        self._scorer.joined(at)

    def interrupted(self) -> None:
        """Nothing is published, until a frame is."""
        self._scorer.interrupted()

    def said(self, message: object, at: float) -> None:
        """Take what the client says; raises PeerMisbehaves where that is nothing but rubbish."""
        if self._end is not None:
            return
        verdict = self._intake.take(message, at)
        if self._intake.exhausted:
            raise PeerMisbehaves("the client sent nothing but rubbish")
        if self._intake.alive is not None:
            self._answerer.peer.gives_signs = True
        if verdict is not None:
            trace.mark("arrived", verdict.frame, at)
            self._observer.verdict(self, at - self._origin, verdict)

    async def _give_feedback(self) -> Ending:
        if not await self._answerer.settled():
            return Ending(By.CLIENT, Reason.NOTHING_ASKED, self._nothing_asked())
        if self.lacks_channel:
            self._observer.unheard(self)
        while True:
            await asyncio.sleep(_FEEDBACK_PERIOD)
            repeat = True if self._answerer.repeats else msgspec.UNSET
            self._answerer.say(msgspec.structs.replace(self._intake.feedback(), repeat=repeat))

    def _nothing_asked(self) -> Unacceptable:
        words = "the client opened neither video nor a channel for frames"
        if self._answerer.has_channel:  # which is enough where anything is published
            words += ", and nothing is published here: see --publish"
        return Unacceptable(words)

    @property
    def passive(self) -> bool:
        """Whether the client only watches: without datachannels there is nothing to score."""
        return self._answerer.passive

    @property
    def lacks_channel(self) -> bool:
        """Whether it had time to open a channel for its answers, and did not."""
        return self._answerer.lacks_channel

    @property
    def transport(self) -> str:
        """How frames go to the client: `track`, `datachannel`, or both with a plus between."""
        return self._answerer.transport

    def snapshot(self) -> Snapshot:
        """The figures at present."""
        return self._scorer.snapshot()

    def report(self) -> SessionReport:
        """The figures of the session, which has ended."""
        if self._end is None:
            raise RuntimeError("it has not ended")
        outages = () if self._emulation is None else self._emulation.outages()
        return SessionReport(
            id=self.number,
            transport=self.transport,
            codec=self._answerer.codec,
            client=self.name,
            channel=self._answerer.has_channel,
            ended=ended(self._end.ending),
            bytes_sent=self._end.bytes_sent,
            **msgspec.structs.asdict(self._scorer.total(self._end.at, outages)),
        )

    def _fail(self, doing: str, error: Exception) -> None:
        """Let the session be one that ended by a failure of ours."""
        logger.debug("failed while %s", doing, exc_info=error)
        failed = Ending(By.SERVER, Reason.FAILED, InternalFailure(doing, error))
        self._end = (
            _End(failed, time.monotonic(), 0)
            if self._end is None
            else replace(self._end, ending=failed)
        )

    def _last_report(self) -> SessionReport:
        """The report or, where we fail to make it, one of nothing but that."""
        try:
            return self.report()
        except Exception as error:
            failure = InternalFailure("adding a session up", error)
            logger.debug("adding a session up failed", exc_info=True)
            return SessionReport(
                id=self.number,
                transport="",
                codec="",
                client=self.name,
                ended=ended(Ending(By.SERVER, Reason.FAILED, failure)),
                **_NOTHING,
            )


@dataclass(frozen=True, slots=True)
class _End:
    """How a session ended, the instant up to which it counts, and what had gone out by then."""

    ending: Ending
    at: float
    bytes_sent: int
