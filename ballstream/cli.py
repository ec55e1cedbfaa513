"""The commands: flags, environment variables, exit status.

Nothing heavy is imported before the flags are understood, so that `--help` is quick and the
detector's process, which imports this module again, stays free of PyAV and aiortc.
"""

import logging
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from . import __version__
from .bench.scenarios import SCENARIOS
from .config import (
    MAX_BITRATE,
    MAX_FPS,
    MAX_SIZE,
    MIN_BITRATE,
    MIN_FPS,
    MIN_RADIUS,
    MIN_SIZE,
    ClientConfig,
    Reporting,
    ServerConfig,
    Signaling,
)
from .errors import INTERRUPTED, OPENCV_HINT, BallstreamError, printable

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

Command = TypeVar("Command", bound=Callable[..., Any])


class Size(click.ParamType[tuple[int, int]]):
    """A picture's size, `640x480`."""

    name = "WxH"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        try:
            width, height = (int(part) for part in value.lower().split("x"))
        except ValueError:
            self.fail(f"{value!r} is not a size like 640x480", param, ctx)
        least, most = MIN_SIZE, MAX_SIZE
        if width % 2 or height % 2:
            self.fail(f"{value}: width and height must be even", param, ctx)
        if not (least[0] <= width <= most[0] and least[1] <= height <= most[1]):
            self.fail(
                f"{value} is not between {least[0]}x{least[1]} and {most[0]}x{most[1]}", param, ctx
            )
        return width, height


class Bitrate(click.ParamType[int]):
    """Bits a second, `1500000`, `1500k` or `1.5M`."""

    name = "bit/s"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        text = str(value)
        factor = {"k": 1_000, "m": 1_000_000}.get(text[-1:].lower(), 1)
        try:
            bitrate = round(float(text if factor == 1 else text[:-1]) * factor)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is not a bitrate like 800k or 1.5M", param, ctx)
        if not MIN_BITRATE <= bitrate <= MAX_BITRATE:
            self.fail(
                f"{value} bit/s is not between {MIN_BITRATE // 1000}k and "
                f"{MAX_BITRATE // 1_000_000}M",
                param,
                ctx,
            )
        return bitrate


class Finite(click.FloatRange):
    """A number in a range; unlike click's own, it lets no NaN through."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number: float = super().convert(value, param, ctx)
        if number != number or number in (float("inf"), float("-inf")):
            self.fail(f"{value} is not a finite number", param, ctx)
        return number


_DEFAULTS = ServerConfig()
_SECONDS = Finite(min=0, min_open=True)


_LOG_LEVEL = click.option(
    "--log-level",
    default="warning",
    type=click.Choice(["debug", "info", "warning", "error"]),
    help="How much to say on standard error.",
)


# No flags of a run: an environment variable of that name says something else.
_INFORMATION = (
    click.version_option(__version__, allow_from_autoenv=False),
    click.help_option("-h", "--help", allow_from_autoenv=False),
)


def _shared(command: Command) -> Command:
    """The flags that server and client have in common."""
    signaling = Signaling()
    for option in reversed(
        [
            click.option(
                "-s",
                "--signaling",
                default=signaling.method,
                type=click.Choice(["tcp-socket", "unix-socket", "copy-and-paste"]),
                help="How offer and answer get across.",
            ),
            click.option(
                "--signaling-host",
                default=signaling.host,
                metavar="HOST",
                help="Address for tcp-socket.",
            ),
            click.option(
                "--signaling-port",
                default=signaling.port,
                type=click.IntRange(1, 65535),
                metavar="PORT",
                help="Port for tcp-socket.",
            ),
            click.option(
                "--signaling-path",
                default=signaling.path,
                type=click.Path(path_type=Path),
                help="Socket file for unix-socket.",
            ),
            click.option(
                "--duration",
                type=_SECONDS,
                metavar="S",
                show_default="until Ctrl-C",
                help="Stop after S seconds, then print the summary.",
            ),
            click.option(
                "--json",
                is_flag=True,
                show_default="off",
                help="Print one JSON document to standard output, and nothing else there.",
            ),
            click.option(
                "--output",
                type=click.Path(path_type=Path, file_okay=False),
                metavar="DIR",
                show_default="none",
                help="Write summary.json and estimates.csv to DIR.",
            ),
            _LOG_LEVEL,
            *_INFORMATION,
        ]
    ):
        command = option(command)
    return command


@click.command(context_settings=_SETTINGS, epilog=_EPILOG)
@_shared
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
    from .main import run_server

    stamp = not flags.pop("no_stamp")
    return run_server(ServerConfig(**_settings(flags), stamp=stamp))


@click.command(context_settings=_SETTINGS, epilog=_EPILOG)
@_shared
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
    from .main import run_client

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
@_LOG_LEVEL
@_INFORMATION[0]
@_INFORMATION[1]
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
    from .bench.main import run_bench, run_profile

    logging.getLogger().setLevel(log_level.upper())
    if profile:
        return run_profile(scenario[0], duration, json)
    return run_bench(scenario, repeat, duration, json)


def _settings(flags: dict[str, Any]) -> dict[str, Any]:
    """Group the shared flags as the configurations have them, and set the log up."""
    logging.getLogger().setLevel(flags.pop("log_level").upper())
    signaling = Signaling(
        method=flags.pop("signaling"),
        **{name: flags.pop(f"signaling_{name}") for name in ("host", "port", "path")},
    )
    reporting = Reporting(json=flags.pop("json"), output=flags.pop("output"))
    return {"signaling": signaling, "reporting": reporting, **flags}


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
