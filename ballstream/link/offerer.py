"""The client's end of a connection: it makes the offer, gets the pictures, and sends answers."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Generic, TypeVar

import msgspec
from aiortc import RTCDataChannel
from av import VideoFrame

from ..config import DIRECT, Network
from ..endings import By, Ending, Reason, after, first_of
from ..errors import ProtocolError, SignalingError
from ..protocol import frames, messages
from ..protocol.frames import Image
from ..protocol.messages import Alive, Estimate, Feedback
from ..protocol.planes import Planes
from .images import ImageReception
from .negotiation import accept_answer, make_offer
from .peer import Peer
from .picture import planes_of_frame
from .pictures import Pictures
from .receiver import OnPicture, Reception, open_reception
from .redundancy import INTERVAL
from .scaled import as_drawn, numbered
from .watch import Watch

Picture = TypeVar("Picture")

Exchange = Callable[[str], Awaitable[str]]
"""An offer's SDP in, the answer's out; raises SignalingError where there is none."""

Convert = Callable[[Planes | Image], Picture]
"""What came, into what `pictures` gives; raises ValueError where that is impossible."""

_ALIVE_PERIOD = 1.0
_FEEDBACK_TIMEOUT = 3.0
_MOST_BUFFERED = 16 * 1024
_MOST_REMEMBERED = 64
_PLANAR = ("yuv420p", "yuvj420p")


class Link(Generic[Picture]):
    """One connection to a server: `pictures` come, `answer` goes back.

    `codec` is the name of the video's codec or, on a datachannel, of the images', once there was
    one; `feedback` what the server said last of how we are doing; `unreadable` counts pictures
    that came in another size than they were drawn in, and had no number that could be read.

    It has eleven fields, as it is all that a client has of its session; most are there to be read.
    """

    def __init__(self, peer: Peer, channel: RTCDataChannel, convert: Convert[Picture]) -> None:
        self._arrivals = Arrivals(convert)
        self.pictures = Pictures(self._arrivals.take)
        self.codec = ""
        self.feedback: Feedback | None = None
        self.unreadable = 0
        self.opened = asyncio.Event()
        """Set once the connection is made."""

        self._reception: Reception | ImageReception | Watch | None = None
        self._heard = asyncio.Event()
        self._rejected = 0
        self._peer = peer
        self._channel = channel
        peer.guard.on(channel, "message", self._on_message, "reading a message of the server's")

    @property
    def rejected(self) -> int:
        """Messages of the server's that were neither feedback nor a part of a picture."""
        images = self._reception if isinstance(self._reception, ImageReception) else None
        return self._rejected + (0 if images is None else images.rejected)

    @property
    def lost(self) -> int:
        """Pictures that came in parts on a datachannel, and not whole."""
        return self._reception.lost if isinstance(self._reception, ImageReception) else 0

    @property
    def breaks(self) -> int:
        """How often the video went on with a keyframe after a loss."""
        return self._reception.breaks if isinstance(self._reception, Reception | Watch) else 0

    async def connected(self) -> None:
        """Wait for the connection; raises PeerLost where none comes about in time."""
        await self._peer.connected()

    async def closed(self, *others: Awaitable[Ending]) -> Ending:
        """Watch over the connection until it ends, or one of `others` does; then end `pictures`.

        Returns how it ended. Somebody has to await it while pictures are taken, and only once: it
        gives the signs of life, receives where reception is aiortc's own, and is how `pictures`
        hears of an end. Raises PeerLost where the server is lost, InternalFailure where we failed.
        """
        try:
            ending = await first_of(self._watch(), *others)
        except Exception as error:
            self.pictures.fail(error)
            raise
        self.pictures.end()
        return ending

    async def _watch(self) -> Ending:
        assert self._reception is not None
        closed = Ending(By.SERVER, Reason.CLOSED)
        await self._peer.connected()
        self.opened.set()
        return await first_of(
            self._peer.guard.failure(),
            after(self._peer.watch(), closed),
            after(self._receive(self._reception), closed),
            self._say_alive(),
        )

    async def _receive(self, reception: Reception | ImageReception | Watch) -> None:
        if isinstance(reception, Watch):
            # Pictures from elsewhere may come in another size: the server's comes first.
            with suppress(TimeoutError):
                async with asyncio.timeout(_FEEDBACK_TIMEOUT):
                    await self._heard.wait()
        await reception.run()

    def answer(
        self, frame: int | None, x: float | None, y: float | None, detect_ms: float | None = None
    ) -> bool:
        """Say where the ball is in a picture, or with None that there is none; False if unsent.

        `frame` is the picture's number; `x` and `y` are in pixels of the picture as it came,
        OpenCV's convention; `detect_ms` is how long the detector took. What cannot be sent now is
        never sent. While the server says that packets are lost, a copy follows.
        """
        came_at = self._arrivals.instant(frame)
        client_ms = None if came_at is None else round(1e3 * (time.monotonic() - came_at), 3)
        if x is not None and y is not None and (drawn := self._drawn) is not None:
            x, y = as_drawn((x, y), self._arrivals.size(frame) or drawn, drawn)
        detect_ms = None if detect_ms is None else round(detect_ms, 3)
        estimate = Estimate(frame, x, y, detect_ms, client_ms)
        if frame is not None and self.feedback is not None and self.feedback.repeat is True:
            again = self._peer.guard("saying it again")(self._say)
            copy = msgspec.structs.replace(estimate, again=True)
            asyncio.get_running_loop().call_later(INTERVAL, again, copy)
        return self._say(estimate)

    def _say(self, message: Estimate | Alive) -> bool:
        channel = self._channel
        if channel.readyState != "open" or channel.bufferedAmount > _MOST_BUFFERED:
            return False
        channel.send(messages.encode(message))
        return True

    async def _say_alive(self) -> Ending:
        while True:
            await asyncio.sleep(_ALIVE_PERIOD)
            if isinstance(self._reception, Watch) and not self.pictures.received:
                continue  # the first word says that the pictures come
            self._say(Alive(self.pictures.received, self.pictures.skipped))

    def _on_message(self, text: object) -> None:
        try:
            self.feedback = messages.decode_feedback(text)
        except ProtocolError:
            self._rejected += 1
            return
        self._heard.set()
        # It comes whatever becomes of the pictures, so that its absence says something.
        self._peer.heard()
        self._peer.gives_signs = True

    async def receive_video(self, ask: Callable[[], Awaitable[str]], *, stock: bool) -> None:
        """Add a video transceiver, ask for the answer, and be ready for pictures."""
        video = self._peer.connection.addTransceiver("video", direction="recvonly")
        self._reception = open_reception(
            video.receiver, self._on_video, self._peer.guard, stock=stock
        )
        self.codec = await ask()
        if video.currentDirection != "recvonly":
            raise SignalingError("the server answered, but sends no video")

    async def receive_images(self, ask: Callable[[], Awaitable[str]]) -> None:
        """Add a datachannel for frames, ask for the answer, and be ready for pictures."""
        channel = self._peer.connection.createDataChannel(frames.LABEL, **frames.CHANNEL_OPTIONS)
        self._reception = ImageReception(channel, self._on_image, self._peer.guard)
        await ask()

    async def receive_elsewhere(
        self, ask: Callable[[], Awaitable[str]], watch: Callable[[OnPicture], Watch]
    ) -> None:
        """Ask for the answer, and be ready for pictures that come another way."""
        self._reception = watch(self._on_video)
        await ask()

    def _on_video(self, frame: VideoFrame) -> None:
        assert self._reception is not None
        if isinstance(self._reception, Watch):
            self.codec = self._reception.codec
        if frame.format.name not in _PLANAR:
            frame = frame.reformat(format="yuv420p")
        planes, drawn = planes_of_frame(frame), self._drawn
        picture = planes if drawn is None else numbered(planes, drawn)
        if picture is None:
            self.unreadable += 1
        else:
            self.pictures.put((picture, self._reception.received_at))

    @property
    def _drawn(self) -> tuple[int, int] | None:
        """The size in which pictures were drawn, where they may come in another."""
        if self.feedback is None or not isinstance(self._reception, Watch):
            return None
        return self.feedback.size

    def _on_image(self, image: Image) -> None:
        assert self._reception is not None
        self._peer.heard()
        self.codec = image.codec.name
        self.pictures.put((image, self._reception.received_at))


