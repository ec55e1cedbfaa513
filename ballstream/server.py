"""The server: listens, runs a session for each client, and reports."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from .config import ServerConfig, Web
from .endings import first_of
from .errors import BallstreamError, InternalFailure, SignalingError, Unavailable, UsageError
from .link.answerer import Streams
from .link.broadcast import Broadcast, can_hear_keyframe_requests
from .link.codec import Encoding, video_compressor
from .link.imagecodec import image_compressor
from .link.images import MAX_BUFFERED
from .link.source import BallSource
from .protocol.frames import ImageCodec
from .report import records as report
from .report.folder import OutputFolder
from .report.records import SessionReport
from .report.terminal import Terminal
from .report.view import server_cells
from .scene.motion import Motion, bounce
from .scene.render import Scene
from .scoring.score import Verdict
from .session import Service, Session
from .signaling.sockets import Bye, Channel, Offer, listen_tcp, listen_unix
from .signaling.terminal import open_terminal
from .stopping import Stop

if TYPE_CHECKING:
    from .web.site import Site

logger = logging.getLogger(__name__)

_MOST_WAITING = 64
_CLOSE_TIMEOUT = 5.0


class Server:
    """Takes clients until it is stopped; `reports` grows as their sessions end.

    Raises UsageError where the scene cannot be built or its frames not be sent.
    """

    def __init__(
        self, config: ServerConfig, stop: Stop, terminal: Terminal, output: OutputFolder | None
    ) -> None:
        self.reports: list[SessionReport] = []
        self._config = config
        self._stop = stop
        self._terminal = terminal
        self._output = output
        if config.frame_codec == "raw" and config.size[0] * config.size[1] * 3 // 2 > MAX_BUFFERED:
            raise UsageError(
                f"raw frames may have {MAX_BUFFERED // 1000} kB: choose a smaller --size, such as "
                "320x240, or another --frame-codec"
            )
        motion = bounce(*config.size, config.radius, config.speed, config.seed)
        self._origin = time.monotonic()
        scene = Scene(motion, config.radius, config.stamp)
        self._video = Broadcast(
            self._source(scene),
            partial(
                video_compressor, Encoding(config.codec, config.size, config.fps, config.bitrate)
            ),
            config.size[0] * config.size[1],
        )
        codec = ImageCodec[config.frame_codec.upper()]
        self._images = Broadcast(
            # Here the number travels beside the picture.
            self._source(replace(scene, stamped=False)),
            partial(image_compressor, codec, config.quality),
            config.size[0] * config.size[1],
        )
        stock = config.stock or not can_hear_keyframe_requests()
        if stock and not config.stock:
            logger.warning("this aiortc lacks what one encoder for all needs; using its own")
        streams = Streams(
            self._source(scene),
            None if stock else self._video,
            config.codec,
            self._images,
            codec.name,
        )
        self._service = Service(
            streams, config.network, motion.centre, config.size, self._origin, self._on_verdict
        )
        self.failed = False
        """Whether a session ended by a failure of our own."""

        self._clients: set[asyncio.Task[None]] = set()
        self._sessions: dict[int, Session] = {}
        self._last_number = self._ended = 0
        self._site = None if config.web is None else self._make_site(config.web, motion)

    def _make_site(self, settings: Web, motion: Motion) -> "Site":
        from .web.site import Site  # who needs no HTTP need not wait for it to load

        config = self._config
        scene = {
            "width": config.size[0],
            "height": config.size[1],
            "fps": config.fps,
            "radius": config.radius,
            "motion": motion,
        }
        return Site(config, settings, scene, self._accept, self._unready, self._sessions.values)

    def _source(self, scene: Scene) -> BallSource:
        config = self._config
        return BallSource(scene, config.size, config.fps, self._origin)

    async def run(self) -> None:
        """Serve until the stop is requested; then every session has ended and nothing is left."""
        view = asyncio.create_task(self._refresh_view())
        try:
            async with self._video, self._images, self._listening(), self._serving_web():
                await self._stop.wait()
                # The stop ends the sessions; what hangs in spite of it is cut off with the
                # listening.
                if self._clients:
                    await asyncio.wait(self._clients, timeout=_CLOSE_TIMEOUT)
        finally:
            view.cancel()
            await asyncio.gather(view, return_exceptions=True)

    @asynccontextmanager
    async def _listening(self) -> AsyncIterator[None]:
        signaling = self._config.signaling
        match signaling.method:
            case "tcp-socket":
                place = f"{signaling.host}:{signaling.port}"
                listening = listen_tcp(signaling.host, signaling.port, self._accept)
            case "unix-socket":
                place = str(signaling.path)
                listening = listen_unix(signaling.path, self._accept)
            case "copy-and-paste":
                place = "this terminal"
                listening = self._at_terminal()
            case _:
                yield
                return
        async with listening:
            self._terminal.note(f"waiting for clients at {place} ({signaling.method})")
            yield

    @asynccontextmanager
    async def _serving_web(self) -> AsyncIterator[None]:
        if self._site is None:
            yield
            return
        async with self._site.serving() as address:
            self._terminal.note(f"waiting for clients at {address}whep; the page is {address}")
            yield

    def _unready(self) -> str | None:
        """Why there can be no further session at present; None where there can."""
        if self._stop.requested:
            return "the server is about to end"
        if len(self._sessions) >= self._config.max_sessions:
            return f"the server is full ({self._config.max_sessions} sessions)"
        return None

    @asynccontextmanager
    async def _at_terminal(self) -> AsyncIterator[None]:
        async with open_terminal(self._config.reporting.lines) as channel:

            async def take_turns() -> None:
                while await self._serve(channel):
                    pass
                self._stop()

            task = asyncio.create_task(take_turns())
            self._clients.add(task)
            try:
                yield
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def _accept(self, channel: Channel) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self._clients) - len(self._sessions) >= _MOST_WAITING:
            await channel.refuse(Unavailable("too many clients wait here; try again"))
            return
        self._clients.add(task)
        try:
            await self._serve(channel)
        finally:
            self._clients.discard(task)

    async def _serve(self, channel: Channel) -> bool:
        """Run the session of whoever is at the other end; False where nobody is."""
        try:
            offer = await self._first_offer(channel)
            if offer is None:
                return False
            if (reason := self._unready()) is not None:
                raise Unavailable(reason)
            await self._run_session(channel, offer)
        except BallstreamError as error:
            await self._refuse(channel, error)
            self._terminal.note(f"refused a client: {error}")
        except Exception as error:
            logger.error("a client's session failed: %s: %s", type(error).__name__, error)
            logger.debug("a client's session failed", exc_info=True)
            await self._refuse(channel, BallstreamError("the server failed"))
        return True

    async def _refuse(self, channel: Channel, error: BallstreamError) -> None:
        if self._site is not None:
            self._site.metrics.refused()
        await channel.refuse(error)

    async def _first_offer(self, channel: Channel) -> Offer | None:
        """The client's offer, or None if it hangs up or the server stops."""
        reading = asyncio.create_task(_read_offer(channel))
        try:
            async with asyncio.timeout(channel.patience):
                await first_of({"offer": reading, "stop": self._stop.wait()})
        except TimeoutError:
            raise SignalingError(f"no offer within {channel.patience:g} s") from None
        return None if reading.cancelled() else reading.result()

    async def _run_session(self, channel: Channel, offer: Offer) -> None:
        self._last_number += 1
        session = Session(self._last_number, self._service)
        self._sessions[session.number] = session
        channel.client = session.number
        try:
            reason = await session.run(channel, offer, self._stop)
        except BallstreamError as error:
            if not session.answered:
                raise
            self.failed |= isinstance(error, InternalFailure)
            reason = str(error)
        finally:
            del self._sessions[session.number]
            if session.scorer.frames_sent:
                self._note_end(session)
        dropped = f"; {session.dropped} frames were left out for it" if session.dropped else ""
        self._terminal.note(f"client {session.number} is gone: {reason}{dropped}")

    def _note_end(self, session: Session) -> None:
        figures = session.report()
        if not session.passive:
            self.reports.append(figures)
        if self._site is not None:
            self._site.metrics.ended(session, figures.frames_lost)
        self._ended += 1
        if self._config.sessions is not None and self._ended >= self._config.sessions:
            self._stop()

    def _on_verdict(self, session: int, at: float, verdict: Verdict) -> None:
        if self._site is not None:
            self._site.observe(session, verdict)
        if self._output is not None:
            self._output.add(report.csv_row(session, at, verdict))

    async def _refresh_view(self) -> None:
        while True:
            await asyncio.sleep(self._terminal.period)
            self._terminal.show(
                [
                    server_cells(f"client {number}", session.scorer)
                    for number, session in self._sessions.items()
                    if not session.passive
                ]
            )


async def _read_offer(channel: Channel) -> Offer | None:
    message = await channel.receive()
    if isinstance(message, Bye):  # of a session that had ended without it
        message = await channel.receive()
    if message is not None and not isinstance(message, Offer):
        raise SignalingError("the first message must be an offer")
    return message
