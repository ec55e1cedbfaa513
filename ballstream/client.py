"""The client: receives the video, has every newest picture looked at, and sends what was seen."""

import asyncio
import time
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager, closing
from dataclasses import replace
from functools import partial
from typing import Any, assert_never

from aiortc import RTCDataChannel, RTCPeerConnection
from aiortc.sdp import SessionDescription
from av import VideoFrame

from . import trace
from .config import ClientConfig, Network, SignalingMethod, Transport
from .endings import first_of
from .errors import PeerLost, ProtocolError, SignalingError
from .link.images import ImageReception
from .link.negotiation import accept_answer, make_offer
from .link.peer import Peer
from .link.picture import planes_of_frame
from .link.receiver import Reception, receive
from .protocol import frames, messages
from .protocol.frames import Image
from .protocol.messages import Estimate, Feedback
from .report import view
from .report.folder import OutputFolder
from .report.records import ReceptionReport
from .report.terminal import Terminal
from .report.view import Cells
from .scoring.distribution import Distribution
from .scoring.score import WARM_UP
from .signaling.messages import Exchange
from .signaling.sockets import connect_tcp, connect_unix
from .signaling.terminal import connect_terminal
from .stopping import Stop
from .vision.child import Sighting
from .vision.worker import DetectorWorker

CSV_COLUMNS = ("session", "at", "frame", "x", "y", "detect_ms")

_VIDEO_TIMEOUT = 10.0
_MOST_BUFFERED = 16 * 1024


