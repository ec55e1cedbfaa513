"""The configurations of the commands, with the flag of each field beside it."""

import sys
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TextIO

from ..impairment.conditions import CLEAN, Impairment, Plan
from ..impairment.presets import PRESETS
from . import syntax
from .flag import Flag, Group, Setting, default, given, says, says_not, where
from .values import Address, IceServer, Secret, is_loopback
from .words import Codec, FrameCodec, Redundancy, SignalingMethod, Transport

MIN_FPS, MAX_FPS = 1, 120
MIN_RADIUS = 4

WHEP_ADDRESS = Address("127.0.0.1", 8080)
"""Where WHEP is served when no other place is named."""

_TCP = says("--signaling", SignalingMethod.TCP_SOCKET)
_UNIX = says("--signaling", SignalingMethod.UNIX_SOCKET)
_PASTED = says("--signaling", SignalingMethod.COPY_AND_PASTE)
_WHEP = says("--signaling", SignalingMethod.WHEP)
_PUBLIC_SOCKET = Setting(
    "--signaling-host",
    "a --signaling-host that is not loopback",
    lambda host: not is_loopback(host),
)

_DURATION = Flag(
    "Stop after S seconds, then print the summary.",
    Group.RUN,
    metavar="S",
    above=0,
    absent="until Ctrl-C",
)
_TOKEN = partial(
    Flag,
    "What a client of whep must know; better given as BALLSTREAM_TOKEN.",
    Group.WEB,
    syntax=syntax.TOKEN,
)
_ELSEWHERE_TOKEN = partial(Flag, group=Group.WEB, syntax=syntax.TOKEN)
_INSECURE = partial(
    Flag,
    "Allow --http without a --token, or a tcp-socket, on an address that is not loopback.",
    Group.WEB,
)


@dataclass(frozen=True, slots=True)
class Network:
    """How media finds its way from end to end."""

    ice_servers: tuple[IceServer, ...] = default(
        (),
        Flag(
            "stun:host:3478 or turn:user:password@host:3478?transport=udp.",
            Group.NETWORK,
            names=("--ice-server",),
            syntax=syntax.ICE_SERVER,
        ),
    )
    relay_only: bool = default(
        False, Flag("Send media through the TURN server only.", Group.NETWORK)
    )
    advertise: str | None = default(
        None,
        Flag(
            "An address at which this end can also be reached, as behind a NAT.",
            Group.NETWORK,
            syntax=syntax.IP_ADDRESS,
            without=(given("--relay-only"),),  # which leaves no host candidate to advertise
        ),
    )

    def or_by(self, ice_servers: tuple[IceServer, ...]) -> "Network":
        """With ICE servers that the other end names, where our flags name none."""
        return replace(self, ice_servers=self.ice_servers or ice_servers)


_IMPAIR = given("--impair")
_IMPAIR_DOWN, _IMPAIR_UP = given("--impair-down"), given("--impair-up")


@dataclass(frozen=True, slots=True)
class _Impairing:
    """The flags that together say an Impairment."""

    both: Plan | None = default(
        None,
        Flag(
            "Emulate a bad network at this end's UDP sockets, in both directions: "
            "delay=40ms,jitter=5ms,loss=2%,burst=5,reorder=1%,rate=1mbit,queue=300ms, or "
            f"{', '.join(PRESETS)}, each with what differs from it. All delays are one way. Over "
            "time: 'delay=40ms; loss=5%@10s; down@30s; up@33s'.",
            Group.NETWORK,
            names=("--impair",),
            syntax=syntax.PLAN,
        ),
    )
    down: Plan | None = default(
        None,
        Flag(
            "The same from the server to the client alone.",
            Group.NETWORK,
            names=("--impair-down",),
            syntax=syntax.PLAN,
            without=(_IMPAIR,),
        ),
    )
    up: Plan | None = default(
        None,
        Flag(
            "The same from the client to the server alone.",
            Group.NETWORK,
            names=("--impair-up",),
            syntax=syntax.PLAN,
            without=(_IMPAIR,),
        ),
    )
    seed: int = default(
        0,
        Flag(
            "Decides what becomes of the n-th packet of a direction.",
            Group.NETWORK,
            names=("--impair-seed",),
        ),
    )

    def value(self) -> Impairment:
        """The network of each direction."""
        down, up = self.both or self.down, self.both or self.up
        return Impairment(down or CLEAN, up or CLEAN, self.seed)


DIRECT = Network()
"""No servers, nothing to advertise."""


