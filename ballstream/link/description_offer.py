"""What is taken of an offer, and how aiortc reads it (RFC 8829); pure.

Taken are one section for video and one for datachannels. aiortc sees nothing of the others, nor of
what it would not understand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import NegotiationError, Unacceptable
from .description import Description, Section, parse, quoted
from .description_formats import Format, Numbering, formats_of, why_none
from .description_readable import (
    Readable,
    compose,
    data_lines,
    is_data,
    mid_of,
    source_lines,
    video_lines,
)
from .description_transport import Transport, has_mux, transport_of

_RTP = (
    "UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "TCP/TLS/RTP/SAVPF", "TCP/TLS/RTP/SAVP",
    "TCP/DTLS/RTP/SAVPF", "TCP/DTLS/RTP/SAVP", "RTP/SAVPF", "RTP/SAVP", "RTP/AVPF", "RTP/AVP",
)  # fmt: skip
"""All mean the same where there is a fingerprint (RFC 8829, section 5.1.2)."""


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer that can be answered; `video` and `data` are the sections that are taken.

    `formats` are those of the video that can be used; `spare` those of sections that are not taken
    but could be, over the transport of one that is, by their indices. `wanted` is the direction in
    which the video is taken, as the maker of the offer sees it.
    """

    description: Description
    video: Section | None
    formats: tuple[Format, ...]
    data: Section | None
    spare: Mapping[int, Sequence[Format]]
    wanted: str = "recvonly"

    @property
    def taken(self) -> tuple[Section, ...]:
        """The sections that are taken, in their order."""
        sections = [each for each in (self.video, self.data) if each is not None]
        return tuple(sorted(sections, key=lambda section: section.index))


def read_offer(
    text: str, codec: str | None = None, *, sends_video: bool = True, wanted: str = "recvonly"
) -> Offer:
    """Read an offer, to be answered with video in `codec`, by default any, and datachannels.

    Where its maker is to send the video, `wanted` is `sendonly`.

    Raises NegotiationError where it is malformed or lacks what it must have, Unacceptable where
    it asks for nothing that there is.
    """
    description = parse(text, "offer")
    data = next((each for each in description.sections if each.is_open and is_data(each)), None)
    video, formats = _choose_video(description, codec, wanted) if sends_video else (None, ())
    if video is None and data is None:
        # What has no section at all is no offer that could have been accepted anywhere.
        raise (Unacceptable if description.sections else NegotiationError)(
            "the offer needs a video section that wants video, or datachannels: add a recvonly "
            "video transceiver before offering"
        )
    taken = [each for each in (video, data) if each is not None]
    offer = Offer(description, video, formats, data, _spare(description, taken), wanted)
    readable(offer)
    return offer


def readable(offer: Offer) -> Readable:
    """The offer as aiortc reads it; raises NegotiationError, Unacceptable."""
    groups = groups_of(offer)
    transports = {each.index: _transport(offer, each, groups) for each in offer.taken}
    numbering = Numbering.of(offer.formats)
    sections = []
    for section in offer.taken:
        if section is offer.video:
            media = video_lines(section, offer.wanted, offer.formats, numbering)
            media += source_lines(section) if offer.wanted == "sendonly" else []
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
        _hidden(offer.taken, transports),
        offer.formats[0].codec if offer.formats else "",
    )


def groups_of(offer: Offer) -> list[list[Section]]:
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


def _hidden(
    sections: Sequence[Section], transports: Mapping[int, Transport]
) -> tuple[tuple[str, str], ...]:
    """The candidates to be looked up, with the mids of their sections."""
    return tuple(
        (mid_of(section), candidate)
        for section in sections
        for candidate in transports[section.index].hidden
    )


def _choose_video(
    description: Description, codec: str | None, wanted: str
) -> tuple[Section | None, tuple[Format, ...]]:
    """The first video section that can be taken; raises Unacceptable where none of them can."""
    first: Unacceptable | None = None
    for section in description.sections:
        if section.kind != "video" or not section.is_open:
            continue
        formats = formats_of(section, codec)
        if section.direction not in (wanted, "sendrecv"):
            does = "wants" if wanted == "recvonly" else "sends"
            words = (
                f'is "a={section.direction}"; wanted was a section that {does} video: "a={wanted}"'
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


def _transport(offer: Offer, section: Section, groups: Sequence[Sequence[Section]]) -> Transport:
    tagged = [group[0] for group in groups if section in group]
    carriers = [*tagged, *_tagged(offer.description, section), section]
    if not any(each.values("ice-ufrag") for each in carriers):
        # Its lines belong there; in another section of the group they cannot mean anything else.
        carriers += [offer.description.section(mid) for mid in section.bundle]
    return transport_of(section, carriers)


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
