"""Candidates that come after their offer: `application/trickle-ice-sdpfrag` (RFC 8840); pure."""

from ..errors import Unacceptable
from .candidates import usable
from .description import Section, parse


def read_fragment(text: str, offered: str) -> tuple[tuple[str, str], ...]:
    """The usable candidates of a fragment, each after the mid of the transport that it is for.

    `offered` is the offer as aiortc has it. That there are no more is passed over. Raises
    NegotiationError where the fragment is malformed or unreasonably large, Unacceptable where it
    would restart ICE.
    """
    fragment = parse(f"v=0\n{text}", "fragment")
    offer = parse(offered, "offer")
    ufrags = {value for section in offer.sections for value in section.own.get("ice-ufrag", ())}
    new = {
        value
        for part in (fragment.session, *(section.own for section in fragment.sections))
        for value in part.get("ice-ufrag", ())
    }
    if not new <= ufrags:
        raise Unacceptable(
            'the fragment cannot be accepted: its "a=ice-ufrag" is not the offer\'s, and ICE is '
            "not restarted here: make a new offer"
        )
    carriers = {section.mid: _carrier(section) for section in offer.sections}
    first = _carrier(offer.sections[0])
    written = [(first, value) for value in fragment.session.get("candidate", ())]
    for section in fragment.sections:
        mid = carriers.get(section.mid, first)
        written += [(mid, value) for value in section.own.get("candidate", ())]
    return tuple((mid, found) for mid, value in written if (found := usable(value)) is not None)


def _carrier(section: Section) -> str:
    """The mid of the section whose transport this one uses."""
    return section.bundle[0] if section.bundle else section.mid or ""
