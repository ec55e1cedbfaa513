"""The commands: flags, environment variables, exit status.

Nothing heavy is imported before the flags are understood, so that `--help` is quick and the
detector's process, which imports this module again, stays free of PyAV and aiortc.
"""

import logging
import sys
from contextlib import suppress
from typing import Any, NoReturn

import click

from ..bench.scenarios import SCENARIOS
from ..config import (
    MAX_FPS,
    MIN_FPS,
    MIN_RADIUS,
    Address,
    ClientConfig,
    Network,
    Reporting,
    ServerConfig,
    Signaling,
    Web,
)
from ..errors import INTERRUPTED, OPENCV_HINT, BallstreamError, printable
from .flag_types import Bitrate, Finite, HostPort, HttpUrl, Size
from .flags import INFORMATION, LOG_LEVEL, shared

_SETTINGS = {
    "auto_envvar_prefix": "BALLSTREAM",
    "help_option_names": [],
    "show_default": True,
    "max_content_width": 100,
}
_EPILOG = (
    "Every flag can also be given as an environment variable, --signaling-port as "
    "BALLSTREAM_SIGNALING_PORT; a flag wins."
)

_DEFAULTS = ServerConfig()


@click.command(context_settings=_SETTINGS, epilog=_EPILOG)
@shared
@click.option("--size", default="640x480", type=Size(), help="Size of the picture, even.")
@click.option(
    "--fps", default=_DEFAULTS.fps, type=Finite(MIN_FPS, MAX_FPS), help="Frames a second."
)
@click.option(
    "--radius",
    default=_DEFAULTS.radius,
    type=Finite(min=MIN_RADIUS),
    help="Radius of the ball in px.",
)
@click.option(
    "--speed", default=_DEFAULTS.speed, type=Finite(0, 100_000), help="Speed of the ball in px/s."
)
@click.option(
    "--seed",
    default=_DEFAULTS.seed,
    type=int,
    help="Decides where the ball starts and in which direction.",
)
@click.option(
    "--codec",
    default=_DEFAULTS.codec,
    help="How the video is compressed.",
    type=click.Choice(["VP8", "H264"], case_sensitive=False),
)
@click.option(
    "--bitrate",
    default="1M",
    type=Bitrate(),
    help="Target of the encoder, in bit/s; 800k and 1.5M will do.",
)
@click.option(
    "--frame-codec",
    default=_DEFAULTS.frame_codec,
    type=click.Choice(["png", "jpeg", "raw"]),
    help="How frames on a datachannel are compressed; raw is for small pictures.",
)
@click.option(
    "--quality",
    default=_DEFAULTS.quality,
    type=click.IntRange(1, 100),
    help="Quality of JPEG frames on a datachannel.",
)
@click.option(
    "--stock",
    is_flag=True,
    show_default="off",
    help="Use aiortc's own encoder, the baseline to measure against.",
)
@click.option(
    "--no-stamp",
    is_flag=True,
    show_default="off",
    help="Leave the frame number out of the picture.",
)
@click.option(
    "--http",
    type=HostPort(),
    show_default="127.0.0.1:8080 with -s whep, else none",
    help="Serve page, WHEP and metrics there; port 0 takes any that is free.",
)
@click.option(
    "--insecure",
    is_flag=True,
    show_default="off",
    help="Allow --http on an address that is not loopback without a --token.",
)
@click.option(
    "--allow-origin",
    multiple=True,
    metavar="ORIGIN",
    show_default="none",
    help="Let pages from there use WHEP, such as https://example.org; may be repeated.",
)
@click.option(
    "--sessions",
    type=click.IntRange(1),
    metavar="N",
    show_default="no limit",
    help="Exit after N sessions have ended.",
)
@click.option(
    "--max-sessions",
    default=_DEFAULTS.max_sessions,
    type=click.IntRange(1),
    metavar="N",
    help="Clients at the same time; more are refused.",
)
def _server(**flags: Any) -> int:
    """Stream a bouncing ball to every client that asks, and score what they answer.

    Shows for each client how exact its estimates are (detection: in the same frame; tracking:
    where the ball is now) and how late they come.
    """
    from .run import run_server

    stamp = not flags.pop("no_stamp")
    web = _web(flags)
    return run_server(ServerConfig(**_settings(flags), web=web, stamp=stamp))