@dataclass(frozen=True, slots=True)
class Web:
    """Where the page, WHEP and the metrics are served, and to whom."""

    address: Address = default(
        WHEP_ADDRESS,
        Flag(
            "Serve page, WHEP and metrics there; port 0 takes any that is free.",
            Group.WEB,
            names=("--http",),
            syntax=syntax.ADDRESS,
            absent=f"{WHEP_ADDRESS} with -s whep, else none",
        ),
    )
    token: Secret | None = default(None, _TOKEN())
    insecure: bool = default(False, _INSECURE())
    origins: tuple[str, ...] = default(
        (),
        Flag(
            "Let pages from there use WHEP, such as https://example.org; may be repeated.",
            Group.WEB,
            names=("--allow-origin",),
            metavar="ORIGIN",
        ),
    )


@dataclass(frozen=True, slots=True)
class Signaling:
    """How offer and answer get across."""

    method: SignalingMethod = default(
        SignalingMethod.TCP_SOCKET,
        Flag("How offer and answer get across.", Group.SIGNALING, names=("-s", "--signaling")),
    )
    host: str = default(
        "127.0.0.1",
        Flag(
            "Address for tcp-socket.",
            Group.SIGNALING,
            names=("--signaling-host",),
            metavar="HOST",
            needs=(_TCP,),
        ),
    )
    port: int = default(
        1234,
        Flag(
            "Port for tcp-socket.",
            Group.SIGNALING,
            names=("--signaling-port",),
            metavar="PORT",
            least=1,
            most=65535,
            needs=(_TCP,),
        ),
    )
    path: Path = default(
        Path("ballstream.socket"),
        Flag(
            "Socket file for unix-socket.",
            Group.SIGNALING,
            names=("--signaling-path",),
            needs=(_UNIX,),
        ),
    )


@dataclass(frozen=True, slots=True)
class Reporting:
    """What is left behind at the end."""

    json: bool = default(
        False,
        Flag("Print one JSON document to standard output, and nothing else there.", Group.OUTPUT),
    )
    output: Path | None = default(
        None,
        Flag(
            "Write summary.json, estimates.csv and (server) report.html to DIR.",
            Group.OUTPUT,
            metavar="DIR",
            folder=True,
        ),
    )

    @property
    def lines(self) -> TextIO:
        """Where lines for the other end appear: with `--json` not among the JSON."""
        return sys.stderr if self.json else sys.stdout


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """The flags of `ballstream-server`, in pixels, px/s, bit/s and seconds.

    `impairment` is the network to emulate, which takes the event loop of `ballstream.impairment`;
    `web` is None where there is neither `--http` nor WHEP; `insecure` is about a socket, the one of
    `web` about HTTP.
    """

    signaling: Signaling = Signaling()
    reporting: Reporting = Reporting()
    network: Network = Network()
    impairment: Impairment | None = where(_IMPAIR, _IMPAIR_DOWN, _IMPAIR_UP, said=_Impairing)
    duration: float | None = default(None, _DURATION)
    size: tuple[int, int] = default(
        (640, 480), Flag("Size of the picture, even.", Group.VIDEO, syntax=syntax.SIZE)
    )
    fps: float = default(30, Flag("Frames a second.", Group.VIDEO, least=MIN_FPS, most=MAX_FPS))
    radius: float = default(20, Flag("Radius of the ball in px.", Group.SCENE, least=MIN_RADIUS))
    speed: float = default(
        280, Flag("Speed of the ball in px/s.", Group.SCENE, least=0, most=100_000)
    )
    seed: int = default(
        0, Flag("Decides where the ball starts and in which direction.", Group.SCENE)
    )
    codec: Codec = default(Codec.VP8, Flag("How the video is compressed.", Group.VIDEO))
    bitrate: int = default(
        1_000_000,
        Flag(
            "Target of the encoder, in bit/s; 800k and 1.5M will do.",
            Group.VIDEO,
            syntax=syntax.BITRATE,
            without=(given("--stock"),),  # aiortc's encoders have targets of their own
        ),
    )
    frame_codec: FrameCodec = default(
        FrameCodec.PNG,
        Flag("How frames on a datachannel are compressed; raw is for small pictures.", Group.VIDEO),
    )
    quality: int = default(
        90,
        Flag(
            "Quality of JPEG frames on a datachannel.",
            Group.VIDEO,
            least=1,
            most=100,
            needs=(says("--frame-codec", FrameCodec.JPEG),),
        ),
    )
    stamp: bool = default(True, Flag("Leave the frame number out of the picture.", Group.SCENE))
    web: Web | None = where(given("--http"), _WHEP)
    sessions: int | None = default(
        None,
        Flag(
            "Exit after N sessions have ended.",
            Group.RUN,
            metavar="N",
            least=1,
            absent="no limit",
        ),
    )
    max_sessions: int = default(
        32,
        Flag(
            "Clients at the same time; more are refused.",
            Group.RUN,
            metavar="N",
            least=1,
            needs=(given("--http"), says_not("--signaling", SignalingMethod.COPY_AND_PASTE)),
        ),
    )
    stock: bool = default(
        False, Flag("Use aiortc's own encoder, the baseline to measure against.", Group.VIDEO)
    )
    redundancy: Redundancy = default(
        Redundancy.AUTO,
        Flag(
            "Send each packet of small frames again a few milliseconds later, before it is asked "
            "for; auto: until the receiver's reports speak of no loss, and from when they do.",
            Group.VIDEO,
            without=(given("--stock"),),  # which leaves sending to aiortc
        ),
    )
    publish: tuple[str, ...] = default(
        (),
        Flag(
            "Send the video to a media server as well, by WHIP; may be repeated.",
            Group.WEB,
            syntax=syntax.HTTP_URL,
        ),
    )
    publish_token: Secret | None = default(
        None,
        _ELSEWHERE_TOKEN(
            "What the media server wants to know; better given as BALLSTREAM_PUBLISH_TOKEN.",
            needs=(given("--publish"),),
        ),
    )
    insecure: bool = default(False, _INSECURE(needs=(_PUBLIC_SOCKET,)))

    def __post_init__(self) -> None:
        if self.web is None and self.signaling.method is SignalingMethod.WHEP:
            object.__setattr__(self, "web", Web())


