"""The flags that several commands have."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from .. import __version__
from ..config import Signaling
from .flag_types import Finite, IceServerUrl, IpAddress, Token

Command = TypeVar("Command", bound=Callable[..., Any])

LOG_LEVEL = click.option(
    "--log-level",
    default="warning",
    type=click.Choice(["debug", "info", "warning", "error"]),
    help="How much to say on standard error.",
)


# No flags of a run: an environment variable of that name says something else.
INFORMATION = (
    click.version_option(__version__, allow_from_autoenv=False),
    click.help_option("-h", "--help", allow_from_autoenv=False),
)


def shared(command: Command) -> Command:
    """The flags that server and client have in common."""
    signaling = Signaling()
    for option in reversed(
        [
            click.option(
                "-s",
                "--signaling",
                default=signaling.method,
                type=click.Choice(["tcp-socket", "unix-socket", "copy-and-paste", "whep"]),
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
                type=Finite(min=0, min_open=True),
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
                help="Write summary.json, estimates.csv and (server) report.html to DIR.",
            ),
            click.option(
                "--token",
                type=Token(),
                show_default="none",
                help="What a client of whep must know; better given as BALLSTREAM_TOKEN.",
            ),
            click.option(
                "--ice-server",
                multiple=True,
                type=IceServerUrl(),
                show_default="none",
                help="stun:host:3478 or turn:user:password@host:3478?transport=udp.",
            ),
            click.option(
                "--relay-only",
                is_flag=True,
                show_default="off",
                help="Send media through the TURN server only.",
            ),
            click.option(
                "--advertise",
                type=IpAddress(),
                show_default="none",
                help="An address at which this end can also be reached, as behind a NAT.",
            ),
            LOG_LEVEL,
            *INFORMATION,
        ]
    ):
        command = option(command)
    return command
