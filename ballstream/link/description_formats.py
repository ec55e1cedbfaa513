"""Codecs in a description: payload types, and what is said of them; pure.

RFC 8866, section 6.6 (`a=rtpmap`) and 6.15 (`a=fmtp`), RFC 4585 (`a=rtcp-fb`), RFC 6184 (H.264),
RFC 7741 (VP8), RFC 4588 (retransmission), RFC 8285 (header extensions).

aiortc keeps a peer's payload types only from 96 to 127. So it is shown others there, and what it
writes is turned back: `Numbering` does both.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .description import Section, number, quoted

RTX = "rtx"

_CODECS = {
    "video": {"VP8/90000": "VP8", "H264/90000": "H264", "RTX/90000": RTX},
    "audio": {
        "OPUS/48000/2": "opus", "G722/8000": "G722", "PCMU/8000": "PCMU", "PCMA/8000": "PCMA",
    },
}  # fmt: skip
"""What aiortc knows, by the encoding in capitals."""

_STATIC = {"0": "PCMU/8000", "8": "PCMA/8000", "9": "G722/8000"}
"""Payload types that need no `a=rtpmap` (RFC 3551, section 6), as far as aiortc knows them."""

_KNOWN_FEEDBACK = ("nack", "nack pli", "goog-remb")

_MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
PLAYOUT_DELAY = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
_EXTENSIONS = (_MID, "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time", PLAYOUT_DELAY)
_MOST_SHORT_EXTENSIONS = 14

_MOST_FORMATS = 127
_DYNAMIC = range(96, 128)
_RTCP = range(64, 96)
"""Payload types that cannot be told from RTCP on the same port (RFC 5761, section 4)."""

_BASELINE, _CONSTRAINED_BASELINE = "42001f", "42e01f"
_CONTAINS_CONSTRAINED_BASELINE = (0x4D, 0x58, 0x64, 0x6E, 0x7A, 0xF4)
"""Main, Extended, and the High profiles: their decoders take what is sent here."""


@dataclass(frozen=True, slots=True)
class Format:
    """One payload type that can be used: `codec` is `VP8`, `H264` or `rtx`, or of audio.

    `encoding` and `parameters` are as the peer has them, `profile` is the H.264 profile under which
    aiortc knows it, `apt` the payload type that this one repeats.
    """

    number: int
    codec: str
    encoding: str
    parameters: Mapping[str, str]
    feedback: tuple[str, ...]
    profile: str = ""
    apt: int | None = None


@dataclass(frozen=True, slots=True)
class Extension:
    """A header extension that can be used; `direction` is its offerer's, "" where not given."""

    id: int
    uri: str
    direction: str


@dataclass(frozen=True, slots=True)
class Numbering:
    """Payload types here and there; equal but where the peer's are out of aiortc's range."""

    peers: Mapping[int, int] = field(default_factory=dict)
    """By aiortc's number, where they differ."""

    @classmethod
    def of(cls, formats: Iterable[Format]) -> "Numbering":
        """Put what is out of aiortc's range into gaps of it, as long as there are any."""
        numbers = {each.number: None for each in formats}
        free = (each for each in _DYNAMIC if each not in numbers)
        outside = [each for each in numbers if each not in _DYNAMIC]
        return cls(dict(zip(free, outside, strict=False)))

    def to_peer(self, number: int) -> int:
        """aiortc's number as the peer has it."""
        return self.peers.get(number, number)

    def to_aiortc(self, number: int) -> int:
        """The peer's number as aiortc has it."""
        return next((ours for ours, theirs in self.peers.items() if theirs == number), number)


