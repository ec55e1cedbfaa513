"""Offer and answer, with every candidate in them, and no trust in what the peer sends.

aiortc takes a description apart without checking it first: a malformed one raises IndexError,
StopIteration, AssertionError and others. Here each becomes a NegotiationError.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from aiortc import MediaStreamTrack, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.sdp import SessionDescription

from ..errors import NegotiationError

MAX_SECTIONS = 4
MAX_CANDIDATES = 64
MAX_LINES = 1000
MAX_LINES_ALIKE = 200
"""Lines of one kind in a description: aiortc's parser takes time by the square of some."""

_RTX = "video/rtx"


async def make_offer(connection: RTCPeerConnection) -> str:
    """Offer what was added to the connection; returns the SDP with all candidates."""
    await connection.setLocalDescription(await connection.createOffer())
    return _gathered(connection)


async def accept_answer(connection: RTCPeerConnection, sdp: str) -> None:
    """Apply the server's answer; raises NegotiationError where it cannot be used."""
    with _described("answer"):
        _parse(sdp)
        await connection.setRemoteDescription(RTCSessionDescription(sdp, "answer"))


def send_track(connection: RTCPeerConnection, track: MediaStreamTrack, codec: str) -> RTCRtpSender:
    """Prepare to send `track` in one codec, `VP8` or `H264`, to whoever makes the offer."""
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


async def answer_offer(connection: RTCPeerConnection, sdp: str) -> str:
    """Apply an offer; returns the answer's SDP with all candidates.

    Raises NegotiationError where the offer cannot be used.
    """
    with _described("offer"):
        await connection.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        for transceiver in connection.getTransceivers():
            if transceiver.kind != "video":
                # Else aiortc would receive and decode it, and keep it for nobody.
                transceiver.direction = "inactive"
        await connection.setLocalDescription(await connection.createAnswer())
    return _gathered(connection)


def wants_video(sdp: str) -> bool:
    """Whether an offer asks for video; one that does not must have datachannels.

    Raises NegotiationError where it is malformed, unreasonably large, or asks for neither.
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
        raise NegotiationError(
            "the offer needs one video section that wants video, or datachannels: add a recvonly "
            "video transceiver before offering"
        )
    return True


def _parse(sdp: str) -> SessionDescription:
    """Parse a description; raises ValueError where it is unreasonable."""
    lines = sdp.splitlines()
    kinds = Counter(line.partition(":")[0] for line in lines)
    if len(lines) > MAX_LINES or (kinds and kinds.most_common(1)[0][1] > MAX_LINES_ALIKE):
        raise ValueError("it is longer than any that makes sense")
    description = SessionDescription.parse(sdp)
    for section in description.media:
        if section.dtls is None or not section.dtls.fingerprints:
            raise ValueError("it has no fingerprint")
        if any(not 0 < candidate.port < 0x10000 for candidate in section.ice_candidates):
            raise ValueError("it has a candidate with an impossible port")
    return description


@contextmanager
def _described(kind: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # the list of what aiortc raises here has no end
        detail = f"{type(error).__name__}: {error!s:.200}".rstrip(": ")
        raise NegotiationError(f"the {kind} cannot be used ({detail})") from error


def _gathered(connection: RTCPeerConnection) -> str:
    sdp: str = connection.localDescription.sdp
    if "a=candidate:" not in sdp:
        raise NegotiationError(
            "this machine has no network address but loopback, so there is no way to the other "
            "end: bring a network interface up"
        )
    return sdp
