"""Offer and answer, with every candidate in them, and no trust in what the peer sends.

aiortc takes a description apart without checking it first: a malformed one raises IndexError,
StopIteration, AssertionError and others. Here each becomes a NegotiationError.
"""

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from aiortc import MediaStreamTrack, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.exceptions import OperationError
from aiortc.sdp import SessionDescription, candidate_from_sdp

from ..config import DIRECT, Codec, Network
from ..errors import NegotiationError, NoRoute, Unacceptable
from .candidates import advertise, has_candidate

logger = logging.getLogger(__name__)

MAX_SECTIONS = 4
MAX_CANDIDATES = 64
MAX_LINES = 1000
MAX_LINES_ALIKE = 200
"""Lines of one kind in a description: aiortc's parser takes time by the square of some."""

_RTX = "video/rtx"


class _Unreasonable(Exception):  # noqa: N818 - never seen outside
    """A description is not what any real peer would send."""


async def make_offer(connection: RTCPeerConnection, network: Network = DIRECT) -> str:
    """Offer what was added to the connection; returns the SDP with all candidates.

    Raises NoRoute where this end has no address to offer.
    """
    await connection.setLocalDescription(await connection.createOffer())
    return _gathered(connection, network)


async def accept_answer(connection: RTCPeerConnection, sdp: str) -> None:
    """Apply the server's answer; raises NegotiationError where it cannot be used."""
    with _described("answer"):
        _parse(sdp)
        await connection.setRemoteDescription(RTCSessionDescription(sdp, "answer"))


def send_track(
    connection: RTCPeerConnection, track: MediaStreamTrack, codec: Codec
) -> RTCRtpSender:
    """Prepare to send `track` in one codec to whoever makes the offer."""
    transceiver = connection.addTransceiver(track, direction="sendonly")
    wanted = (f"video/{codec}".lower(), _RTX)
    transceiver.setCodecPreferences(
        [
            capability
            for capability in RTCRtpSender.getCapabilities("video").codecs
            if capability.mimeType.lower() in wanted
        ]
    )
    return transceiver.sender


async def answer_offer(connection: RTCPeerConnection, sdp: str, network: Network = DIRECT) -> str:
    """Apply an offer; returns the answer's SDP with all candidates.

    Raises NegotiationError where the offer cannot be used, Unacceptable where the codecs differ,
    NoRoute where this end has no address to answer with.
    """
    # Where the offer leaves open who begins DTLS, let it be its maker. If aiortc begins, it
    # proposes ECDSA's ciphers alone, which a peer with an RSA certificate, as GStreamer, refuses.
    sdp = sdp.replace("a=setup:actpass", "a=setup:active")
    with _described("offer"):
        await connection.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        for transceiver in connection.getTransceivers():
            if transceiver.kind != "video":
                # Else aiortc would receive and decode it, and keep it for nobody.
                transceiver.direction = "inactive"
        await connection.setLocalDescription(await connection.createAnswer())
    return _gathered(connection, network)


async def add_candidate(connection: RTCPeerConnection, line: str, mid: str | None) -> None:
    """Take a candidate, `candidate:...`, that the peer found after its offer.

    `mid` names its media section, by default the first. One that cannot be used is passed over, as
    RFC 9725 wants it (section 4.3.2).
    """
    try:
        candidate = candidate_from_sdp(line.removeprefix("candidate:"))
        candidate.sdpMid = mid
        candidate.sdpMLineIndex = 0 if mid is None else None
        if 0 < candidate.port < 0x10000:
            await connection.addIceCandidate(candidate)
    except Exception as error:  # the list of what aiortc raises here has no end
        logger.debug("a candidate cannot be used (%s)", type(error).__name__)


def wants_video(sdp: str) -> bool:
    """Whether an offer asks for video; one that does not must have datachannels.

    Raises NegotiationError where it is malformed or unreasonably large, Unacceptable where it asks
    for neither.
    """
    with _described("offer"):
        media = _parse(sdp).media
    if len(media) > MAX_SECTIONS:
        raise NegotiationError(f"the offer has more than {MAX_SECTIONS} media sections")
    if any(len(section.ice_candidates) > MAX_CANDIDATES for section in media):
        raise NegotiationError(f"the offer has more than {MAX_CANDIDATES} candidates")
    video = [section for section in media if section.kind == "video"]
    if not video and any(section.kind == "application" for section in media):
        return False
    if len(video) != 1 or video[0].direction not in ("recvonly", "sendrecv"):
        # What has no section at all is no offer that could have been accepted anywhere.
        refusal = Unacceptable if media else NegotiationError
        raise refusal(
            "the offer needs one video section that wants video, or datachannels: add a recvonly "
            "video transceiver before offering"
        )
    return True


def _parse(sdp: str) -> SessionDescription:
    """Parse a description; raises _Unreasonable where it is."""
    lines = sdp.splitlines()
    kinds = Counter(line.partition(":")[0] for line in lines)
    if len(lines) > MAX_LINES or (kinds and kinds.most_common(1)[0][1] > MAX_LINES_ALIKE):
        raise _Unreasonable("it is longer than any that makes sense")
    description = SessionDescription.parse(sdp)
    for section in description.media:
        if section.dtls is None or not section.dtls.fingerprints:
            raise _Unreasonable("it has no fingerprint")
        if any(not 0 < candidate.port < 0x10000 for candidate in section.ice_candidates):
            raise _Unreasonable("it has a candidate with an impossible port")
    return description


@contextmanager
def _described(kind: str) -> Iterator[None]:
    try:
        yield
    except OperationError:
        raise Unacceptable(f"the {kind} has no video codec in common with this end") from None
    except _Unreasonable as error:
        raise NegotiationError(f"the {kind} cannot be used: {error}") from None
    except Exception as error:  # the list of what aiortc raises here has no end
        # Without the error's text: a log is no place for parts of a description.
        raise NegotiationError(
            f"the {kind} cannot be used: it is malformed ({type(error).__name__})"
        ) from None


def _gathered(connection: RTCPeerConnection, network: Network) -> str:
    sdp: str = connection.localDescription.sdp
    turn = next((each.url for each in network.ice_servers if each.url.startswith("turn")), None)
    if turn is not None and not has_candidate(sdp, "relay"):
        refused = f"the TURN server {turn} cannot be reached or refuses the credentials"
        if network.relay_only:
            raise NoRoute(f"{refused}: look at --ice-server")
        logger.warning("%s (--ice-server); going on without", refused)
    if turn is None and network.relay_only:
        raise NoRoute("--relay-only needs a TURN server: give an --ice-server turn:...")
    if not has_candidate(sdp):
        raise NoRoute(
            "this machine has no network address but loopback, so there is no way to the other "
            "end: bring a network interface up"
        )
    return sdp if network.advertise is None else advertise(sdp, network.advertise)
