"""What a description says of the ways to its end (RFC 8839); pure."""


def has_candidate(sdp: str, kind: str = "") -> bool:
    """Whether a description has a candidate, of one kind (`host`, `srflx`, `relay`) if given."""
    return any(f" typ {kind}" in line for line in sdp.splitlines() if _is_candidate(line))


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
