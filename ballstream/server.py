"""The server: listens, runs a session for each client, and reports."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, assert_never

from .config import FrameCodec, ServerConfig, SignalingMethod, Web
from .errors import BallstreamError, Unavailable, UsageError
from .link.broadcast import Broadcast, ViewerTrack, can_hear_keyframe_requests
from .link.codec import Encoding, video_compressor
from .link.imagecodec import image_compressor
from .link.images import MAX_BUFFERED
from .link.track import BallTrack, OnFrame
from .protocol.frames import ImageCodec
from .report.folder import EstimateRows, OutputFolder
from .report.live import LiveView
from .report.observers import Observers
from .report.records import Ended, SessionReport
from .report.terminal import Terminal
from .scene.motion import Motion, bounce
from .scene.render import Scene
from .session import Session
from .signaling.exposure import check_exposure
from .signaling.messages import IncomingOffer
from .signaling.sockets import listen_tcp, listen_unix
from .signaling.terminal import listen_terminal
from .stopping import Stop

if TYPE_CHECKING:
    from .web.site import Site

logger = logging.getLogger(__name__)

_CLOSE_TIMEOUT = 5.0


class Server:
    """Takes clients until it is stopped; `reports` grows as their sessions end.

    Raises UsageError where the scene cannot be built, its frames not be sent, or a socket would be
    open to everyone.
    """

    def __init__(
        self, config: ServerConfig, stop: Stop, terminal: Terminal, output: OutputFolder | None
    ) -> None:
        self.reports: list[SessionReport] = []
        self._config = config
        self._stop = stop
        self._terminal = terminal
        check_exposure(config)
        bytes_raw = config.size[0] * config.size[1] * 3 // 2
        if config.frame_codec is FrameCodec.RAW and bytes_raw > MAX_BUFFERED:
            raise UsageError(
                f"raw frames may have {MAX_BUFFERED // 1000} kB: choose a smaller --size, such as "
                "320x240, or another --frame-codec"
            )
        motion = bounce(*config.size, config.radius, config.speed, config.seed)
        self._scene = Scene(motion, config.radius, config.stamp)
        self._origin = time.monotonic()
        pixels = config.size[0] * config.size[1]
        encoding = Encoding(config.codec, config.size, config.fps, config.bitrate)
        self._video = Broadcast(self._ball_track, partial(video_compressor, encoding), pixels)
        # Here the number travels beside the picture.
        plain = replace(self._scene, stamped=False)
        codec = ImageCodec[config.frame_codec.name]
        self._images = Broadcast(
            partial(self._ball_track, scene=plain),
            partial(image_compressor, codec, config.quality),
            pixels,
        )
        self._stock = config.stock or not can_hear_keyframe_requests()
        if self._stock and not config.stock:
            logger.warning("this aiortc lacks what one encoder for all needs; using its own")
        self._clients: set[asyncio.Task[None]] = set()
        self._sessions: dict[int, Session] = {}
        self._last_number = self._ended = 0
        self._site = None if config.web is None else self._make_site(config.web, motion)
        self._view = LiveView(terminal)
        self._observers = Observers(
            [
                *([] if output is None else [EstimateRows(output)]),
                *([] if self._site is None else self._site.observers),
                self._view,
            ]
        )

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
        return Site(config, settings, scene, self._accept, self._unready)

    def _ball_track(self, on_frame: OnFrame, scene: Scene | None = None) -> BallTrack:
        config = self._config
        return BallTrack(scene or self._scene, config.size, config.fps, self._origin, on_frame)

    def _viewer_track(self, on_frame: OnFrame, on_dropped: OnFrame) -> BallTrack | ViewerTrack:
        if self._stock:
            return self._ball_track(on_frame)
        return ViewerTrack(self._video, on_frame, on_dropped)

    async def run(self) -> None:
        """Serve until the stop is requested; then every session has ended and nothing is left."""
        view = asyncio.create_task(self._view.run())
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
            case SignalingMethod.TCP_SOCKET:
                listening = listen_tcp(signaling.host, signaling.port, self._accept, self._refused)
            case SignalingMethod.UNIX_SOCKET:
                listening = listen_unix(signaling.path, self._accept, self._refused)
            case SignalingMethod.COPY_AND_PASTE:
                lines = self._config.reporting.lines
                listening = listen_terminal(lines, self._accept, self._refused, self._stop)
            case SignalingMethod.WHEP:
                yield
                return
            case _:
                assert_never(signaling.method)
        async with listening as place:
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

    async def _accept(self, offer: IncomingOffer) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        try:
            if (reason := self._unready()) is not None:
                raise Unavailable(reason)
            await self._run_session(offer)
        except BallstreamError as error:
            self._refused(error)
            await offer.refuse(error)
        except Exception as error:
            _log_failure(error)
            failure = BallstreamError("the server failed")
            self._refused(failure)
            await offer.refuse(failure)
        finally:
            self._clients.discard(task)

    def _refused(self, error: BallstreamError) -> None:
        self._observers.refused(error)

    async def _run_session(self, offer: IncomingOffer) -> None:
        self._last_number += 1
        session = Session(
            self._last_number,
            self._config,
            self._scene,
            self._origin,
            self._viewer_track,
            self._images,
            self._observers,
        )
        self._sessions[session.number] = session
        offer.client = session.number
        ended = Ended("server", True, "the server failed")
        try:
            reason = await session.run(offer, self._stop)
            ended = Ended("client" if "client" in reason else "server", False, reason)
        except BallstreamError as error:
            if not session.answered:
                raise
            ended = Ended("client", False, str(error))
        except Exception as error:
            if not session.answered:
                raise
            _log_failure(error)
        finally:
            del self._sessions[session.number]
            if session.answered:
                self._note_end(session, ended)

    def _note_end(self, session: Session, ended: Ended) -> None:
        figures = session.report(ended)
        self._observers.ended(session, figures)
        if not figures.seconds:  # they are counted from the first frame on
            return
        if not session.passive:
            self.reports.append(figures)
        self._ended += 1
        if self._config.sessions is not None and self._ended >= self._config.sessions:
            self._stop()


def _log_failure(error: Exception) -> None:
    logger.error("a client's session failed: %s: %s", type(error).__name__, error)
    logger.debug("a client's session failed", exc_info=True)
