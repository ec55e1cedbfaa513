"""What a description says of the ways to its end (RFC 8839); pure."""

import ipaddress
import re

from .description import number

_TYPES = ("host", "srflx", "relay")
_HIDDEN = re.compile(r"[A-Za-z0-9-]{1,63}\.local")
_MOST_FOUNDATION = 64
_MOST_PRIORITY = 0xFFFFFFFF
_MOST_PORTS = 0xFFFF


def has_candidate(sdp: str, kind: str = "") -> bool:
    """Whether a description has a candidate, of one kind (`host`, `srflx`, `relay`) if given."""
    return any(f" typ {kind}" in line for line in sdp.splitlines() if _is_candidate(line))


def usable(candidate: str) -> str | None:
    """The value of an `a=candidate` line as aiortc reads it; None where nothing can be sent there.

    Which is so of TCP, of a second component (there is one port for all), of port 0, of names other
    than those of multicast DNS, and of nonsense.
    """
    words = candidate.split()
    if len(words) < 8 or words[6].lower() != "typ":
        return None
    foundation, component, transport, priority, address, port, _, kind = words[:8]
    if (
        component != "1"
        or transport.lower() != "udp"
        or kind.lower() not in _TYPES
        or not (foundation.isascii() and len(foundation) <= _MOST_FOUNDATION)
        or not number(priority, _MOST_PRIORITY)
        or not number(port, _MOST_PORTS)
        or not (_HIDDEN.fullmatch(address.lower()) or _is_address(address))
    ):
        return None
    return f"{foundation} 1 udp {int(priority)} {address.lower()} {int(port)} typ {kind.lower()}"


def is_hidden(candidate: str) -> bool:
    """Whether the address of a usable candidate is a name of multicast DNS.

    Browsers write such names instead of addresses (draft-ietf-mmusic-mdns-ice-candidates).
    """
    return candidate.split()[4].endswith(".local")


def advertise(sdp: str, address: str) -> str:
    """The description with a further candidate at `address` for each host candidate of its family.

    It is what a NAT that keeps the port would make of the host candidate, so it is written as a
    server-reflexive one (RFC 8445, section 5.1.1.2). Those at `address` already need no other.
    """
    lines: list[str] = []
    for line in sdp.splitlines():
        lines.append(line)
        if _is_candidate(line) and " typ host" in line:
            foundation, component, transport, _, host, port, *_ = line.partition(":")[2].split()
            if host != address and (":" in host) == (":" in address):
                lines.append(
                    f"a=candidate:{foundation}a {component} {transport} {_PRIORITY} {address} "
                    f"{port} typ srflx raddr {host} rport {port}"
                )
    return "".join(f"{line}\r\n" for line in lines)


_PRIORITY = 100 << 24 | 0xFFFF << 8 | 0xFF
"""Of a server-reflexive candidate (RFC 8445, section 5.1.2.2)."""


def _is_candidate(line: str) -> bool:
    return line.startswith("a=candidate:")


def _is_address(text: str) -> bool:
    """Whether it is an address of one machine, and valid on all of ours."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text and not (address.is_unspecified or address.is_multicast)
