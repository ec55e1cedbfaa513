"""An offer as aiortc reads it, and aiortc's answer as the offer's maker wants it; pure.

Taken are one section for video and one for datachannels. aiortc sees nothing of the others, nor of
what it would not understand. The answer mirrors the offer (RFC 3264, RFC 8829): sections and their
order, mids, protocols, BUNDLE groups (RFC 9143), payload types. What is not taken has port 0 there
or, where it shares the transport and could have been taken, is inactive: aiortc as a peer knows no
port 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import NegotiationError, Unacceptable
from .description import Description, Section, number, parse, quoted
from .description_formats import (
    Extension,
    Format,
    Numbering,
    extensions_of,
    formats_of,
    lines_for_aiortc,
    lines_for_peer,
    why_none,
)
from .description_transport import Transport, has_mux, transport_of

_RTP = (
    "UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "TCP/TLS/RTP/SAVPF", "TCP/TLS/RTP/SAVP",
    "TCP/DTLS/RTP/SAVPF", "TCP/DTLS/RTP/SAVP", "RTP/SAVPF", "RTP/SAVP", "RTP/AVPF", "RTP/AVP",
)  # fmt: skip
"""All mean the same where there is a fingerprint (RFC 8829, section 5.1.2)."""

_SCTP = ("UDP/DTLS/SCTP", "TCP/DTLS/SCTP", "DTLS/SCTP")
_LEGACY_SCTP = "DTLS/SCTP"
_DATACHANNEL = "webrtc-datachannel"
_OUR_SCTP_PORT = "5000"
"""aiortc's, in every answer."""

_MOST_SCTP_PORTS = 0xFFFF
_MOST_MESSAGE = (1 << 62) - 1


@dataclass(frozen=True, slots=True)
class Readable:
    """A description as aiortc reads it.

    `numbering` is that of its payload types, `hidden` are pairs of a mid and a candidate to be
    looked up, `codec` names its first video codec, "" without video.
    """

    sdp: str
    numbering: Numbering
    hidden: tuple[tuple[str, str], ...]
    codec: str


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer that can be answered; `video` and `data` are the sections that are taken.

    `formats` are those of the video that can be used; `spare` those of sections that are not taken
    but could be, over the transport of one that is, by their indices.
    """

    description: Description
    video: Section | None
    formats: tuple[Format, ...]
    data: Section | None
    spare: Mapping[int, Sequence[Format]]

    @property
    def taken(self) -> tuple[Section, ...]:
        """The sections that are taken, in their order."""
        sections = [each for each in (self.video, self.data) if each is not None]
        return tuple(sorted(sections, key=lambda section: section.index))


def read_offer(text: str, codec: str | None = None, *, sends_video: bool = True) -> Offer:
    """Read an offer, to be answered with video in `codec`, by default any, and datachannels.

    Raises NegotiationError where it is malformed or lacks what it must have, Unacceptable where
    it asks for nothing that there is.
    """
    description = parse(text, "offer")
    data = next((each for each in description.sections if each.is_open and is_data(each)), None)
    video, formats = _choose_video(description, codec) if sends_video else (None, ())
    if video is None and data is None:
        # What has no section at all is no offer that could have been accepted anywhere.
        raise (Unacceptable if description.sections else NegotiationError)(
            "the offer needs a video section that wants video, or datachannels: add a recvonly "
            "video transceiver before offering"
        )
    taken = [each for each in (video, data) if each is not None]
    offer = Offer(description, video, formats, data, _spare(description, taken))
    readable(offer)
    return offer


def is_data(section: Section) -> bool:
    """Whether a section is one of datachannels (RFC 8841)."""
    if section.kind != "application" or section.protocol.upper() not in _SCTP:
        return False
    return section.formats[0].lower() == _DATACHANNEL or _is_legacy(section)


def readable(offer: Offer) -> Readable:
    """The offer as aiortc reads it; raises NegotiationError, Unacceptable."""
    groups = _groups(offer)
    transports = {each.index: _transport(offer, each, groups) for each in offer.taken}
    numbering = Numbering.of(offer.formats)
    sections = []
    for section in offer.taken:
        if section is offer.video:
            media = video_lines(section, "recvonly", offer.formats, numbering)
        else:
            media = data_lines(section)
        sections.append([*media, f"a=mid:{mid_of(section)}", *transports[section.index].lines()])
    return Readable(
        compose(
            [[each for each in group if each in offer.taken] for group in groups],
            sections,
            lite=any(each.lite for each in transports.values()),
        ),
        numbering,
        hidden_of(offer.taken, transports),
        offer.formats[0].codec if offer.formats else "",
    )


def answer_for(offer: Offer, sdp: str) -> str:
    """aiortc's answer to the readable offer, as the maker of the offer wants it."""
    session, *blocks = _blocks(sdp)
    numbering = Numbering.of(offer.formats)
    written = {
        section.index: _mirrored(offer, section, numbering, block)
        for section, block in zip(offer.taken, blocks, strict=True)
    }
    shared = {each.bundle: written[each.index] for each in offer.taken}
    lines = [line for line in session if not line.startswith("a=group:")]
    lines += [bundle_line(group) for group in _groups(offer)]
    for section in offer.description.sections:
        if section.index in written:
            lines += written[section.index]
        elif section.index in offer.spare:
            lines += _inactive(section, offer.spare[section.index], shared[section.bundle])
        else:
            lines += _rejected(section)
    return "".join(f"{line}\r\n" for line in lines)


