"""The commands: flags, environment variables, exit status.

Nothing heavy is imported before the flags are understood, so that `--help` is quick and the
detector's process, which imports this module again, stays free of PyAV and aiortc.
"""

import logging
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

import click

from ..config import ClientConfig, ServerConfig
from ..errors import INTERRUPTED, BallstreamError, InternalFailure, import_problem, printable
from .descriptors import fill_standard_descriptors
from .flags import Command, command

if TYPE_CHECKING:
    from ..bench.config import BenchConfig

logger = logging.getLogger(__name__)


def _serve(config: ServerConfig) -> int:
    """Stream a bouncing ball to every client that asks, and score what they answer.

    Shows for each client how exact its estimates are (detection: in the same frame; tracking:
    where the ball is now) and how late they come.
    """
    from .run import run_server

    return run_server(config)


def _watch(config: ClientConfig) -> int:
    """Receive the video, find the ball in every newest picture, and send its place back."""
    from .run import run_client

    return run_client(config)


def _compare(config: "BenchConfig") -> int:
    """Run server and client under named scenarios, taking turns, and compare them.

    The table shows medians of the runs; the gain is against the last scenario.
    """
    from ..bench.main import run_bench, run_list, run_profile, run_proof

    if config.list:
        return run_list()
    if config.proof:
        return run_proof(config)
    return run_profile(config) if config.profile else run_bench(config)


def server_command() -> Command:
    """`ballstream-server` as click has it."""
    return command(ServerConfig, _serve)


def client_command() -> Command:
    """`ballstream-client` as click has it."""
    return command(ClientConfig, _watch)


def bench_command() -> Command:
    """`ballstream-bench` as click has it."""
    from ..bench.config import BenchConfig

    return command(BenchConfig, _compare)


def server(arguments: Sequence[str] | None = None) -> NoReturn:
    """Entry point of `ballstream-server`; the arguments are those of the process if not given."""
    _run(server_command(), "ballstream-server", arguments)


def client(arguments: Sequence[str] | None = None) -> NoReturn:
    """Entry point of `ballstream-client`."""
    _run(client_command(), "ballstream-client", arguments)


def bench(arguments: Sequence[str] | None = None) -> NoReturn:
    """Entry point of `ballstream-bench`."""
    _run(bench_command(), "ballstream-bench", arguments)


def _run(command: click.Command, name: str, arguments: Sequence[str] | None) -> NoReturn:
    """Run a command; whatever goes wrong becomes one line and an exit status."""
    fill_standard_descriptors()
    try:
        status = command.main(arguments, prog_name=name, standalone_mode=False)
    except click.ClickException as error:
        _fail(name, f"{error.format_message()} (see {name} --help)", error.exit_code)
    except BallstreamError as error:
        _fail(name, str(error), error.exit_status)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(INTERRUPTED)
    except ImportError as error:
        _fail(name, import_problem(error), 1)
    except OSError as error:
        place = "" if error.filename is None else f"{error.filename}: "
        _fail(name, f"{place}{error.strerror or error}", 1)
    except Exception as error:
        logger.debug("%s failed", name, exc_info=True)
        _fail(name, str(InternalFailure("running", error)), 1)
    sys.exit(status or 0)


def _fail(name: str, text: str, status: int) -> NoReturn:
    with suppress(OSError):
        click.echo(f"{name}: {printable(text)}", err=True)
    sys.exit(status)
