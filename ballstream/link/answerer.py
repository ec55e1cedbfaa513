"""The server's end of a connection: it answers an offer, sends the frames, and hears messages."""

import asyncio
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import NoReturn, Protocol, Self

from aiortc import RTCDataChannel

from ..config import Codec, Network, Redundancy
from ..endings import By, Ending, Reason, after, first_of
from ..errors import InternalFailure
from ..protocol import frames, messages
from ..protocol.messages import Feedback
from .broadcast import Broadcast, ViewerTrack, show_at_once
from .codec import VideoPacket
from .guard import Guard
from .images import ImageSender, Messages
from .negotiation import (
    add_candidate,
    answer_offer,
    playout_delay_id,
    send_track,
    wants_video,
)
from .peer import Peer
from .published import Published
from .source import Drawn, OnFrame, Source
from .track import BallTrack
from .unreadable import survive

_CHANNEL_TIMEOUT = 2.0
"""Seconds that a client has to open its channels before something is said of those that lack."""

_MOST_CHANNELS = 8
_CLOSE_GRACE = 0.5


class Listener(Protocol):
    """Whoever is told what happens on a connection.

    A client that has only the channel `coordinates` watches what goes to media servers, where
    anything does: it has `joined` with the first that it says.
    """

    def opened(self) -> None:
        """The client can get frames and say something of them."""

    def sent(self, drawn: Drawn) -> None:
        """The client gets a frame."""

    def left_out(self, drawn: Drawn) -> None:
        """The client does not get a frame, because it, or the way to it, did not keep up."""

    def joined(self, at: float) -> None:
        """From an instant on the client gets what media servers do, and can answer it."""

    def interrupted(self) -> None:
        """Nothing goes to a media server any more, until a frame does."""

    def said(self, message: object, at: float) -> None:
        """A message came on the channel `coordinates`, at an instant of the monotonic clock."""


@dataclass(frozen=True, slots=True)
class Streams:
    """What a server can send, made once for all of its clients.

    The video in a codec, `VP8` or `H264`, is one broadcast for all; where that is None, each viewer
    gets a track of the source that aiortc encodes. The images have the codec's name beside them.
    `redundancy` is that of the video.
    `published` is what of it goes to media servers, None where nothing is to.
    """

    source: Source
    video: Broadcast[VideoPacket] | None
    video_codec: Codec
    images: Broadcast[Messages]
    image_codec: str
    redundancy: Redundancy = Redundancy.OFF
    published: Published | None = None

    def track(
        self, on_frame: OnFrame, guard: Guard, on_dropped: OnFrame
    ) -> BallTrack | ViewerTrack:
        """A track for one viewer."""
        if self.video is None:
            return BallTrack(self.source, on_frame, guard)
        return ViewerTrack(self.video, on_frame, guard, on_dropped)


