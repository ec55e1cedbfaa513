"""What the flags of the two programs say, as values."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

MIN_SIZE, MAX_SIZE = (160, 120), (1920, 1080)
MIN_FPS, MAX_FPS = 1, 120
MIN_RADIUS = 4
MIN_BITRATE, MAX_BITRATE = 200_000, 20_000_000


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


@dataclass(frozen=True, slots=True)
class Network:
    """How media finds its way from end to end."""

    ice_servers: tuple[IceServer, ...] = ()
    relay_only: bool = False
    advertise: str | None = None


DIRECT = Network()
"""No servers, nothing to advertise."""


@dataclass(frozen=True, slots=True)
class Web:
    """Where the page, WHEP and the metrics are served, and to whom."""

    address: Address
    token: Secret | None = None
    insecure: bool = False
    origins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Signaling:
    """How offer and answer get across."""

    method: str = "tcp-socket"
    host: str = "127.0.0.1"
    port: int = 1234
    path: Path = Path("ballstream.socket")


@dataclass(frozen=True, slots=True)
class Reporting:
    """What is left behind at the end."""

    json: bool = False
    output: Path | None = None

    @property
    def lines(self) -> TextIO:
        """Where lines for the other end appear: with `--json` not among the JSON."""
        return sys.stderr if self.json else sys.stdout


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """The flags of `ballstream-server`, in pixels, px/s, bit/s and seconds."""

    signaling: Signaling = Signaling()
    reporting: Reporting = Reporting()
    network: Network = Network()
    duration: float | None = None
    size: tuple[int, int] = (640, 480)
    fps: float = 30
    radius: float = 20
    speed: float = 280
    seed: int = 0
    codec: str = "VP8"
    bitrate: int = 1_000_000
    frame_codec: str = "png"
    quality: int = 90
    stamp: bool = True
    web: Web | None = None
    sessions: int | None = None
    max_sessions: int = 32
    stock: bool = False


@dataclass(frozen=True, slots=True)
class ClientConfig:
    """The flags of `ballstream-client`; durations in seconds."""

    signaling: Signaling = Signaling()
    reporting: Reporting = Reporting()
    network: Network = Network()
    duration: float | None = None
    transport: str = "track"
    detector: str = "centroid"
    display: bool = False
    url: str = "http://127.0.0.1:8080/whep"
    token: Secret | None = None
    wait: float = 10
    stock: bool = False