def video_lines(
    section: Section, direction: str, formats: Sequence[Format], numbering: Numbering
) -> list[str]:
    """A video section in aiortc's own words, but for mid and transport."""
    numbers = " ".join(str(numbering.to_aiortc(each.number)) for each in formats)
    return [
        f"m=video 9 UDP/TLS/RTP/SAVPF {numbers}",
        f"a={direction}",
        "a=rtcp-mux",
        *(f"a=extmap:{each.id} {each.uri}" for each in extensions_of(section)),
        *lines_for_aiortc(formats, numbering),
    ]


def data_lines(section: Section) -> list[str]:
    """A datachannel section in aiortc's own words, but for mid and transport."""
    values = section.own.get("sctp-port")
    text = values[0] if values else section.formats[0] if _is_legacy(section) else None
    if text is None:
        raise section.malformed('has no "a=sctp-port" (RFC 8841)')
    port = number(text, _MOST_SCTP_PORTS)
    if not port:
        raise section.malformed(
            f"has {quoted(f'a=sctp-port:{text}')}; wanted was a port from 1 to 65535"
        )
    size = number(next(iter(section.own.get("max-message-size", ())), ""), _MOST_MESSAGE)
    return [
        f"m=application 9 UDP/DTLS/SCTP {_DATACHANNEL}",
        f"a=sctp-port:{port}",
        *([] if size is None else [f"a=max-message-size:{size}"]),
    ]


def mid_of(section: Section) -> str:
    """By which aiortc knows a section: its mid, or where there is none, one that nobody has."""
    return f"{section.index} is nameless" if section.mid is None else section.mid


def hidden_of(
    sections: Sequence[Section], transports: Mapping[int, Transport]
) -> tuple[tuple[str, str], ...]:
    """The candidates to be looked up, with the mids of their sections."""
    return tuple(
        (mid_of(section), candidate)
        for section in sections
        for candidate in transports[section.index].hidden
    )


def compose(
    groups: Sequence[Sequence[Section]], sections: Sequence[Sequence[str]], *, lite: bool
) -> str:
    """A whole description from its sections."""
    lines = [
        "v=0",
        "o=- 0 0 IN IP4 0.0.0.0",
        "s=-",
        "t=0 0",
        *(["a=ice-lite"] if lite else []),
        *(bundle_line(group) for group in groups if group),
        *(line for section in sections for line in section),
    ]
    return "".join(f"{line}\r\n" for line in lines)


def bundle_line(group: Sequence[Section]) -> str:
    """The sections that share a transport; the first says which."""
    return f"a=group:BUNDLE {' '.join(mid_of(each) for each in group)}"


def _choose_video(
    description: Description, codec: str | None
) -> tuple[Section | None, tuple[Format, ...]]:
    """The first video section that can be taken; raises Unacceptable where none of them can."""
    first: Unacceptable | None = None
    for section in description.sections:
        if section.kind != "video" or not section.is_open:
            continue
        formats = formats_of(section, codec)
        if section.direction not in ("recvonly", "sendrecv"):
            words = (
                f'is "a={section.direction}"; wanted was a section that wants video: "a=recvonly"'
            )
        elif section.protocol.upper() not in _RTP:
            words = f"is {quoted(section.protocol)}; wanted was UDP/TLS/RTP/SAVPF"
        elif not formats:
            words = why_none(section, codec)
        elif not has_mux([section, *_tagged(description, section)]):
            words = 'has no "a=rtcp-mux": RTP and RTCP have to share a port'
        else:
            return section, tuple(formats)
        first = first or section.unacceptable(words)
    if first is not None:
        raise first
    return None, ()