class Client:
    """One session with a server; `report` has its figures, also after a failure."""

    def __init__(
        self, config: ClientConfig, stop: Stop, terminal: Terminal, output: OutputFolder | None
    ) -> None:
        self._config = config
        self._stop = stop
        self._terminal = terminal
        self._output = output
        self.connected = False
        """Whether offer and answer were exchanged, so that there is a session to report."""

        self._codec = ""
        self._channel: RTCDataChannel | None = None
        self._worker: DetectorWorker | None = None
        self._feedback: Feedback | None = None
        self._video: Reception | None = None
        self._images: ImageReception | None = None
        self._stopped_by: str | None = None
        self._started: float | None = None
        self._ended: float | None = None
        self._received = self._sent = self._dropped = self._not_found = self._rejected = 0
        self._detect_ms = Distribution()

    async def run(self) -> str:
        """Offer, watch and answer until one of the two ends; returns why it ended.

        Raises SignalingError, NegotiationError, DetectorError, or PeerLost where the server is
        lost; in any case no process, task or socket is left.
        """
        ending = await first_of({"stopped": self._stop.wait(), "ended": self._session()})
        return ending if self._stopped_by is None else self._stopped_by

    async def _session(self) -> None:
        self._terminal.note("starting the detector, then waiting for the server")
        async with (
            DetectorWorker(
                self._config.detector, self._on_sighting, display=self._config.display
            ) as self._worker,
            _open_signaling(self._config) as signaling,
            Peer(self._network(signaling)) as peer,
        ):
            try:
                reception = await self._negotiate(peer, signaling)
                with closing(reception):
                    self._stopped_by = await self._watch(peer, signaling, reception)
            finally:
                self._ended = time.monotonic()
                await signaling.goodbye()

    def _network(self, signaling: Exchange) -> Network:
        """With the ICE servers of our flags, or else those that the server names."""
        network = self._config.network
        return replace(network, ice_servers=network.ice_servers or signaling.ice_servers)

    async def _negotiate(self, peer: Peer, signaling: Exchange) -> Coroutine[Any, Any, None]:
        """Settle everything with one offer; returns what receives the pictures until they end."""
        connection = peer.connection
        # The channels come first: what is there when the offer is made is part of it, and one
        # answer settles pictures and coordinates together.
        self._channel = connection.createDataChannel(messages.LABEL, **messages.CHANNEL_OPTIONS)
        self._channel.on("message", self._on_message)
        match self._config.transport:
            case Transport.DATACHANNEL:
                channel = connection.createDataChannel(frames.LABEL, **frames.CHANNEL_OPTIONS)
                self._images = ImageReception(channel, partial(self._on_image, peer))
                await self._exchange(connection, signaling)
                return self._images.run()
            case Transport.TRACK:
                return await self._negotiate_video(connection, signaling)
            case _:
                assert_never(self._config.transport)

    async def _negotiate_video(
        self, connection: RTCPeerConnection, signaling: Exchange
    ) -> Coroutine[Any, Any, None]:
        video = connection.addTransceiver("video", direction="recvonly")
        self._video = receive(video.receiver, self._on_picture, stock=self._config.stock)
        answer = await self._exchange(connection, signaling)
        if video.currentDirection != "recvonly":
            raise SignalingError("the server answered, but sends no video")
        self._codec = _codec_of(answer)
        return self._video.run(video.receiver.track)

    async def _exchange(self, connection: RTCPeerConnection, signaling: Exchange) -> str:
        answer = await signaling.exchange(await make_offer(connection, self._network(signaling)))
        await accept_answer(connection, answer)
        self.connected = True
        return answer

    async def _watch(
        self, peer: Peer, signaling: Exchange, reception: Coroutine[Any, Any, None]
    ) -> str:
        assert self._worker is not None
        goodbye = "the server said goodbye"
        first = await first_of({goodbye: signaling.gone.wait(), "": peer.connected()})
        return first or await first_of(
            {
                goodbye: signaling.gone.wait(),
                "the server closed the connection": peer.watch(),
                "the pictures ended": reception,
                "the time is up": self._time_out(),
                "the window was closed": self._worker.finished,
                "no video": self._expect_video(),
                "": self._refresh_view(),
            }
        )

    def _on_image(self, peer: Peer, image: Image) -> None:
        """Hand a picture that came as bytes to the detector's process, which decodes it."""
        assert self._worker is not None
        peer.heard()
        self._codec = image.codec.name
        self._count()
        self._worker.submit(image)

    def _count(self) -> None:
        if self._started is None:
            self._started = time.monotonic()
        self._received += 1

    def _on_picture(self, frame: VideoFrame) -> None:
        """Hand the newest picture to the detector."""
        assert self._worker is not None
        self._count()
        if frame.format.name not in ("yuv420p", "yuvj420p"):
            frame = frame.reformat(format="yuv420p")
        self._worker.submit(planes_of_frame(frame))

    def _on_sighting(self, sighting: Sighting) -> None:
        """Send an estimate the moment it is known."""
        trace.mark("handed", sighting.frame, time.monotonic() - sighting.detect_ms / 1e3)
        trace.mark("seen", sighting.frame)
        if self._started is not None and time.monotonic() - self._started >= WARM_UP:
            self._detect_ms.add(sighting.detect_ms)
        self._not_found += sighting.x is None
        estimate = Estimate(sighting.frame, sighting.x, sighting.y, round(sighting.detect_ms, 3))
        channel = self._channel
        if (
            channel is None
            or channel.readyState != "open"
            or channel.bufferedAmount > _MOST_BUFFERED
        ):
            self._dropped += 1
            return
        channel.send(messages.encode(estimate))
        self._sent += 1
        if self._output is not None:
            at = time.monotonic() - (self._started or 0)
            x, y = sighting.x, sighting.y
            self._output.add((1, round(at, 6), estimate.frame, x, y, estimate.detect_ms))

    def _on_message(self, text: object) -> None:
        try:
            self._feedback = messages.decode_feedback(text)
        except ProtocolError:
            self._rejected += 1

    async def _expect_video(self) -> None:
        """Raise PeerLost where no video comes after the connection was made."""
        await asyncio.sleep(_VIDEO_TIMEOUT)
        if self._received == 0:
            raise PeerLost("connected, but no picture came: does the server send video?")
        await asyncio.Event().wait()

    async def _time_out(self) -> None:
        if self._config.duration is None:
            await asyncio.Event().wait()
        else:
            await asyncio.sleep(self._config.duration)

    async def _refresh_view(self) -> None:
        while True:
            await asyncio.sleep(self._terminal.period)
            self._terminal.show([self._cells()])

    def _cells(self) -> Cells:
        return view.client_cells(
            self._received,
            self._worker.skipped if self._worker else 0,
            self._sent,
            self._detect_ms,
            self._feedback or Feedback(0, None, None),
        )

    def report(self) -> ReceptionReport:
        """The figures of the session as the client sees it."""
        worker = self._worker
        ended = self._ended or time.monotonic()
        return ReceptionReport(
            id=1,
            transport=self._config.transport,
            codec=self._codec,
            seconds=0.0 if self._started is None else ended - self._started,
            frames_received=self._received,
            frames_skipped=0 if worker is None else worker.skipped,
            frames_refused=0 if worker is None else worker.refused,
            frames_lost=0 if self._images is None else self._images.lost,
            breaks=0 if self._video is None else self._video.breaks,
            estimates_sent=self._sent,
            estimates_dropped=self._dropped,
            not_found=self._not_found,
            detector_errors=0 if worker is None else worker.errors,
            detector_restarts=0 if worker is None else worker.restarts,
            rejected=self._rejected + (self._images.rejected if self._images else 0),
            detect_ms=self._detect_ms.statistics(),
        )


def _open_signaling(config: ClientConfig) -> AbstractAsyncContextManager[Exchange]:
    signaling = config.signaling
    match signaling.method:
        case SignalingMethod.TCP_SOCKET:
            return connect_tcp(signaling.host, signaling.port, config.wait)
        case SignalingMethod.UNIX_SOCKET:
            return connect_unix(signaling.path, config.wait)
        case SignalingMethod.COPY_AND_PASTE:
            return connect_terminal(config.reporting.lines)
        case SignalingMethod.WHEP:
            from .web.player import connect_whep

            return connect_whep(config.url, config.token, config.wait)
        case _:
            assert_never(signaling.method)


def _codec_of(answer: str) -> str:
    """The name of the codec that an answer, which was accepted, settled on."""
    sections = SessionDescription.parse(answer).media
    return next(section.rtp.codecs[0].name for section in sections if section.kind == "video")