def formats_of(section: Section, codec: str | None = None) -> list[Format]:
    """The formats of an audio or video section that can be used, in the peer's order.

    Each that repeats lost packets comes after the one that it belongs to; with `codec` only that
    codec's. Of H.264 those that say baseline come first.
    """
    encodings = {**(_STATIC if section.kind == "audio" else {}), **_by_number(section, "rtpmap")}
    parameters = _parameters(section)
    feedback = _feedback(section)
    bases, repeats = [], []
    for text in dict.fromkeys(section.formats):
        at = number(text, _MOST_FORMATS)
        encoding = encodings.get(text, "").replace(" ", "")
        name = _CODECS[section.kind].get(encoding.upper().removesuffix("/1"))
        if at is None or at in _RTCP or name is None:
            continue
        said = parameters.get(text, {})
        if name == RTX:
            repeats.append(
                Format(at, name, encoding, {}, (), apt=number(said.get("apt", ""), _MOST_FORMATS))
            )
        elif codec in (None, name) and (name != "H264" or _profile(said)):
            given = (*feedback.get(text, ()), *feedback.get("*", ()))
            known = tuple(each for each in _KNOWN_FEEDBACK if each in given)
            profile = _profile(said) if name == "H264" else ""
            bases.append(Format(at, name, encoding, said, known, profile))
    bases.sort(key=lambda base: base.codec == "H264" and not _says_baseline(base.parameters))
    used = {base.number for base in bases}
    return [*bases[: len(_DYNAMIC) // 2], *(each for each in repeats if each.apt in used)][
        : len(_DYNAMIC)
    ]


def why_none(section: Section, codec: str | None) -> str:
    """Why `formats_of` found nothing: what stands there and what was wanted, as an error has it."""
    names = ("VP8", "H264") if codec is None else (codec,)
    wanted = " or ".join(
        "H264/90000 with packetization-mode=1" if each == "H264" else f"{each}/90000"
        for each in names
    )
    encodings = _by_number(section, "rtpmap")
    there = [encodings.get(each, each) for each in section.formats]
    h264 = next(
        (each for each in section.formats if encodings.get(each, "").upper() == "H264/90000"), None
    )
    if codec != "VP8" and h264 is not None:
        said = _parameters(section).get(h264, {})
        key = "profile-level-id" if said.get("packetization-mode") == "1" else "packetization-mode"
        found = quoted(f"{key}={said[key]}") if key in said else f"no {key}"
        return f'has {found} in "a=fmtp:{h264}"; wanted was {wanted}'
    for text in section.formats:
        if encodings.get(text, "").upper().removesuffix("/90000") in names:
            return (
                f"has {quoted(f'a=rtpmap:{text} {encodings[text]}')}; wanted was a payload type "
                "from 0 to 63 or 96 to 127 (RFC 5761)"
            )
    return (
        f'has no video codec in common with this end: "a=rtpmap" names {quoted(", ".join(there))}; '
        f"wanted was {wanted}"
    )


def extensions_of(section: Section) -> list[Extension]:
    """The header extensions of a section that are known here, and that both ends may use.

    aiortc passes over the one that it does not know, the playout delay.
    """
    # Of a sender's extensions nothing is sent to it; nor is a mid where there is none.
    closed = ("inactive", "sendonly") if section.role == "offer" else ("inactive",)
    known = [each for each in _EXTENSIONS if each != _MID or section.mid is not None]
    found: dict[str, Extension] = {}
    for value in (*section.own.get("extmap", ()), *section.session.get("extmap", ())):
        words = value.split()
        if len(words) < 2 or words[1] not in known or words[1] in found:
            continue
        text, _, direction = words[0].partition("/")
        at = number(text, _MOST_SHORT_EXTENSIONS)
        taken = any(each.id == at for each in found.values())
        if at and not taken and direction.lower() not in closed:
            found[words[1]] = Extension(at, words[1], direction.lower())
    return sorted(found.values(), key=lambda each: each.id)


def lines_for_aiortc(formats: Sequence[Format], numbering: Numbering) -> list[str]:
    """The formats in aiortc's own words."""
    lines = []
    for each in formats:
        at = numbering.to_aiortc(each.number)
        channels = "/2" if each.codec == "opus" else ""
        clock = each.encoding.split("/")[1]
        lines.append(f"a=rtpmap:{at} {each.codec}/{clock}{channels}")
        lines += [f"a=rtcp-fb:{at} {feedback}" for feedback in each.feedback]
        if each.apt is not None:
            lines.append(f"a=fmtp:{at} apt={numbering.to_aiortc(each.apt)}")
        if each.profile:
            lines.append(
                f"a=fmtp:{at} level-asymmetry-allowed=1;packetization-mode=1;"
                f"profile-level-id={each.profile}"
            )
    return lines


def lines_for_peer(each: Format) -> list[str]:
    """A format as it was offered, without feedback, for the answer."""
    lines = [f"a=rtpmap:{each.number} {each.encoding}"]
    if each.apt is not None:
        lines.append(f"a=fmtp:{each.number} apt={each.apt}")
    if each.codec == "H264":
        # The profile must come back as it was offered, and the level with it (RFC 6184, 8.2.2).
        said = ["packetization-mode=1"]
        if each.parameters.get("level-asymmetry-allowed") == "1":
            said.append("level-asymmetry-allowed=1")
        if "profile-level-id" in each.parameters:
            said.append(f"profile-level-id={each.parameters['profile-level-id']}")
        lines.append(f"a=fmtp:{each.number} {';'.join(said)}")
    return lines


def _by_number(section: Section, name: str) -> dict[str, str]:
    """Values like `96 VP8/90000` by their first word; of several the first counts."""
    found: dict[str, str] = {}
    for value in section.own.get(name, ()):
        first, *rest = value.split(None, 1) or [""]
        found.setdefault(first, rest[0] if rest else "")
    return found


def _parameters(section: Section) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for value in section.own.get("fmtp", ()):
        first, *rest = value.split(None, 1) or [""]
        for item in "".join(rest).split(";"):
            key, _, said = item.partition("=")
            found.setdefault(first, {})[key.strip().lower()] = said.strip()
    return found


def _feedback(section: Section) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for value in section.own.get("rtcp-fb", ()):
        first, *rest = value.lower().split() or [""]
        found.setdefault(first, []).append(" ".join(rest))
    return found


def _profile(said: Mapping[str, str]) -> str:
    """The profile under which aiortc knows an H.264 format; "" where it cannot be used.

    What is sent and read here is the constrained baseline profile, packets in mode 1. The level is
    that of the stream, whatever number stands there; without one it is baseline (RFC 6184, 8.1).
    """
    level = said.get("profile-level-id", _BASELINE)
    if said.get("packetization-mode") != "1" or len(level) != 6:
        return ""
    try:
        profile, constraints, _ = bytes.fromhex(level)
    except ValueError:
        return ""
    if profile == 0x42:
        return _CONSTRAINED_BASELINE if constraints & 0x40 else _BASELINE
    return _CONSTRAINED_BASELINE if profile in _CONTAINS_CONSTRAINED_BASELINE else ""


def _says_baseline(said: Mapping[str, str]) -> bool:
    return said.get("profile-level-id", _BASELINE).startswith("42")