@dataclass(frozen=True, slots=True)
class ClientConfig:
    """The flags of `ballstream-client`; durations in seconds.

    `impairment` is the network to emulate, which takes the event loop of `ballstream.impairment`.
    """

    signaling: Signaling = Signaling()
    reporting: Reporting = Reporting()
    network: Network = Network()
    impairment: Impairment | None = where(_IMPAIR, _IMPAIR_DOWN, _IMPAIR_UP, said=_Impairing)
    duration: float | None = default(None, _DURATION)
    transport: Transport = default(
        Transport.TRACK,
        Flag("Receive the pictures as video, or as bytes on a datachannel.", Group.VIDEO),
    )
    detector: str = default(
        "centroid",
        Flag(
            "centroid, contour, hough, or a function of your own, or a class or function without "
            "arguments that makes one.",
            Group.DETECTOR,
            metavar="NAME|module:function",
        ),
    )
    detector_timeout: float = default(
        1,
        Flag(
            "Replace a detector that takes more than S seconds for a picture; the first may take "
            "60.",
            Group.DETECTOR,
            metavar="S",
            above=0,
        ),
    )
    display: bool = default(False, Flag("Show pictures and estimates in a window.", Group.DETECTOR))
    url: str = default(
        "http://127.0.0.1:8080/whep",
        Flag("The server's endpoint, for whep.", Group.WEB, syntax=syntax.HTTP_URL, needs=(_WHEP,)),
    )
    token: Secret | None = default(None, _TOKEN(needs=(_WHEP,)))
    wait: float = default(
        10,
        Flag(
            "Keep trying to reach the server for S seconds.",
            Group.SIGNALING,
            metavar="S",
            least=0,
            without=(_PASTED,),
        ),
    )
    stock: bool = default(
        False,
        Flag(
            "Use aiortc's own receive path, the baseline to measure against.",
            Group.VIDEO,
            needs=(says("--transport", Transport.TRACK),),
        ),
    )
    watch: str | None = default(
        None,
        Flag(
            "Receive the pictures from a media server, by WHEP; the answers go to the server.",
            Group.WEB,
            syntax=syntax.HTTP_URL,
            without=(says("--transport", Transport.DATACHANNEL),),
        ),
    )
    watch_token: Secret | None = default(
        None,
        _ELSEWHERE_TOKEN(
            "What the media server wants to know; better given as BALLSTREAM_WATCH_TOKEN.",
            needs=(given("--watch"),),
        ),
    )
    name: str | None = default(
        None,
        Flag(
            "By which the server shows this client, of at most 64 characters.",
            Group.SIGNALING,
            syntax=syntax.NAME,
        ),
    )
