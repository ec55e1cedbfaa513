"""A closed-loop test rig for vision over WebRTC, and a library to take it apart.

A server draws a ball, sends it as video, and knows where the ball was in every frame; whoever
watches says where it is; the server says how exact that was and how late it came.

A client with a loop of one's own, whichever transport or signalling:

    async with ballstream.connect("tcp://127.0.0.1:1234") as link:
        async for picture in link.pictures:          # the newest, never an old one
            link.answer(picture.frame, *find(picture.bgr))

A server inside one's own program:

    async with ballstream.Server(ballstream.ServerConfig(fps=60)) as server:
        async for report in server.ended():
            print(server.address, report.latency_ms.p50)

How exact a detector is, in a second, without network or real time:

    ballstream.evaluate(detect, bitrate=300_000).detection_error_px.p95

And for any aiortc program, pictures a frame time earlier than `await track.recv()` has them:

    ballstream.receive(receiver, on_picture)

`Client` is what `ballstream-client` runs: the link, and a detector in a process of its own.
`ballstream.impairment` is a seeded bad network. What goes wrong on purpose is a `BallstreamError`;
the whole tree stands in `ballstream.errors`.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from .errors import (
    BallstreamError,
    DetectorError,
    InternalFailure,
    NegotiationError,
    NoRoute,
    PeerLost,
    PeerMisbehaves,
    SignalingError,
    Unacceptable,
    Unavailable,
    UsageError,
)

if TYPE_CHECKING:
    from . import impairment
    from .client import Client
    from .config import ClientConfig, Network, ServerConfig, Signaling, Web
    from .connection import connect
    from .evaluation import evaluate
    from .link.receiver import receive
    from .report.observers import Observer
    from .server import Server
    from .vision.picture import Detector, Picture

__version__ = "0.1.0"

__all__ = [
    "BallstreamError",
    "Client",
    "ClientConfig",
    "Detector",
    "DetectorError",
    "InternalFailure",
    "NegotiationError",
    "Network",
    "NoRoute",
    "Observer",
    "PeerLost",
    "PeerMisbehaves",
    "Picture",
    "Server",
    "ServerConfig",
    "Signaling",
    "SignalingError",
    "Unacceptable",
    "Unavailable",
    "UsageError",
    "Web",
    "connect",
    "evaluate",
    "impairment",
    "receive",
]

_ROOMS = {
    "Client": "client",
    "ClientConfig": "config",
    "Detector": "vision.picture",
    "Network": "config",
    "Observer": "report.observers",
    "Picture": "vision.picture",
    "Server": "server",
    "ServerConfig": "config",
    "Signaling": "config",
    "Web": "config",
    "connect": "connection",
    "evaluate": "evaluation",
    "receive": "link.receiver",
}


def __getattr__(name: str) -> object:
    """Load a name when it is first used: a detector's process imports this, too."""
    if name == "impairment":
        return import_module(".impairment", __name__)
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f".{_ROOMS[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