def _tagged(description: Description, section: Section) -> list[Section]:
    """The section whose transport is the group's, for the offerer (RFC 9143, section 7.2)."""
    return [description.section(section.bundle[0])] if section.bundle else []


def _groups(offer: Offer) -> list[list[Section]]:
    """The BUNDLE groups of the answer; the first section of each is the one that is tagged."""
    groups = []
    for bundle in offer.description.bundles:
        members = [offer.description.section(mid) for mid in bundle]
        group = [each for each in members if each in offer.taken or each.index in offer.spare]
        # A bundle-only section has port 0, and no transport of its own to go by.
        group.sort(key=lambda section: section.port == 0)
        if group:
            groups.append(group)
    return groups


def _transport(offer: Offer, section: Section, groups: Sequence[Sequence[Section]]) -> Transport:
    tagged = [group[0] for group in groups if section in group]
    return transport_of(section, [*tagged, *_tagged(offer.description, section), section])


def _is_legacy(section: Section) -> bool:
    """`m=application 9 DTLS/SCTP 5000`, as it was before RFC 8841."""
    return section.protocol.upper() == _LEGACY_SCTP and section.formats[0].isdigit()


def _blocks(sdp: str) -> list[list[str]]:
    """The lines of a description of ours: the session's, and those of every section."""
    blocks: list[list[str]] = [[]]
    for line in sdp.splitlines():
        if line.startswith("m="):
            blocks.append([])
        blocks[-1].append(line)
    return blocks


def _mirrored(
    offer: Offer, section: Section, numbering: Numbering, block: Sequence[str]
) -> list[str]:
    """One section of aiortc's answer in the words of the offer's."""
    formats = {each.number: each for each in offer.formats}
    extensions = {each.uri: each for each in extensions_of(section)}
    lines = []
    for line in block:
        name, _, value = line.partition(":")
        if line.startswith("m="):
            lines.append(_media_line(section, numbering, line))
        elif name == "a=rtpmap":
            lines += lines_for_peer(formats[numbering.to_peer(int(value.split()[0]))])
        elif name == "a=rtcp-fb":
            at, words = value.split(" ", 1)
            lines.append(f"a=rtcp-fb:{numbering.to_peer(int(at))} {words}")
        elif name == "a=extmap":
            lines.append(_extension_line(extensions[value.split()[1]]))
        elif name == "a=sctp-port" and _is_legacy(section):
            lines.append(f"a=sctpmap:{value} {_DATACHANNEL} 65535")
        elif name != "a=fmtp" and (name != "a=mid" or section.mid is not None):
            lines.append(line)
    return lines


def _media_line(section: Section, numbering: Numbering, line: str) -> str:
    kind, port, _, *formats = line.split()
    if section.kind == "video":
        formats = [str(numbering.to_peer(int(each))) for each in formats]
    elif _is_legacy(section):
        formats = [_OUR_SCTP_PORT]
    return f"{kind} {port} {section.protocol} {' '.join(formats)}"


def _extension_line(extension: Extension) -> str:
    direction = {"recvonly": "/sendonly"}.get(extension.direction, "")
    return f"a=extmap:{extension.id}{direction} {extension.uri}"


def _spare(description: Description, taken: Sequence[Section]) -> dict[int, list[Format]]:
    shared = {each.bundle for each in taken if each.bundle}
    return {
        section.index: formats
        for section in description.sections
        if section not in taken
        and section.kind in ("audio", "video")
        and section.is_open
        and section.bundle in shared
        and section.protocol.upper() in _RTP
        and has_mux([section, *_tagged(description, section)])
        and (formats := formats_of(section))
    }


def _inactive(section: Section, formats: Sequence[Format], block: Sequence[str]) -> list[str]:
    """A section in which nothing is sent, over the transport of another."""
    _, port, *_ = block[0].split()
    transport = ("a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:", "a=setup:")
    numbers = " ".join(str(each.number) for each in formats)
    return [
        f"m={section.kind} {port} {section.protocol} {numbers}",
        *(line for line in block if line.startswith("c=")),
        "a=inactive",
        f"a=mid:{section.mid}",
        "a=rtcp-mux",
        *(line for each in formats for line in lines_for_peer(each)),
        *(line for line in block if line.startswith(transport)),
    ]


def _rejected(section: Section) -> list[str]:
    return [
        f"m={section.kind} 0 {section.protocol} {' '.join(section.formats)}",
        "c=IN IP4 0.0.0.0",
        "a=inactive",
        *([] if section.mid is None else [f"a=mid:{section.mid}"]),
    ]