@click.command(context_settings=_SETTINGS, epilog=_EPILOG)
@shared
@click.option(
    "--transport",
    default=ClientConfig().transport,
    type=click.Choice(["track", "datachannel"]),
    help="Receive the pictures as video, or as bytes on a datachannel.",
)
@click.option(
    "--detector",
    default=ClientConfig().detector,
    metavar="NAME|module:function",
    help="centroid, contour, hough, or a function of your own.",
)
@click.option(
    "--display", is_flag=True, show_default="off", help="Show pictures and estimates in a window."
)
@click.option(
    "--url",
    default=ClientConfig().url,
    type=HttpUrl(),
    help="The server's endpoint, for whep.",
)
@click.option(
    "--wait",
    default=ClientConfig().wait,
    type=Finite(min=0),
    metavar="S",
    help="Keep trying to reach the server for S seconds.",
)
@click.option(
    "--stock",
    is_flag=True,
    show_default="off",
    help="Use aiortc's own receive path, the baseline to measure against.",
)
def _client(**flags: Any) -> int:
    """Receive the video, find the ball in every newest picture, and send its place back."""
    from .run import run_client

    return run_client(ClientConfig(**_settings(flags)))


@click.command(context_settings=_SETTINGS, epilog=_EPILOG)
@click.option(
    "--scenario",
    "scenario",
    multiple=True,
    type=click.Choice(list(SCENARIOS)),
    default=("clean", "stock"),
    help="What to run; give it several times to compare. The scenarios are "
    + "; ".join(f"{each.name}: {each.meaning}" for each in SCENARIOS.values())
    + ".",
)
@click.option("--repeat", default=3, type=click.IntRange(1), help="Runs of each scenario.")
@click.option(
    "--duration", default=10.0, type=Finite(min=3), metavar="S", help="Seconds that a run takes."
)
@click.option(
    "--profile",
    is_flag=True,
    show_default="off",
    help="Show where the time of the first scenario's loop goes.",
)
@click.option(
    "--json",
    is_flag=True,
    show_default="off",
    help="Print JSON to standard output, and nothing else.",
)
@LOG_LEVEL
@INFORMATION[0]
@INFORMATION[1]
def _bench(
    scenario: tuple[str, ...],
    repeat: int,
    duration: float,
    profile: bool,
    json: bool,
    log_level: str,
) -> int:
    """Run server and client under named scenarios, taking turns, and compare them.

    The table shows medians of the runs; the gain is against the last scenario.
    """
    from ..bench.main import run_bench, run_profile

    logging.getLogger().setLevel(log_level.upper())
    if profile:
        return run_profile(scenario[0], duration, json)
    return run_bench(scenario, repeat, duration, json)


def _web(flags: dict[str, Any]) -> Web | None:
    """Take the flags of the HTTP server out of all; None where there is to be none."""
    address, token = flags.pop("http"), flags.pop("token")
    insecure, origins = flags.pop("insecure"), flags.pop("allow_origin")
    if address is None and flags["signaling"] == "whep":
        address = Address("127.0.0.1", 8080)
    if address is None:
        return None
    return Web(address, token, insecure, origins)


def _settings(flags: dict[str, Any]) -> dict[str, Any]:
    """Group the shared flags as the configurations have them, and set the log up."""
    logging.getLogger().setLevel(flags.pop("log_level").upper())
    signaling = Signaling(
        method=flags.pop("signaling"),
        **{name: flags.pop(f"signaling_{name}") for name in ("host", "port", "path")},
    )
    reporting = Reporting(json=flags.pop("json"), output=flags.pop("output"))
    network = Network(
        ice_servers=flags.pop("ice_server"),
        **{name: flags.pop(name) for name in ("relay_only", "advertise")},
    )
    return {"signaling": signaling, "reporting": reporting, "network": network, **flags}


def server() -> NoReturn:
    """Entry point of `ballstream-server`."""
    _run(_server, "ballstream-server")


def client() -> NoReturn:
    """Entry point of `ballstream-client`."""
    _run(_client, "ballstream-client")


def bench() -> NoReturn:
    """Entry point of `ballstream-bench`."""
    _run(_bench, "ballstream-bench")


def _run(command: click.Command, name: str) -> NoReturn:
    """Run a command; whatever goes wrong becomes one line and an exit status."""
    try:
        status = command.main(prog_name=name, standalone_mode=False)
    except click.ClickException as error:
        _fail(name, f"{error.format_message()} (see {name} --help)", error.exit_code)
    except BallstreamError as error:
        _fail(name, str(error), error.exit_status)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(INTERRUPTED)
    except ImportError as error:
        _fail(name, OPENCV_HINT.format(error=error), 1)
    except OSError as error:
        place = "" if error.filename is None else f"{error.filename}: "
        _fail(name, f"{place}{error.strerror or error}", 1)
    sys.exit(status or 0)


def _fail(name: str, text: str, status: int) -> NoReturn:
    with suppress(OSError):
        click.echo(f"{name}: {printable(text)}", err=True)
    sys.exit(status)
