"""What a session description says, whoever wrote it and however (RFC 8866); pure.

Read without trust and without pedantry: within limits, in linear time, and what does not matter
here is passed over. What is asked of a description stands in `description_offer.py` and
`description_answer.py`, how aiortc is told in `description_readable.py`, and how its own answer
becomes one that the peer knows in `description_mirror.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import NegotiationError, Unacceptable, printable

MAX_SECTIONS = 8
MAX_CANDIDATES = 64
MAX_LINES = 1000
MAX_MID = 64

Attributes = Mapping[str, Sequence[str]]
"""Attribute names, in small letters, and the values of their lines; "" where there is none."""

DIRECTIONS = ("inactive", "sendonly", "recvonly", "sendrecv")
"""Bit 0: its maker sends; bit 1: it receives (RFC 8866, section 6.7)."""

_MOST_PORTS = 0xFFFF
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Section:
    """One media section: its `m=` line and its attributes (RFC 8866, section 5.14).

    `role` is `offer` or `answer`, that of the whole; `mid` is None where there is none, `bundle`
    the mids of the BUNDLE group (RFC 9143) that it belongs to.
    """

    role: str
    index: int
    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    mid: str | None
    bundle: tuple[str, ...]
    own: Attributes
    session: Attributes

    @property
    def name(self) -> str:
        """How an error names it."""
        where = f"number {self.index + 1}" if self.mid is None else f"mid {quoted(self.mid)}"
        return f"section {quoted(self.kind)} ({where})"

    @property
    def is_open(self) -> bool:
        """Whether it takes part: port 0 says no, but of a bundle-only one (RFC 9143, section 6)."""
        return self.port != 0 or ("bundle-only" in self.own and bool(self.bundle))

    @property
    def direction(self) -> str:
        """Its own, the session's, or the default."""
        for attributes in (self.own, self.session):
            for name in attributes:
                if name in DIRECTIONS:
                    return name
        return "sendrecv"

    def values(self, name: str) -> Sequence[str]:
        """The values of an attribute, its own or else the session's."""
        return self.own.get(name) or self.session.get(name) or ()

    def malformed(self, words: str) -> NegotiationError:
        """The error of a description that breaks a rule."""
        return NegotiationError(f"the {self.role} cannot be used: {self.name} {words}")

    def unacceptable(self, words: str) -> Unacceptable:
        """The error of a description that asks for what is not there."""
        return Unacceptable(f"the {self.role} cannot be accepted: {self.name} {words}")


@dataclass(frozen=True, slots=True)
class Description:
    """A whole description; `bundles` are the mids of its BUNDLE groups."""

    sections: tuple[Section, ...]
    bundles: tuple[tuple[str, ...], ...]
    session: Attributes

    def section(self, mid: str) -> Section:
        """The section of a mid that a BUNDLE group names."""
        return next(section for section in self.sections if section.mid == mid)


def parse(text: str, role: str) -> Description:
    """Read a description; raises NegotiationError where it is malformed or unreasonably large."""
    text = text.removeprefix("\ufeff").replace("\r", "\n")
    lines = [line.strip() for line in text.split("\n")]
    lines = [line for line in lines if line]
    if len(lines) > MAX_LINES:
        raise NegotiationError(f"the {role} is longer than any that makes sense")
    if not lines or not lines[0].startswith("v="):
        raise NegotiationError(f'the {role} is malformed: it does not begin with "v=0"')
    blocks: list[list[str]] = [[]]
    for line in lines:
        if line.startswith("m="):
            blocks.append([])
        blocks[-1].append(line)
    if len(blocks) - 1 > MAX_SECTIONS:
        raise NegotiationError(f"the {role} has more than {MAX_SECTIONS} media sections")
    session = _attributes(blocks[0])
    owned = [_attributes(block) for block in blocks[1:]]
    mids = [_mid(attributes, role, index) for index, attributes in enumerate(owned)]
    bundles = _bundles(session, mids, role)
    bundle_of = {mid: bundle for bundle in bundles for mid in bundle}
    sections = tuple(
        _section(block[0], role, index, mid, bundle_of.get(mid or "", ()), attributes, session)
        for index, (block, mid, attributes) in enumerate(zip(blocks[1:], mids, owned, strict=True))
    )
    return Description(sections, bundles, session)


def number(text: str, most: int) -> int | None:
    """A number without a sign, from 0 to `most`; None where the text is none."""
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(most)):
        return None
    return value if (value := int(text)) <= most else None


def is_token(text: str, longest: int) -> bool:
    """Whether a text is one visible word of ASCII, not too long."""
    return 0 < len(text) <= longest and text.isascii() and text.isprintable() and " " not in text


def quoted(text: str) -> str:
    """What a peer wrote, for an error: one line, not long."""
    line = printable(text)
    return f'"{line}"' if len(line) <= _SHOWN else f'"{line[:_SHOWN]}..."'


def reverse(direction: str) -> str:
    """A direction as the other end sees it."""
    return {"sendonly": "recvonly", "recvonly": "sendonly"}.get(direction, direction)


def both(direction: str, other: str) -> str:
    """What two directions have in common."""
    return DIRECTIONS[DIRECTIONS.index(direction) & DIRECTIONS.index(other)]


def _attributes(lines: Sequence[str]) -> Attributes:
    found: dict[str, list[str]] = {}
    for line in lines:
        if line.startswith("a="):
            name, _, value = line[2:].partition(":")
            found.setdefault(name.strip().lower(), []).append(value.strip())
    return found


def _mid(attributes: Attributes, role: str, index: int) -> str | None:
    """The name of a section (RFC 5888, section 4)."""
    values = attributes.get("mid")
    if not values:
        return None
    if not is_token(values[0], MAX_MID):
        raise NegotiationError(
            f"the {role} is malformed: section number {index + 1} has "
            f"{quoted(f'a=mid:{values[0]}')}, which is no name"
        )
    return values[0]


def _bundles(
    session: Attributes, mids: Sequence[str | None], role: str
) -> tuple[tuple[str, ...], ...]:
    named = {mid for mid in mids if mid is not None}
    if len(named) < sum(mid is not None for mid in mids):
        twice = next(mid for at, mid in enumerate(mids) if mid is not None and mid in mids[:at])
        raise NegotiationError(
            f"the {role} is malformed: two of its sections have {quoted(f'a=mid:{twice}')}"
        )
    bundles = []
    for value in session.get("group", ()):
        semantics, *members = value.split() or [""]
        if semantics.upper() == "BUNDLE":
            bundle = tuple(mid for mid in dict.fromkeys(members) if mid in named)
            named -= set(bundle)
            bundles.append(bundle)
    return tuple(bundle for bundle in bundles if bundle)


def _section(
    line: str,
    role: str,
    index: int,
    mid: str | None,
    bundle: tuple[str, ...],
    own: Attributes,
    session: Attributes,
) -> Section:
    words = line[2:].split()
    port = number(words[1].partition("/")[0], _MOST_PORTS) if len(words) > 3 else None
    if port is None or not line.isascii():
        raise NegotiationError(
            f"the {role} is malformed: {quoted(line)} is not "
            '"m=KIND PORT PROTOCOL FORMAT ..." in ASCII, with a port from 0 to 65535'
        )
    section = Section(
        role, index, words[0].lower(), port, words[2], tuple(words[3:]), mid, bundle, own, session
    )  # fmt: skip
    if len(own.get("candidate", ())) > MAX_CANDIDATES:
        raise section.malformed(f"has more than {MAX_CANDIDATES} candidates")
    return section
