"""An answer as aiortc reads it, which made the offer (RFC 8829, RFC 3264); pure."""

from collections.abc import Sequence

from ..errors import NegotiationError, Unacceptable
from .description import Description, Section, both, parse, quoted, reverse
from .description_formats import Format, Numbering, formats_of, why_none
from .description_readable import Readable, compose, data_lines, is_data, source_lines, video_lines
from .description_transport import has_mux, transport_of

_REFUSED = {"video": "sends no video", "application": "takes no datachannel"}


def read_answer(text: str, offered: str) -> Readable:
    """An answer to an offer of aiortc's, of video and datachannels, as aiortc reads it.

    Raises NegotiationError where it is malformed or does not fit the offer, Unacceptable where the
    server does not take a section that was offered.
    """
    offer = parse(offered, "offer")
    answer = parse(text, "answer")
    for ours, theirs in zip(offer.sections, answer.sections, strict=False):
        _compare(ours, theirs)
    if len(answer.sections) < len(offer.sections):
        raise _refused(offer.sections[len(answer.sections)].kind)
    if len(answer.sections) > len(offer.sections):
        raise NegotiationError("the answer cannot be used: it has more sections than the offer")
    formats = {
        section.index: _formats(section) for section in answer.sections if section.kind == "video"
    }
    numbering = Numbering.of(each for several in formats.values() for each in several)
    sections, hidden, lite = [], [], False
    for ours, theirs in zip(offer.sections, answer.sections, strict=True):
        transport = transport_of(theirs, [*_tagged(answer, theirs), theirs])
        if theirs.kind == "video":
            direction = both(theirs.direction, reverse(ours.direction))
            media = video_lines(theirs, direction, formats[theirs.index], numbering)
            media += source_lines(theirs)
        else:
            media = data_lines(theirs)
        sections.append([*media, f"a=mid:{ours.mid}", *transport.lines()])
        hidden += [(ours.mid or "", candidate) for candidate in transport.hidden]
        lite = lite or transport.lite
    groups = [[answer.section(mid) for mid in bundle] for bundle in answer.bundles]
    codec = next((several[0].codec for several in formats.values()), "")
    return Readable(compose(groups, sections, lite=lite), numbering, tuple(hidden), codec)


def _compare(ours: Section, theirs: Section) -> None:
    """Raise unless a section of the answer takes the one of the offer."""
    if theirs.kind != ours.kind:
        raise theirs.malformed(f"stands where the offer has {quoted(ours.kind)}")
    if theirs.mid not in (None, ours.mid):
        raise theirs.malformed(f"stands where the offer has mid {quoted(str(ours.mid))}")
    if not theirs.is_open:
        raise _refused(theirs.kind)
    if theirs.kind == "application" and not is_data(theirs):
        found = quoted(f"{theirs.protocol} {' '.join(theirs.formats)}")
        raise theirs.malformed(f"is {found}; wanted was {ours.protocol} {' '.join(ours.formats)}")


def _refused(kind: str) -> Unacceptable:
    return Unacceptable(f"the server {_REFUSED.get(kind, f'takes no {kind}')}")


def _formats(section: Section) -> list[Format]:
    formats = formats_of(section)
    if not formats:
        raise section.unacceptable(why_none(section, None))
    return formats


def _tagged(answer: Description, section: Section) -> Sequence[Section]:
    """The section whose transport is the group's (RFC 9143, section 7.3)."""
    tagged = [answer.section(section.bundle[0])] if section.bundle else []
    if section.kind == "video" and not has_mux([section, *tagged]):
        raise section.unacceptable('has no "a=rtcp-mux": RTP and RTCP have to share a port')
    return tagged
