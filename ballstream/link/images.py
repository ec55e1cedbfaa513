"""Frames as bytes on a datachannel: the other transport."""

import asyncio
import time
from collections.abc import Callable

from aiortc import RTCDataChannel

from ..errors import ProtocolError
from ..protocol.frames import Image, Joining
from .broadcast import ENCODING, Broadcast
from .guard import Guard
from .source import Drawn, OnFrame, ignore

MAX_BUFFERED = 200_000
"""Bytes of frames that wait to be sent at the most."""

Messages = list[bytes]


class ImageSender:
    """Sends a broadcast of images on a channel, under the guard of the connection.

    What has not left yet when the next frame is there makes that one be left out, which `dropped`
    counts; so at most one frame waits. `on_frame` is told of every frame that is sent,
    `on_dropped` of every other.
    """

    def __init__(
        self,
        channel: RTCDataChannel,
        broadcast: Broadcast[Messages],
        on_frame: OnFrame,
        guard: Guard,
        on_dropped: OnFrame = ignore,
    ) -> None:
        self.dropped = 0
        self.bytes_sent = 0
        self._channel = channel
        self._broadcast = broadcast
        self._on_frame = on_frame
        self._on_dropped = on_dropped
        self._guard = guard

    def release(self) -> None:
        """Let the frames begin."""
        self._broadcast.add(self)

    def stop(self) -> None:
        """Leave the broadcast."""
        self._broadcast.remove(self)

    def offer(self, packet: Messages, drawn: Drawn) -> None:
        """Send a frame, or leave it out."""
        with self._guard("sending a frame"):
            self._send(packet, drawn)

    def fail(self, error: Exception) -> None:
        """Let the session end: there will be no more frames."""
        self._guard.fail(ENCODING, error)

    def _send(self, packet: Messages, drawn: Drawn) -> None:
        if self._channel.readyState != "open" or self._channel.bufferedAmount:
            self.dropped += 1
            self._on_dropped(drawn)
            return
        self._on_frame(drawn)
        for message in packet:
            self._channel.send(message)
            self.bytes_sent += len(message)


class ImageReception:
    """Hands every image that comes whole on a channel to `on_image`.

    `lost` counts those that did not, `rejected` the messages that were no part of one;
    `received_at` is the instant at which the last part of the newest came.
    """

    def __init__(
        self, channel: RTCDataChannel, on_image: Callable[[Image], None], guard: Guard
    ) -> None:
        self.rejected = 0
        self.received_at = 0.0
        self._joining = Joining()
        self._on_image = on_image
        self._closed = asyncio.Event()
        guard.on(channel, "message", self._on_message, "taking a part of a picture")
        guard.on(channel, "close", self._closed.set, "hearing of a channel's end")

    @property
    def lost(self) -> int:
        return self._joining.lost

    async def run(self) -> None:
        """Receive until the channel is closed."""
        await self._closed.wait()

    def _on_message(self, message: object) -> None:
        try:
            image = self._joining.add(message)
        except ProtocolError:
            self.rejected += 1
            return
        if image is not None:
            self.received_at = time.monotonic()
            self._on_image(image)
