"""What the flags of the commands say, as values; each flag is declared once, in `settings`."""

from .settings import (
    DIRECT,
    MAX_FPS,
    MIN_FPS,
    MIN_RADIUS,
    WHEP_ADDRESS,
    ClientConfig,
    Network,
    Reporting,
    ServerConfig,
    Signaling,
    Web,
)
from .syntax import MAX_BITRATE, MAX_NAME, MAX_SIZE, MIN_BITRATE, MIN_SIZE
from .values import Address, IceServer, Secret, is_loopback
from .words import Codec, FrameCodec, Redundancy, SignalingMethod, Transport

__all__ = [
    "DIRECT",
    "MAX_BITRATE",
    "MAX_FPS",
    "MAX_NAME",
    "MAX_SIZE",
    "MIN_BITRATE",
    "MIN_FPS",
    "MIN_RADIUS",
    "MIN_SIZE",
    "WHEP_ADDRESS",
    "Address",
    "ClientConfig",
    "Codec",
    "FrameCodec",
    "IceServer",
    "Network",
    "Redundancy",
    "Reporting",
    "Secret",
    "ServerConfig",
    "Signaling",
    "SignalingMethod",
    "Transport",
    "Web",
    "is_loopback",
]
