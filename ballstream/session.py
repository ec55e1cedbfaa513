"""One client of the server: its connection, its track, its score."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

import msgspec
from aiortc import RTCDataChannel

from . import trace
from .config import ServerConfig
from .endings import first_of
from .errors import PeerLost, ProtocolError
from .link.broadcast import Broadcast, ViewerTrack
from .link.images import ImageSender, Messages
from .link.negotiation import add_candidate, answer_offer, send_track, wants_video
from .link.peer import Peer
from .link.track import BallTrack, OnFrame
from .protocol import frames, messages
from .protocol.messages import Feedback
from .rate import RateLimit
from .report.records import SessionReport
from .scene.render import Scene
from .scoring.score import Scorer, Verdict
from .signaling.messages import IncomingOffer
from .stopping import Stop

_FEEDBACK_PERIOD = 0.5
_CHANNEL_TIMEOUT = 2.0
_CLOSE_GRACE = 0.5
_MESSAGES_PER_SECOND = 500
_REFUSED_PER_SECOND, _MOST_REFUSED = 10, 5_000


class Session:
    """Streams the scene to one client and scores what it answers.

    `origin` is the instant of the monotonic clock at which the scene's time is 0; `on_verdict` is
    told of every estimate with the scene's time of its arrival. `make_track` makes the track to
    send, which reports the frames that this client gets; `images` is what goes out on a datachannel
    to a client that opens one for it.
    """

    def __init__(
        self,
        number: int,
        config: ServerConfig,
        scene: Scene,
        origin: float,
        make_track: Callable[[OnFrame], BallTrack | ViewerTrack],
        images: Broadcast[Messages],
        on_verdict: Callable[[int, float, Verdict], None],
    ) -> None:
        self.number = number
        self.answered = False
        """Whether the offer was answered; from then on there is nothing to refuse."""

        self.scorer = Scorer(scene.motion.centre, config.size, origin)
        self._config = config
        self._origin = origin
        self._on_verdict = on_verdict
        self._make_track = make_track
        self._images = images
        self._sources: list[BallTrack | ViewerTrack | ImageSender] = []
        self._transports: dict[str, str] = {}
        self._peer: Peer | None = None
        self._rate = RateLimit(_MESSAGES_PER_SECOND, _MESSAGES_PER_SECOND)
        self._patience = RateLimit(_REFUSED_PER_SECOND, _MOST_REFUSED)
        self._flooded = asyncio.Event()
        self._failed = asyncio.Event()
        self._released = False
        self._ready = asyncio.Event()
        self._channel: RTCDataChannel | None = None
        self._sender: ImageSender | None = None
        self._until: float | None = None
        self._bytes_sent = 0

    async def run(self, offer: IncomingOffer, stop: Stop) -> str:
        """Answer the offer and stream until one of the two ends; returns why it ended.

        Raises NegotiationError where the offer cannot be used and PeerLost where the client is
        lost; in either case nothing of the session is left.
        """
        try:
            async with Peer(self._config.network) as peer:
                self._peer = peer
                peer.connection.on("datachannel", self._on_datachannel)
                if wants_video(offer.sdp):
                    self._add_video(peer)
                sdp = await answer_offer(peer.connection, offer.sdp, self._config.network)
                offer.on_candidate = lambda each: add_candidate(peer.connection, *each)
                await offer.answer(sdp)
                self.answered = True
                try:
                    return await self._stream(peer, offer, stop)
                except PeerLost:
                    self._until = peer.heard_at
                    raise
                finally:
                    self._until = self._until or time.monotonic()
                    self._bytes_sent = await self._count_bytes(peer)
                    await offer.goodbye()
        finally:
            for source in self._sources:
                source.stop()

    async def _count_bytes(self, peer: Peer) -> int:
        # aiortc counts what a connection sends only where there is media on it.
        return await peer.bytes_sent() or (self._sender.bytes_sent if self._sender else 0)

    def _add_video(self, peer: Peer) -> None:
        track = self._make_track(self.scorer.drawn)
        track.on("ended", self._failed.set)
        sender = send_track(peer.connection, track, self._config.codec)
        if isinstance(track, ViewerTrack):
            track.listen(sender)
        self._sources.append(track)
        self._transports["track"] = self._config.codec

    async def _stream(self, peer: Peer, offer: IncomingOffer, stop: Stop) -> str:
        goodbye, stopping = "the client said goodbye", "the server stops"
        first = await first_of(
            {goodbye: offer.gone.wait(), stopping: stop.wait(), "": peer.connected()}
        )
        if first:
            return first
        if peer.connection.sctp is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(_CHANNEL_TIMEOUT):
                    await self._ready.wait()
        if not self._sources:
            return "the client opened neither video nor a channel for frames"
        for source in self._sources:
            source.release()
        self._released = True
        return await first_of(
            {
                goodbye: offer.gone.wait(),
                stopping: stop.wait(),
                "the client closed the connection": peer.watch(),
                "the video failed": self._video_failure(),
                "the client sent nothing but rubbish": self._flooded.wait(),
                "": self._give_feedback(),
            }
        )

    async def _video_failure(self) -> None:
        await self._failed.wait()
        # aiortc ends the tracks of a connection just before it says that the client closed it.
        await asyncio.sleep(_CLOSE_GRACE)

    @property
    def passive(self) -> bool:
        """Whether the client only watches: without datachannels there is nothing to score."""
        return self._peer is None or self._peer.connection.sctp is None

    @property
    def transport(self) -> str:
        """How frames go to the client: `track`, `datachannel`, or both with a plus between."""
        return "+".join(self._transports)

    @property
    def dropped(self) -> int:
        """Frames that were left out because the client, or the way to it, did not keep up."""
        return sum(each.dropped for each in self._sources if not isinstance(each, BallTrack))

    def report(self) -> SessionReport:
        """The figures of the session, which has ended."""
        score = self.scorer.total(self._until or time.monotonic())
        return SessionReport(
            id=self.number,
            transport=self.transport,
            codec="+".join(self._transports.values()),
            bytes_sent=self._bytes_sent,
            **msgspec.structs.asdict(score),
        )

    def _on_datachannel(self, channel: RTCDataChannel) -> None:
        taken = self._channel is not None and self._channel.readyState != "closed"
        if channel.label == messages.LABEL and not taken:
            self._channel = channel
            channel.on("message", self._on_message)
        elif channel.label == frames.LABEL and self._sender is None:
            self._sender = ImageSender(channel, self._images, self.scorer.drawn)
            self._sources.append(self._sender)
            self._transports["datachannel"] = self._config.frame_codec.upper()
            if self._released:
                self._sender.release()
        if self._channel is not None and self._sources:
            self._ready.set()

    def _on_message(self, text: object) -> None:
        at = time.monotonic()
        if self._until is not None or self._peer is None:
            return
        self._peer.heard()
        try:
            if not self._rate.allows(at):
                raise ProtocolError("too many messages")
            estimate = messages.decode_estimate(text)
        except ProtocolError:
            self.scorer.reject()
            if not self._patience.allows(at):
                self._flooded.set()
            return
        trace.mark("arrived", estimate.frame, at)
        verdict = self.scorer.score(estimate, at)
        self._on_verdict(self.number, at - self._origin, verdict)

    async def _give_feedback(self) -> None:
        while True:
            await asyncio.sleep(_FEEDBACK_PERIOD)
            channel = self._channel
            # A client that does not read must not make the server remember: no queue here.
            if channel is None or channel.readyState != "open" or channel.bufferedAmount:
                continue
            channel.send(messages.encode(self._feedback()))

    def _feedback(self) -> Feedback:
        return Feedback(
            self.scorer.frames_answered,
            _rounded(self.scorer.detection.recent(50)),
            _rounded(self.scorer.latency.recent(50)),
        )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
