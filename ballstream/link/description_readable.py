"""Descriptions in aiortc's own words: what it reads without trouble, and no more; pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from .description import Section, number, quoted
from .description_formats import Format, Numbering, extensions_of, lines_for_aiortc

DATACHANNEL = "webrtc-datachannel"

_SCTP = ("UDP/DTLS/SCTP", "TCP/DTLS/SCTP", "DTLS/SCTP")
_MOST_SCTP_PORTS = 0xFFFF
_MOST_MESSAGE = (1 << 62) - 1
_MOST_SSRC = 0xFFFFFFFF
_RETRANSMISSION = "FID"


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


def is_data(section: Section) -> bool:
    """Whether a section is one of datachannels (RFC 8841)."""
    if section.kind != "application" or section.protocol.upper() not in _SCTP:
        return False
    return section.formats[0].lower() == DATACHANNEL or is_legacy(section)


def is_legacy(section: Section) -> bool:
    """`m=application 9 DTLS/SCTP 5000`, as it was before RFC 8841, also over UDP by name."""
    return section.protocol.upper() in _SCTP and section.formats[0].isdigit()


def mid_of(section: Section) -> str:
    """By which aiortc knows a section: its mid, or where there is none, one that nobody has."""
    return f"{section.index} is nameless" if section.mid is None else section.mid


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


def source_lines(section: Section) -> list[str]:
    """Who sends, the stream first and then what repeats its lost packets (RFC 5576)."""
    sources = [value.partition(" ")[0] for value in section.own.get("ssrc", ())]
    for value in section.own.get("ssrc-group", ()):
        semantics, *pair = value.split() or [""]
        if semantics.upper() == _RETRANSMISSION and len(pair) == 2:
            sources = pair
            break
    numbers = dict.fromkeys(number(each, _MOST_SSRC) for each in sources)
    return [f"a=ssrc:{each} cname:-" for each in numbers if each is not None]


def data_lines(section: Section) -> list[str]:
    """A datachannel section in aiortc's own words, but for mid and transport."""
    values = section.own.get("sctp-port")
    text = values[0] if values else section.formats[0] if is_legacy(section) else None
    if text is None:
        raise section.malformed('has no "a=sctp-port" (RFC 8841)')
    port = number(text, _MOST_SCTP_PORTS)
    if not port:
        raise section.malformed(
            f"has {quoted(f'a=sctp-port:{text}')}; wanted was a port from 1 to 65535"
        )
    size = number(next(iter(section.own.get("max-message-size", ())), ""), _MOST_MESSAGE)
    return [
        f"m=application 9 UDP/DTLS/SCTP {DATACHANNEL}",
        f"a=sctp-port:{port}",
        *([] if size is None else [f"a=max-message-size:{size}"]),
    ]


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
