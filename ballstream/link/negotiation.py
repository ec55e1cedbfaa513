"""Offer and answer, with every candidate in them, and no trust in what the peer sends.

Peers write descriptions in many ways, and aiortc reads few of them. The `description_*.py` files
stand between, and nothing else knows of it; here their text is applied to a connection.
"""

import asyncio
import logging
import re
from collections.abc import Iterable
from dataclasses import replace

from aioice.ice import get_host_addresses
from aiortc import (
    MediaStreamTrack,
    RTCPeerConnection,
    RTCRtpSender,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.exceptions import OperationError
from aiortc.rtcrtpparameters import (
    RTCRtpCodecParameters,
    RTCRtpReceiveParameters,
    RTCRtpSendParameters,
)
from aiortc.sdp import candidate_from_sdp

from ..config import DIRECT, Codec, Network
from ..errors import NoRoute, Unacceptable
from .candidates import advertise, has_candidate, usable
from .description_answer import read_answer
from .description_formats import PLAYOUT_DELAY, Numbering, extensions_of
from .description_mirror import answer_for
from .description_offer import read_offer, readable
from .description_readable import Readable
from .guard import Guard

logger = logging.getLogger(__name__)

_RTX = "video/rtx"


async def make_offer(connection: RTCPeerConnection, network: Network = DIRECT) -> str:
    """Offer what was added to the connection; returns the SDP with all candidates.

    Raises NoRoute where this end has no address to offer.
    """
    await connection.setLocalDescription(await connection.createOffer())
    return _gathered(connection, network)


async def accept_answer(connection: RTCPeerConnection, sdp: str) -> str:
    """Apply the server's answer; returns the video's codec, `VP8` or `H264`, or "" without video.

    Raises NegotiationError where it cannot be used, Unacceptable where the server does not take
    what was offered.
    """
    answer = read_answer(sdp, connection.localDescription.sdp)
    await _apply(connection, answer, "answer")
    return answer.codec


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


async def answer_offer(
    connection: RTCPeerConnection,
    sdp: str,
    network: Network = DIRECT,
    codec: str | None = None,
) -> str:
    """Apply an offer; returns the answer's SDP with all candidates.

    `codec` is what `send_track` was told, so that an error can name it. Raises NegotiationError
    where the offer cannot be used, Unacceptable where it asks for what is not there, NoRoute where
    this end has no address to answer with.
    """
    sends_video = any(each.kind == "video" for each in connection.getTransceivers())
    offer = read_offer(sdp, codec, sends_video=sends_video)
    await _apply(connection, readable(offer), "offer")
    await connection.setLocalDescription(await connection.createAnswer())
    return answer_for(offer, _gathered(connection, network))


async def answer_sender(
    connection: RTCPeerConnection, sdp: str, network: Network = DIRECT
) -> tuple[str, str]:
    """Apply the offer of an end that sends video; the answer's SDP, and the name of the codec.

    Raises as `answer_offer` does.
    """
    offer = read_offer(sdp, wanted="sendonly")
    remote = readable(offer)
    await _apply(connection, remote, "offer")
    await connection.setLocalDescription(await connection.createAnswer())
    return answer_for(offer, _gathered(connection, network)), remote.codec


def add_candidate(connection: RTCPeerConnection, line: str, mid: str | None) -> None:
    """Take a candidate, `candidate:...`, that the peer found after its offer.

    `mid` names its media section, by default the first. One that cannot be used is passed over, as
    RFC 9725 wants it (section 4.3.2).
    """
    found = usable(line.removeprefix("candidate:"))
    if found is not None and connection.remoteDescription is not None:
        _add(connection, [(_carrier(connection.remoteDescription.sdp, mid), found)])


def _carrier(sdp: str, mid: str | None) -> str:
    """The mid of the section whose transport is that of another, or of one that is not there.

    aiortc passes over what is said of a section that is bundled into another's transport.
    """
    mids = re.findall(r"^a=mid:(\S+)", sdp, re.MULTILINE)
    bundle = re.search(r"^a=group:BUNDLE (.*)$", sdp, re.MULTILINE)
    bundled = bundle[1].split() if bundle else []
    if mid is not None and mid in mids and mid not in bundled:
        return mid
    return (bundled or mids or [""])[0]


def wants_video(sdp: str, codec: str | None = None) -> bool:
    """Whether an offer asks for video; one that does not has datachannels.

    Raises NegotiationError where it cannot be used, Unacceptable where it asks for neither, or for
    video but not in `codec`.
    """
    return read_offer(sdp, codec).video is not None


def playout_delay_id(sdp: str, codec: str | None = None) -> int | None:
    """The number by which the maker of an offer knows playout delays, or None; raises likewise."""
    video = read_offer(sdp, codec).video
    known = () if video is None else extensions_of(video)
    return next((each.id for each in known if each.uri == PLAYOUT_DELAY), None)


async def _apply(connection: RTCPeerConnection, remote: Readable, kind: str) -> None:
    try:
        await connection.setRemoteDescription(RTCSessionDescription(remote.sdp, kind))
    except OperationError:
        raise Unacceptable(f"the {kind} has no video codec in common with this end") from None
    if remote.numbering.peers:
        for transceiver in connection.getTransceivers():
            _renumber(transceiver, remote.numbering)
    _add(connection, remote.hidden)


def _renumber(transceiver: RTCRtpTransceiver, numbering: Numbering) -> None:
    """Let packets bear the peer's payload types where aiortc has others in their place."""
    sender, receiver = transceiver.sender, transceiver.receiver
    send, receive = sender.send, receiver.receive

    async def send_renumbered(parameters: RTCRtpSendParameters) -> None:
        codecs = [_renumbered(codec, numbering) for codec in parameters.codecs]
        await send(replace(parameters, codecs=codecs))

    async def receive_renumbered(parameters: RTCRtpReceiveParameters) -> None:
        codecs = [_renumbered(codec, numbering) for codec in parameters.codecs]
        await receive(replace(parameters, codecs=codecs))

    sender.send = send_renumbered  # type: ignore[method-assign]
    receiver.receive = receive_renumbered  # type: ignore[method-assign]


def _renumbered(codec: RTCRtpCodecParameters, numbering: Numbering) -> RTCRtpCodecParameters:
    assert codec.payloadType is not None
    parameters = dict(codec.parameters)
    repeated = parameters.get("apt")
    if isinstance(repeated, int):
        parameters["apt"] = numbering.to_peer(repeated)
    payload_type = numbering.to_peer(codec.payloadType)
    return replace(codec, payloadType=payload_type, parameters=parameters)


def _add(connection: RTCPeerConnection, candidates: Iterable[tuple[str, str]]) -> None:
    """Use further candidates, meanwhile, as soon as those that are names have been looked up.

    Nothing waits for it: most names cannot be found, and it takes a second to know. That no socket
    can be had for it, because another program holds UDP port 5353, costs these candidates only.
    """

    async def add(mid: str, text: str) -> None:
        candidate = candidate_from_sdp(text)
        candidate.sdpMid = mid
        try:
            await connection.addIceCandidate(candidate)
        except OSError as error:
            logger.debug("a candidate cannot be looked up: %s", error)

    tasks = [asyncio.create_task(add(mid, text)) for mid, text in candidates]

    def stop() -> None:
        if connection.signalingState == "closed":
            for task in tasks:
                task.cancel()

    if tasks:
        # Cancelling does not fail, so nobody has to wait for this guard.
        Guard().on(connection, "signalingstatechange", stop, "ending look-ups")


def _why_no_route() -> str:
    if get_host_addresses(use_ipv4=True, use_ipv6=True):
        return (
            "no UDP port could be had at any address of this machine: have its descriptors or "
            "ports run out? See ulimit -n and net.ipv4.ip_local_port_range"
        )
    return (
        "this machine has no network address but loopback, so there is no way to the other end: "
        "bring a network interface up"
    )


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
        raise NoRoute(_why_no_route())
    return sdp if network.advertise is None else advertise(sdp, network.advertise)
