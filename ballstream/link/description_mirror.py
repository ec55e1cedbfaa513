"""aiortc's answer in the words of the offer (RFC 3264, RFC 8829, RFC 9143); pure.

It mirrors the offer: sections and their order, mids, protocols, BUNDLE groups, payload types. What
is not taken has port 0 or, where it shares the transport and could have been taken, is inactive:
aiortc as a peer knows no port 0.
"""

from collections.abc import Sequence

from .description import Section
from .description_formats import (
    PLAYOUT_DELAY,
    Extension,
    Format,
    Numbering,
    extensions_of,
    lines_for_peer,
)
from .description_offer import Offer, groups_of
from .description_readable import DATACHANNEL, bundle_line, is_legacy

_OUR_SCTP_PORT = "5000"
"""aiortc's, in every answer."""


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
    lines += [bundle_line(group) for group in groups_of(offer)]
    for section in offer.description.sections:
        if section.index in written:
            lines += written[section.index]
        elif section.index in offer.spare:
            lines += _inactive(section, offer.spare[section.index], shared[section.bundle])
        else:
            lines += _rejected(section)
    return "".join(f"{line}\r\n" for line in lines)


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
        elif name == "a=sctp-port" and is_legacy(section):
            lines.append(f"a=sctpmap:{value} {DATACHANNEL} 65535")
        elif name != "a=fmtp" and (name != "a=mid" or section.mid is not None):
            lines.append(line)
    if PLAYOUT_DELAY in extensions:  # of which aiortc writes nothing
        lines.append(_extension_line(extensions[PLAYOUT_DELAY]))
    return lines


def _media_line(section: Section, numbering: Numbering, line: str) -> str:
    kind, port, _, *formats = line.split()
    if section.kind == "video":
        formats = [str(numbering.to_peer(int(each))) for each in formats]
    elif is_legacy(section):
        formats = [_OUR_SCTP_PORT]
    return f"{kind} {port} {section.protocol} {' '.join(formats)}"


def _extension_line(extension: Extension) -> str:
    direction = {"recvonly": "/sendonly"}.get(extension.direction, "")
    return f"a=extmap:{extension.id}{direction} {extension.uri}"


def _inactive(section: Section, formats: Sequence[Format], block: Sequence[str]) -> list[str]:
    """A section in which nothing is sent, over the transport of another.

    It may be the tagged one, in which alone the offerer looks for the transport (RFC 9143, 7.3).
    """
    _, port, *_ = block[0].split()
    transport = (
        "a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:", "a=setup:", "a=candidate:",
        "a=end-of-candidates",
    )  # fmt: skip
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
