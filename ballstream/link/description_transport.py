"""ICE and DTLS in a description: how to reach its maker, and how to know it; pure.

RFC 8839 (ICE), RFC 8842 and RFC 8122 (DTLS), RFC 9143 (BUNDLE: the lines that count are those of
the group's tagged section, others may lack them).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .candidates import is_hidden, usable
from .description import Section, is_token, quoted

_HASHES = {"sha-256": 32, "sha-384": 48, "sha-512": 64}
"""What a certificate can be known by here, and its bytes."""

_HEX = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2})*")

_LONGEST_SECRET = 256

_DEFAULT_SETUP = {"offer": "active", "answer": "passive"}
"""Where there is no `a=setup` (RFC 4145, section 4)."""


@dataclass(frozen=True, slots=True)
class Transport:
    """One way to the peer; `hidden` are candidates whose address is a name to be looked up."""

    ufrag: str
    password: str
    lite: bool
    fingerprints: tuple[str, ...]
    setup: str
    candidates: tuple[str, ...]
    hidden: tuple[str, ...]

    def lines(self) -> list[str]:
        """As aiortc reads it.

        Without the end of the candidates: hearing of it, aioice gives up on a peer of whom no
        candidate can be used, before it gathers its own. Yet such a peer can reach us, and its
        checks tell where it is.
        """
        return [
            f"a=ice-ufrag:{self.ufrag}",
            f"a=ice-pwd:{self.password}",
            *(f"a=fingerprint:{each}" for each in self.fingerprints),
            f"a=setup:{self.setup}",
            *(f"a=candidate:{each}" for each in self.candidates),
        ]


def transport_of(section: Section, carriers: Sequence[Section]) -> Transport:
    """The transport of a section, whose lines stand in the first of `carriers` that has them.

    Raises NegotiationError that names section and attribute where something is missing or wrong.
    """
    owner = next((each for each in carriers if each.own.get("ice-ufrag")), carriers[0])
    candidates = dict.fromkeys(filter(None, map(usable, owner.own.get("candidate", ()))))
    return Transport(
        ufrag=_secret(section, owner, "ice-ufrag"),
        password=_secret(section, owner, "ice-pwd"),
        lite="ice-lite" in section.session,
        fingerprints=_fingerprints(section, _values(carriers, "fingerprint")),
        setup=_setup(section, _values(carriers, "setup")),
        candidates=tuple(each for each in candidates if not is_hidden(each)),
        hidden=tuple(each for each in candidates if is_hidden(each)),
    )


def has_mux(carriers: Sequence[Section]) -> bool:
    """Whether RTP and RTCP share a port (RFC 5761, RFC 8858)."""
    return any("rtcp-mux" in each.own or "rtcp-mux-only" in each.own for each in carriers)


def _values(carriers: Sequence[Section], name: str) -> Sequence[str]:
    own = next((each.own[name] for each in carriers if each.own.get(name)), None)
    return own or carriers[0].session.get(name, ())


def _secret(section: Section, owner: Section, name: str) -> str:
    values = owner.values(name)
    if not values:
        raise section.malformed(f'has no "a={name}"')
    if not is_token(values[0], _LONGEST_SECRET):
        raise section.malformed(
            f'has an "a={name}" that is not one word of at most {_LONGEST_SECRET} characters'
        )
    return values[0]


def _fingerprints(section: Section, values: Sequence[str]) -> tuple[str, ...]:
    if not values:
        raise section.malformed('has no "a=fingerprint"')
    known = []
    for value in values:
        algorithm, _, digest = value.partition(" ")
        size = _HASHES.get(algorithm.lower())
        if size is None:
            continue
        digest = digest.strip()
        if len(digest) != 3 * size - 1 or not _HEX.fullmatch(digest):
            raise section.malformed(
                f"has {quoted(f'a=fingerprint:{value}')}, which is not {size} bytes in hexadecimal"
            )
        known.append(f"{algorithm.lower()} {digest.upper()}")
    if not known:
        raise section.unacceptable(
            f"has {quoted(f'a=fingerprint:{values[0]}')}; wanted was one of {', '.join(_HASHES)}"
        )
    return tuple(dict.fromkeys(known))


def _setup(section: Section, values: Sequence[str]) -> str:
    """Who begins DTLS: `active`, the maker of the description, or `passive`, the other end.

    Where an offer leaves it open, let it be its maker. If aiortc begins, it proposes ECDSA's
    ciphers alone, which a peer with an RSA certificate, as GStreamer, refuses.
    """
    setup = values[0].lower() if values else _DEFAULT_SETUP[section.role]
    if setup == "actpass" and section.role == "offer":
        return "active"
    if setup not in ("active", "passive"):
        wanted = "active or passive"
        raise section.malformed(
            f"has {quoted(f'a=setup:{setup}')}; wanted was "
            + (f"actpass, {wanted}" if section.role == "offer" else wanted)
        )
    return setup
