"""The way of the video to a media server, which is one more viewer of the broadcast."""

from collections.abc import Awaitable, Callable

from ..config import Network
from ..endings import first_of
from ..errors import Unacceptable
from .answerer import Streams
from .broadcast import ViewerTrack
from .negotiation import accept_answer, make_offer, send_track
from .peer import Peer
from .published import Published

Ask = Callable[[str], Awaitable[str]]
"""An offer's SDP in, the answer's out."""


async def publish(
    ask: Ask,
    network: Network,
    streams: Streams,
    published: Published,
    on_connected: Callable[[], None],
) -> None:
    """Offer the video and send it until the other end closes the connection.

    `published` is told of every frame, `on_connected` when they begin. Raises what `ask` does,
    NoRoute, NegotiationError where the answer cannot be used, PeerLost where no connection comes
    about or it is lost, InternalFailure where we failed.
    """
    async with Peer(network) as peer:
        track = streams.track(published.sent, peer.guard, published.left_out)
        sender = send_track(peer.connection, track, streams.video_codec)
        if isinstance(track, ViewerTrack):
            track.listen(sender, streams.redundancy)
        try:
            offer = await make_offer(peer.connection, network)
            await accept_answer(peer.connection, await ask(offer))
            if not _is_taken(peer):
                raise Unacceptable("the media server answered, but takes no video")
            await peer.connected()
            with published.open_way():
                on_connected()
                track.release()
                await first_of(peer.guard.failure(), peer.watch())
        finally:
            track.stop()


def _is_taken(peer: Peer) -> bool:
    (transceiver,) = peer.connection.getTransceivers()
    return transceiver.currentDirection == "sendonly"
