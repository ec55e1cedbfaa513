"""The client: has every newest picture looked at, and says what was seen."""

import asyncio
import time
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

from . import trace
from .config import ClientConfig, Network
from .endings import first_of
from .errors import PeerLost
from .link.offerer import Link, open_link
from .protocol.frames import Image
from .protocol.messages import Feedback
from .protocol.planes import Planes
from .report import view
from .report.folder import OutputFolder
from .report.records import ReceptionReport
from .report.terminal import Terminal
from .report.view import Cells
from .scoring.tally import Tally
from .signaling.sockets import Bye, Channel, Offer, ask, connect_tcp, connect_unix, until_bye
from .signaling.terminal import open_terminal
from .stopping import Stop
from .vision.child import Sighting
from .vision.worker import DetectorWorker

CSV_COLUMNS = ("session", "at", "frame", "x", "y", "detect_ms")

_VIDEO_TIMEOUT = 10.0


class Client:
    """One session with a server; `report` has its figures, also after a failure."""

    def __init__(
        self, config: ClientConfig, stop: Stop, terminal: Terminal, output: OutputFolder | None
    ) -> None:
        self._config = config
        self._stop = stop
        self._terminal = terminal
        self._output = output
        self._tally = Tally()
        self._worker = DetectorWorker(config.detector, display=config.display)
        self._link: Link[Planes | Image] | None = None
        self._ended_at: float | None = None

    @property
    def connected(self) -> bool:
        """Whether offer and answer were exchanged, so that there is a session to report."""
        return self._link is not None

    async def run(self) -> str:
        """Offer, watch and answer until one of the two ends; returns why it ended.

        Raises SignalingError, NegotiationError, DetectorError, InternalFailure, or PeerLost where
        the server is lost; in any case no process, task or socket is left.
        """
        session = asyncio.ensure_future(self._session())
        ending = await first_of({"stopped": self._stop.wait(), "": session})
        return ending or session.result()

    async def _session(self) -> str:
        self._terminal.note("starting the detector, then waiting for the server")
        async with self._worker, _open_signaling(self._config) as signaling:

            async def exchange(sdp: str) -> str:
                return (await ask(signaling, Offer(sdp))).sdp

            network = self._network(signaling)
            transport, stock = self._config.transport, self._config.stock
            try:
                async with open_link(
                    exchange, network, transport, stock=stock, convert=_as_it_came
                ) as self._link:
                    return await self._watch(self._link, signaling)
            finally:
                self._ended_at = time.monotonic()
                await signaling.send(Bye())

    def _network(self, signaling: Channel) -> Network:
        """With the ICE servers of our flags, or else those that the server names."""
        network = self._config.network
        return replace(network, ice_servers=network.ice_servers or signaling.ice_servers)

    async def _watch(self, link: Link[Planes | Image], signaling: Channel) -> str:
        goodbye = "the server said goodbye"
        first = await first_of({goodbye: until_bye(signaling), "": link.connected()})
        if first:
            return first
        closed = asyncio.ensure_future(link.closed())
        ending = await first_of(
            {
                goodbye: until_bye(signaling),
                "": closed,
                "the time is up": self._time_out(),
                "the window was closed": self._worker.window_closed.wait(),
                "the pictures ended": self._answer_all(link),
                "no video": _expect_video(link),
                "no view": self._refresh_view(link),
            }
        )
        return ending or closed.result()

    async def _answer_all(self, link: Link[Planes | Image]) -> None:
        async for picture in link.pictures:
            self._tally.picture(time.monotonic())
            sighting = await self._worker.look(picture)
            if sighting is not None:
                self._answer(link, sighting)

    def _answer(self, link: Link[Planes | Image], sighting: Sighting) -> None:
        frame, x, y, detect_ms = sighting.frame, sighting.x, sighting.y, sighting.detect_ms
        sent = link.answer(frame, x, y, detect_ms)
        now = time.monotonic()
        trace.mark("handed", frame, now - detect_ms / 1e3)
        trace.mark("seen", frame, now)
        self._tally.answer(x is not None, sent, detect_ms, now)
        if sent and self._output is not None:
            at = round(self._tally.seconds(now), 6)
            self._output.add((1, at, frame, x, y, round(detect_ms, 3)))

    async def _time_out(self) -> None:
        if self._config.duration is None:
            await asyncio.Event().wait()
        else:
            await asyncio.sleep(self._config.duration)

    async def _refresh_view(self, link: Link[Planes | Image]) -> None:
        while True:
            await asyncio.sleep(self._terminal.period)
            self._terminal.show([self._cells(link)])

    def _cells(self, link: Link[Planes | Image]) -> Cells:
        return view.client_cells(
            link.pictures.received,
            link.pictures.skipped,
            self._tally.sent,
            self._tally.detect_ms,
            link.feedback or Feedback(0, None, None),
        )

    def report(self) -> ReceptionReport:
        """The figures of the session as the client sees it."""
        link, tally, worker = self._link, self._tally, self._worker
        assert link is not None
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
            detector_errors=worker.errors,
            detector_restarts=worker.restarts,
            rejected=link.rejected,
            detect_ms=tally.detect_ms.statistics(),
        )


def _as_it_came(picture: Planes | Image) -> Planes | Image:
    """The detector's process decodes what has to be decoded."""
    return picture


async def _expect_video(link: Link[Planes | Image]) -> None:
    """Raise PeerLost where no picture comes after the connection was made."""
    await asyncio.sleep(_VIDEO_TIMEOUT)
    if link.pictures.received == 0:
        raise PeerLost("connected, but no picture came: does the server send video?")
    await asyncio.Event().wait()


def _open_signaling(config: ClientConfig) -> AbstractAsyncContextManager[Channel]:
    signaling = config.signaling
    match signaling.method:
        case "tcp-socket":
            return connect_tcp(signaling.host, signaling.port, config.wait)
        case "unix-socket":
            return connect_unix(signaling.path, config.wait)
        case "copy-and-paste":
            return open_terminal(config.reporting.lines)
        case _:
            from .web.player import connect_whep

            return connect_whep(config.url, config.token, config.wait)
