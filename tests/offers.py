"""Offers as other programs write them, and the rules by which an answer goes with one."""

import re
from collections.abc import Iterable

DIGEST = ":".join(f"{byte:02X}" for byte in range(32))

TRANSPORT = f"""a=ice-ufrag:peer
a=ice-pwd:0123456789abcdefghijkl
a=fingerprint:sha-256 {DIGEST}
a=setup:actpass
a=candidate:1 1 udp 2130706431 127.0.0.1 50000 typ host
"""

VIDEO_FORMATS = """a=rtpmap:96 VP8/90000
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtcp-fb:96 goog-remb
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=rtpmap:102 H264/90000
a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f
"""

VIDEO = f"""m=video 9 UDP/TLS/RTP/SAVPF 96 97 102
c=IN IP4 0.0.0.0
a=mid:0
a=recvonly
a=rtcp-mux
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
{TRANSPORT}{VIDEO_FORMATS}"""

DATA = f"""m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=mid:1
a=sctp-port:5000
a=max-message-size:262144
{TRANSPORT}"""

AUDIO = f"""m=audio 9 UDP/TLS/RTP/SAVPF 111 0
c=IN IP4 0.0.0.0
a=mid:2
a=recvonly
a=rtcp-mux
{TRANSPORT}a=rtpmap:111 opus/48000/2
a=fmtp:111 minptime=10;useinbandfec=1
"""

BUNDLE = "a=group:BUNDLE 0 1\n"


def offer(*sections: str, session: str = BUNDLE) -> str:
    """An offer of video and datachannels, or of the sections given."""
    head = f"v=0\no=- 1 1 IN IP4 0.0.0.0\ns=-\nt=0 0\n{session}"
    return "".join([head, *(sections or (VIDEO, DATA))]).replace("\n", "\r\n")


def sections(sdp: str) -> list[str]:
    """The media sections of a description."""
    return [f"m={block}" for block in re.split(r"(?m)^m=", sdp)[1:]]


def values(block: str, name: str) -> list[str]:
    """The values of an attribute in a section, or in the session's part of a description."""
    head = re.split(r"(?m)^m=", block)[0] or block
    return re.findall(rf"(?m)^a={re.escape(name)}(?::(.*?))?\s*$", head)


def bundles(sdp: str) -> list[list[str]]:
    """The members of every BUNDLE group."""
    return [each.split()[1:] for each in values(sdp, "group") if each.startswith("BUNDLE")]


def direction(block: str, session: str) -> str:
    """The direction of a section, its own, the session's or the default."""
    for part in (block, session):
        for name in ("sendrecv", "sendonly", "recvonly", "inactive"):
            if values(part, name):
                return name
    return "sendrecv"


def disagreements(offered: str, answered: str) -> list[str]:
    """Where an answer breaks a rule of RFC 3264, 8829, 8842, 9143 or 8285."""
    asked, told = sections(offered), sections(answered)
    if len(asked) != len(told):
        return [f"{len(told)} sections for {len(asked)}"]
    found = [wrong for pair in zip(asked, told, strict=True) for wrong in _wrong(*pair, offered)]
    groups, alive = bundles(offered), _alive(told)
    for group in bundles(answered):
        tagged = next(block for block in told if group[0] in values(block, "mid"))
        if not values(tagged, "candidate"):
            found.append(f"the transport of {group} has no candidate where the offerer looks")
        if not any(set(group) <= set(each) for each in groups):
            found.append(f"the group {group} was not offered")
        found += [f"{mid} is in a group, and rejected" for mid in group if mid not in alive]
    for group in groups:
        mids = [mid for mid in group if mid in alive]
        if mids and not any(set(mids) <= set(each) for each in bundles(answered)):
            found.append(f"{mids} are not in a group")
    return found


def _alive(told: Iterable[str]) -> set[str]:
    return {mid for block in told if block.split()[1] != "0" for mid in values(block, "mid")}


def _wrong(ask: str, tell: str, offered: str) -> list[str]:
    (kind, port, protocol, *formats), (kind2, port2, protocol2, *formats2) = (
        block.split("\n")[0].split() for block in (ask, tell)
    )
    found = []
    if (kind, protocol) != (kind2, protocol2):
        found.append(f"{kind2} {protocol2} for {kind} {protocol}")
    if values(ask, "mid") != values(tell, "mid"):
        found.append(f"mid {values(tell, 'mid')} for {values(ask, 'mid')}")
    if not formats2:
        found.append("no format")
    legacy = "application" in kind and formats[0].isdigit()
    if not set(formats2) <= set(formats) and not legacy:
        found.append(f"formats {formats2} for {formats}")
    if port == "0" and port2 != "0" and not values(ask, "bundle-only"):
        found.append("taken, but not offered")
    return found if port2 == "0" else found + _wrong_of_taken(ask, tell, offered)


def _wrong_of_taken(ask: str, tell: str, offered: str) -> list[str]:
    found = [
        f"no {name}" for name in ("ice-ufrag", "ice-pwd", "fingerprint") if not values(tell, name)
    ]
    if values(tell, "setup") not in (["active"], ["passive"]):
        found.append(f"setup {values(tell, 'setup')}")
    begins = (values(ask, "setup") or values(offered, "setup") or ["active"])[0].lower()
    if not values(ask, "bundle-only") and values(tell, "setup") == [begins]:
        found.append("both begin DTLS, or none does")
    if tell.startswith("m=application"):
        return found
    allowed = {
        "recvonly": ("sendonly", "inactive"),
        "sendonly": ("recvonly", "inactive"),
        "inactive": ("inactive",),
    }.get(direction(ask, offered), ("sendrecv", "sendonly", "recvonly", "inactive"))
    if direction(tell, "") not in allowed:
        found.append(f"{direction(tell, '')} for {direction(ask, offered)}")
    if not values(tell, "rtcp-mux"):
        found.append("no rtcp-mux")
    mapped = [each.split() for each in (*values(ask, "extmap"), *values(offered, "extmap"))]
    extensions = {each[0].split("/")[0]: each[1] for each in mapped if len(each) > 1}
    found += [
        f"extension {each}"
        for each in values(tell, "extmap")
        if extensions.get(each.split()[0].split("/")[0]) != each.split()[1]
    ]
    return found