class Answerer:
    """One connection to a client, from its offer on; use as `async with`.

    `listener` is told what becomes of each frame for the client, and what it says on the channel
    `coordinates`; what it raises ends the session as failed.
    """

    def __init__(self, network: Network, streams: Streams, listener: Listener) -> None:
        self.peer = Peer(network)
        self._network = network
        self._streams = streams
        self._listener = listener
        self._outlets = Outlets()
        self._channels: deque[RTCDataChannel] = deque(maxlen=_MOST_CHANNELS)
        self._ready = asyncio.Event()
        self._waited = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            await self.peer.__aexit__(kind, error, trace)
        finally:
            self._outlets.stop()

    async def answer(self, offer: str) -> str:
        """Answer an offer; takes and gives SDP.

        Raises NegotiationError where the offer cannot be used, NoRoute where there is no address.
        """
        connection = self.peer.connection
        self.peer.guard.on(connection, "datachannel", self._on_datachannel, "taking a channel")
        if wants_video(offer, self._streams.video_codec):
            self._add_video(playout_delay_id(offer, self._streams.video_codec))
        answer = await answer_offer(connection, offer, self._network, self._streams.video_codec)
        if connection.sctp is not None:
            survive(connection.sctp, self.peer.guard("taking rubbish")(self._hear_rubbish))
        return answer

    async def add_candidate(self, line: str, mid: str | None) -> None:
        """Take a way to the client that it found after its offer; an unusable one is ignored."""
        add_candidate(self.peer.connection, line, mid)

    async def open(self) -> None:
        """Wait for the connection, and let the frames begin at once.

        Raises PeerLost where no connection comes about in time.
        """
        await self.peer.connected()
        self._outlets.release()
        self._note_opening()

    async def settled(self) -> bool:
        """Give the client time to open its channels; False where it gets no frames by then."""
        if not self.passive and not self._may_watch:
            with suppress(TimeoutError):
                async with asyncio.timeout(_CHANNEL_TIMEOUT):
                    await self._ready.wait()
        self._waited = True
        return bool(self._outlets) or self._may_watch

    @property
    def _may_watch(self) -> bool:
        """Whether the client can do with its channel alone, as it finds pictures elsewhere."""
        return self.has_channel and self._streams.published is not None

    async def closed(self) -> Ending:
        """Wait until the client closes the connection; raises PeerLost where it is lost."""
        return await after(self.peer.watch(), Ending(By.CLIENT, Reason.CLOSED))

    async def failure(self) -> NoReturn:
        """Raise InternalFailure once we fail, or what `listener` raised on purpose."""
        await first_of(self.peer.guard.failure(), self._outlets.given_up())
        raise AssertionError("neither of them returns")

    def say(self, feedback: Feedback) -> bool:
        """Tell the client on the channel `coordinates`; False where that is impossible now."""
        channel = next((each for each in self._channels if each.readyState == "open"), None)
        # A client that does not read must not make the server remember: no queue here.
        if channel is None or channel.bufferedAmount:
            return False
        channel.send(messages.encode(feedback))
        return True

    @property
    def has_channel(self) -> bool:
        """Whether the client opened a channel `coordinates`, so that it can be scored."""
        return bool(self._channels)

    @property
    def lacks_channel(self) -> bool:
        """Whether the client could have opened a channel `coordinates` by now, and did not."""
        return self._waited and not self.passive and not self.has_channel

    @property
    def passive(self) -> bool:
        """Whether the client only watches: without datachannels it can answer nothing."""
        return self.peer.connection.sctp is None

    @property
    def transport(self) -> str:
        """How frames go to the client: `track`, `datachannel`, or both with a plus between."""
        return "+".join(self._outlets.codecs)

    @property
    def codec(self) -> str:
        """The names of what they are compressed with, likewise."""
        return "+".join(self._outlets.codecs.values())

    @property
    def repeats(self) -> bool:
        """Whether the client gets packets of video more than once at present."""
        return self._outlets.repeats

    async def bytes_sent(self) -> int:
        """What went out so far, in bytes; without media, what the frames alone took."""
        # aiortc counts what a connection sends only where there is media on it.
        return await self.peer.bytes_sent() or self._outlets.bytes_sent

    def _add_video(self, playout_delay: int | None) -> None:
        guard = self.peer.guard
        track = self._streams.track(self._listener.sent, guard, self._listener.left_out)
        sender = send_track(self.peer.connection, track, self._streams.video_codec)
        if isinstance(track, ViewerTrack):
            track.listen(sender, self._streams.redundancy)
            if playout_delay is not None:
                show_at_once(sender, playout_delay)
        guard.on(track, "ended", self._outlets.give_up, "hearing of a track's end")
        self._outlets.add("track", track, self._streams.video_codec)

    def _on_datachannel(self, channel: RTCDataChannel) -> None:
        guard = self.peer.guard
        if channel.label == messages.LABEL:
            # Where a client closes one and opens another, the new one may come first.
            self._channels.append(channel)
            guard.on(channel, "message", self._hear, "taking a message of the client's")
        elif channel.label == frames.LABEL and "datachannel" not in self._outlets.codecs:
            listener, images = self._listener, self._streams.images
            sender = ImageSender(channel, images, listener.sent, guard, listener.left_out)
            self._outlets.add("datachannel", sender, self._streams.image_codec)
        if self._channels and self._outlets:
            self._ready.set()
            self._note_opening()

    def _note_opening(self) -> None:
        """Tell the listener when the client gets frames and has a channel for its answers."""
        if self._ready.is_set() and self._outlets.released:
            self._listener.opened()

    def _hear(self, message: object) -> None:
        at = time.monotonic()
        self.peer.heard()
        if not self._outlets and self._streams.published is not None:
            published = PublishedOutlet(self._streams.published, self._listener, self.peer.guard)
            self._outlets.add("published", published, self._streams.video_codec)
            self._listener.joined(at)
        self._listener.said(message, at)

    def _hear_rubbish(self) -> None:
        self._hear(None)


class PublishedOutlet:
    """What a client gets that watches a media server: nothing from here.

    Its listener hears of what goes there at once, as that goes anyhow.
    """

    def __init__(self, published: Published, listener: Listener, guard: Guard) -> None:
        self._published = published
        self._listener = listener
        published.join(listener, guard)

    def release(self) -> None:
        """Nothing waits."""

    def stop(self) -> None:
        """Let it hear no more."""
        self._published.leave(self._listener)


Outlet = BallTrack | ViewerTrack | ImageSender | PublishedOutlet


class Outlets:
    """What goes out to one client, by the name of its transport; `codecs` says how compressed."""

    def __init__(self) -> None:
        self.codecs: dict[str, str] = {}
        self._outlets: list[Outlet] = []
        self.released = False
        self._given_up = asyncio.Event()

    def __bool__(self) -> bool:
        return bool(self._outlets)

    def add(self, transport: str, outlet: Outlet, codec: str) -> None:
        """Add one, which begins with the others, or at once if these have begun."""
        self.codecs[transport] = codec
        self._outlets.append(outlet)
        if self.released:
            outlet.release()

    def release(self) -> None:
        """Let the frames begin."""
        self.released = True
        for outlet in self._outlets:
            outlet.release()

    def stop(self) -> None:
        """End them all."""
        for outlet in self._outlets:
            outlet.stop()

    def give_up(self) -> None:
        """Take note that a track ended."""
        self._given_up.set()

    async def given_up(self) -> NoReturn:
        """Raise InternalFailure where a track ends while its connection goes on."""
        await self._given_up.wait()
        # aiortc ends the tracks of a connection just before it says that the client closed it.
        await asyncio.sleep(_CLOSE_GRACE)
        raise InternalFailure("sending the video", RuntimeError("aiortc gave it up"))

    @property
    def repeats(self) -> bool:
        return any(each.repeats for each in self._outlets if isinstance(each, ViewerTrack))

    @property
    def bytes_sent(self) -> int:
        return sum(each.bytes_sent for each in self._outlets if isinstance(each, ImageSender))
