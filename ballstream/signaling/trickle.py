"""Fragments of a description, which a client sends after its offer (RFC 8840); pure."""

import re
from typing import NamedTuple

CONTENT_TYPE = "application/trickle-ice-sdpfrag"

_SECTION = re.compile(r"^(?=m=)", re.MULTILINE)
_ATTRIBUTE = re.compile(r"^a=(ice-ufrag|ice-pwd|mid|candidate):(.*)$", re.MULTILINE)


class Candidate(NamedTuple):
    """A way to the client that it found after its offer.

    `line` is the attribute without `a=`, `candidate:...`; `mid` names the media section.
    """

    line: str
    mid: str | None


class Fragment(NamedTuple):
    """What ICE is to know of a client: its credentials, as far as given, and its candidates."""

    ufrags: frozenset[str]
    passwords: frozenset[str]
    candidates: tuple[Candidate, ...]

    def restarts(self, other: "Fragment") -> bool:
        """Whether these are the credentials of another ICE session than those of `other`."""
        return not (self.ufrags <= other.ufrags and self.passwords <= other.passwords)


def parse(text: str) -> Fragment:
    """Read a fragment, or a whole description; whatever else stands there is passed over."""
    sections = [
        [(name, value.strip()) for name, value in _ATTRIBUTE.findall(section)]
        for section in _SECTION.split(text)
    ]
    mids = [next((value for name, value in each if name == "mid"), None) for each in sections]
    return Fragment(
        frozenset(value for each in sections for name, value in each if name == "ice-ufrag"),
        frozenset(value for each in sections for name, value in each if name == "ice-pwd"),
        tuple(
            Candidate(f"candidate:{value}", mid)
            for each, mid in zip(sections, mids, strict=True)
            for name, value in each
            if name == "candidate"
        ),
    )
