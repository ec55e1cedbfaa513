"""What the flags of the two programs say, as values."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

MIN_SIZE, MAX_SIZE = (160, 120), (1920, 1080)
MIN_FPS, MAX_FPS = 1, 120
MIN_RADIUS = 4
MIN_BITRATE, MAX_BITRATE = 200_000, 20_000_000


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
    sessions: int | None = None
    max_sessions: int = 32
    stock: bool = False


@dataclass(frozen=True, slots=True)
class ClientConfig:
    """The flags of `ballstream-client`; durations in seconds."""

    signaling: Signaling = Signaling()
    reporting: Reporting = Reporting()
    duration: float | None = None
    transport: str = "track"
    detector: str = "centroid"
    display: bool = False
    wait: float = 10
    stock: bool = False
