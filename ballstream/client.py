"""The client: a link, a detector's process, and a tally of what was answered."""

import asyncio
import time
from collections.abc import Callable

from . import trace
from .config import ClientConfig
from .connection import Connection, emulated, linked
from .endings import By, Ending, Reason, Stop, after, first_of
from .errors import BallstreamError, InternalFailure, PeerLost
from .impairment.sockets import Emulation
from .link.offerer import Link
from .protocol.frames import Image
from .protocol.planes import Planes
from .report.records import Progress, ReceptionReport
from .scoring.tally import Tally
from .vision.child import Sighting
from .vision.worker import DetectorWorker

_PICTURE_TIMEOUT = 10.0

OnAnswer = Callable[[float, Sighting], None]
"""Told of an answer that went out: seconds since the first picture, and what was seen."""


class Client:
    """Has every newest picture looked at, and says what was seen; one session with a server.

    `report` has its figures, also after a failure.
    """

    def __init__(self, config: ClientConfig, on_answer: OnAnswer | None = None) -> None:
        self.emulation: Emulation | None = None
        """The network that is emulated, from the beginning of the run on; None without."""

        self._config = config
        self._on_answer = on_answer
        self._tally = Tally()
        self._worker = DetectorWorker(
            config.detector, display=config.display, timeout=config.detector_timeout
        )
        self._link: Link[Planes | Image] | None = None
        self._ended_at: float | None = None

    async def run(self, stopping: Stop) -> Ending:
        """Offer, watch and answer until one of the two ends; returns how it ended.

        Raises SignalingError, NegotiationError, DetectorError, InternalFailure, or PeerLost where
        the server is lost, OSError where this machine refuses something; in any case no process,
        task or socket is left.
        """
        try:
            return await first_of(
                self._session(), after(stopping.wait(), Ending(By.CLIENT, Reason.STOPPED))
            )
        except (BallstreamError, OSError, ImportError):
            raise
        except Exception as error:
            raise InternalFailure("watching a server", error) from error

    async def _session(self) -> Ending:
        async with self._worker:
            try:
                async with emulated(self._config) as self.emulation:
                    return await self._over(self.emulation)
            finally:
                self._ended_at = time.monotonic()

    async def _over(self, emulation: Emulation | None) -> Ending:
        async with linked(self._config, _as_it_came, emulation) as connection:
            self._link = connection.link
            return await self._watch(connection)

    async def _watch(self, connection: Connection[Planes | Image]) -> Ending:
        link = connection.link
        window_closed = Ending(By.CLIENT, Reason.WINDOW_CLOSED)
        return await first_of(
            connection.ended,
            self._answer_all(link),
            self._time_out(link),
            after(self._worker.window_closed.wait(), window_closed),
            _expect_pictures(link, self._config),
        )

    async def _answer_all(self, link: Link[Planes | Image]) -> Ending:
        async for picture in link.pictures:
            self._tally.picture(time.monotonic())
            sighting = await self._worker.look(picture)
            if sighting is not None and not self._tally.is_repeated(sighting.frame):
                self._answer(link, sighting)
        return Ending(By.SERVER, Reason.CLOSED)

    def _answer(self, link: Link[Planes | Image], sighting: Sighting) -> None:
        frame, x, y, detect_ms = sighting.frame, sighting.x, sighting.y, sighting.detect_ms
        sent = link.answer(frame, x, y, detect_ms)
        now = time.monotonic()
        trace.mark("handed", frame, now - detect_ms / 1e3)
        trace.mark("seen", frame, now)
        self._tally.answer(x is not None, sent, detect_ms, now)
        if sent and self._on_answer is not None:
            self._on_answer(self._tally.seconds(now), sighting)

    async def _time_out(self, link: Link[Planes | Image]) -> Ending:
        """The end of `--duration`, which begins with the connection."""
        await link.opened.wait()
        await asyncio.sleep(self._config.duration or float("inf"))
        return Ending(By.CLIENT, Reason.TIME_UP)

    @property
    def progress(self) -> Progress | None:
        """How it stands; None before there is a session."""
        link = self._link
        if link is None:
            return None
        pictures, tally = link.pictures, self._tally
        detect_ms = tally.detect_ms.recent().p50
        return Progress(pictures.received, pictures.skipped, tally.sent, detect_ms, link.feedback)

    def report(self) -> ReceptionReport | None:
        """The figures of the session as the client sees it; None where there was none."""
        link, tally, worker = self._link, self._tally, self._worker
        if link is None:
            return None
        return ReceptionReport(
            id=1,
            transport=self._config.transport,
            codec=link.codec,
            seconds=tally.seconds(self._ended_at or time.monotonic()),
            frames_received=link.pictures.received,
            frames_skipped=link.pictures.skipped,
            frames_refused=link.pictures.refused + worker.refused,
            frames_lost=link.lost,
            breaks=link.breaks,
            estimates_sent=tally.sent,
            estimates_dropped=tally.dropped,
            not_found=tally.not_found,
            outside=worker.outside,
            unreadable=tally.unreadable + link.unreadable,
            repeated=tally.repeated,
            detector_errors=worker.errors,
            detector_restarts=worker.restarts,
            rejected=link.rejected,
            detect_ms=tally.detect_ms.statistics(),
        )


def _as_it_came(picture: Planes | Image) -> Planes | Image:
    """The detector's process decodes what has to be decoded."""
    return picture


async def _expect_pictures(link: Link[Planes | Image], config: ClientConfig) -> Ending:
    """Raise PeerLost where no picture comes after the connection was made."""
    await link.opened.wait()
    # A media server may have to be waited for, too.
    await asyncio.sleep(_PICTURE_TIMEOUT + (config.wait if config.watch else 0))
    if link.pictures.received == 0:
        where = "does any go to the media server" if config.watch else "does the server send video"
        raise PeerLost(f"connected, but no picture came: {where}?")
    return await after(asyncio.Event().wait(), Ending(By.NETWORK, Reason.FAILED))