class Arrivals(Generic[Picture]):
    """Converts pictures as they are taken, and remembers when they came, and in which size."""

    def __init__(self, convert: Convert[Picture]) -> None:
        self._convert = convert
        self._arrived: dict[int | None, tuple[float | None, tuple[int, int]]] = {}

    def take(self, came: tuple[Planes | Image, float | None]) -> Picture:
        """Convert a picture whose last packet came at an instant, if that is known."""
        picture, received_at = came
        taken = self._convert(picture)
        number: int | None = getattr(taken, "frame", None)
        self._arrived.pop(number, None)
        self._arrived[number] = received_at, (picture.width, picture.height)
        if len(self._arrived) > _MOST_REMEMBERED:
            del self._arrived[next(iter(self._arrived))]
        return taken

    def instant(self, number: int | None) -> float | None:
        """When the picture came that has this number; one without is the newest of these.

        None where that is not known.
        """
        arrived = self._of(number)
        return None if arrived is None else arrived[0]

    def size(self, number: int | None) -> tuple[int, int] | None:
        """Width and height of the same picture; None where it is not remembered."""
        arrived = self._of(number)
        return None if arrived is None else arrived[1]

    def _of(self, number: int | None) -> tuple[float | None, tuple[int, int]] | None:
        return self._arrived.get(number, self._arrived.get(None))


@asynccontextmanager
async def open_link(
    exchange: Exchange,
    network: Network = DIRECT,
    transport: str = "track",
    *,
    stock: bool = False,
    watch: Callable[[OnPicture], Watch] | None = None,
    convert: Convert[Picture],
) -> AsyncIterator[Link[Picture]]:
    """Make an offer and apply the answer; what remains is to wait until the link is connected.

    `transport` is `track` or `datachannel`; `stock` takes aiortc's own reception of video; `watch`
    gets the pictures from somewhere else, so that the link is for the answers alone.
    Raises NoRoute, NegotiationError or SignalingError where the two ends do not come to terms.
    """
    async with Peer(network) as peer:
        connection = peer.connection
        # The channels come first: what is there when the offer is made is part of it, and one
        # answer settles pictures and coordinates together.
        channel = connection.createDataChannel(messages.LABEL, **messages.CHANNEL_OPTIONS)
        link = Link(peer, channel, convert)

        async def ask() -> str:
            return await accept_answer(
                connection, await exchange(await make_offer(connection, network))
            )

        if watch is not None:
            await link.receive_elsewhere(ask, watch)
        elif transport == "datachannel":
            await link.receive_images(ask)
        else:
            await link.receive_video(ask, stock=stock)
        try:
            yield link
        finally:
            link.pictures.end()
