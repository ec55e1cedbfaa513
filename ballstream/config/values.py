"""Values that are more than a number or a word."""

import ipaddress
from dataclasses import dataclass


class Secret(str):
    """What nobody should read in a log, a report or a traceback."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'(secret)'"


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class IceServer:
    """A STUN server, or a TURN server with its credentials; the URL has none in it."""

    url: str
    username: str | None = None
    credential: Secret | None = None


def is_loopback(host: str) -> bool:
    """Whether a host, by name or address, is this machine and nobody else can reach it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
