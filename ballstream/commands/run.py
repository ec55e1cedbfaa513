"""From a configuration to a run with its reports; either end loads only what it needs itself."""

import asyncio
import logging
import os
import signal
from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any

import ballstream

from .. import trace
from ..beside import Failures
from ..config import ClientConfig, ServerConfig
from ..endings import Stop, first_of, stop_on_signals
from ..errors import INTERRUPTED, UsageError
from ..impairment.sockets import described
from ..report import records, view
from ..report.endings import sentence
from ..report.folder import EstimateRows, open_output
from ..report.live import LiveView
from ..report.terminal import Terminal
from .limits import allow_descriptors, say_once_what_runs_out
from .results import Results, reception_problem
from .summary import Summary

if TYPE_CHECKING:
    from ..impairment import Impairment
    from ..vision.child import Sighting

logger = logging.getLogger(__name__)

_SHOWING = "showing how it stands"
_CLIENT_COLUMNS = ("session", "at", "frame", "x", "y", "detect_ms")


def run_server(config: ServerConfig) -> int:
    """Serve as configured and print the summary; returns the exit status."""
    return _run(_serve(config), config.impairment)


def run_client(config: ClientConfig) -> int:
    """Run one session as configured and print the summary; returns the exit status."""
    if config.display and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise UsageError("--display needs a screen, and DISPLAY is not set: leave --display out")
    return _run(_watch(config), config.impairment)


def _run(program: Coroutine[Any, Any, int], impairment: "Impairment | None") -> int:
    # aiortc reports what it makes of a peer's packets as warnings; a user can do nothing with it.
    if logging.getLogger().level > logging.INFO:
        for library in ("aiortc", "aioice"):
            logging.getLogger(library).setLevel(logging.ERROR)
    # Its debug lines have whole descriptions in them, with the passwords of ICE.
    logging.getLogger("aiortc.rtcpeerconnection").setLevel(logging.INFO)
    try:
        loop = None if impairment is None else ballstream.impairment.loop
        with asyncio.Runner(loop_factory=loop) as runner:
            return runner.run(program)
    finally:
        trace.write()


async def _serve(config: ServerConfig) -> int:
    summary = Summary(config)
    allow_descriptors(config.max_sessions)
    say_once_what_runs_out()
    with (
        stop_on_signals() as stop,
        open_output(config.reporting.output, records.CSV_COLUMNS) as output,
        Terminal(view.server_table, view.server_line) as terminal,
        Failures() as failures,
    ):
        results, live = (
            Results(config, stop),
            LiveView(terminal, lambda: described(server.emulation)),
        )
        rows = [] if output is None else [EstimateRows(output)]
        server = ballstream.Server(config, (results, *rows, live))
        try:
            async with failures.beside(_SHOWING, live.run()), server:
                for address in server.addresses:
                    terminal.note(_waiting_at(address))
                if config.duration is not None:
                    asyncio.get_running_loop().call_later(config.duration, stop)
                await first_of(stop.wait(), server.deserted.wait())
        except Exception as error:
            if not server.addresses:
                raise
            failures.note("serving", error)  # what was measured until then is told all the same
        _say_signal(stop, terminal)
        terminal.clear()
        written = summary.write(results.reports, server.emulation, output)
        if output is not None:
            written &= summary.write_page(results.reports, server.emulation, server.origin, output)
        failed = results.failed or server.failed or failures.any or terminal.failed
        return _status(stop, failed or not written, results.problems)


def _waiting_at(address: str) -> str:
    where = f"waiting for clients at {address}"
    if not address.startswith("http"):
        return where
    return f"{where}; the page is {address.rpartition('/')[0]}/"


async def _watch(config: ClientConfig) -> int:
    summary = Summary(config)
    with (
        stop_on_signals() as stop,
        open_output(config.reporting.output, _CLIENT_COLUMNS) as output,
        Terminal(view.client_table, view.client_line) as terminal,
        Failures() as failures,
    ):

        def add_row(at: float, sighting: "Sighting") -> None:
            if output is not None:
                detect_ms = round(sighting.detect_ms, 3)
                output.add((1, round(at, 6), sighting.frame, sighting.x, sighting.y, detect_ms))

        client = ballstream.Client(config, add_row)
        terminal.note("starting the detector, then waiting for the server")
        failure: Exception | None = None
        async with failures.beside(_SHOWING, _refresh(client, terminal)):
            try:
                terminal.note(sentence(await client.run(stop)))
            except Exception as error:
                failure = error  # what was measured until then is told all the same
        _say_signal(stop, terminal)
        terminal.clear()
        report = client.report()
        written = summary.write([] if report is None else [report], client.emulation, output)
        if failure is not None:
            raise failure
        problem = None if report is None else reception_problem(report)
        failed = failures.any or terminal.failed or not written
        return _status(stop, failed, [] if problem is None else [problem])


async def _refresh(client: "ballstream.Client", terminal: Terminal) -> None:
    while True:
        await asyncio.sleep(terminal.period)
        if (progress := client.progress) is not None:
            terminal.show([view.client_cells(progress)], described(client.emulation))


def _say_signal(stop: Stop, terminal: Terminal) -> None:
    if stop.signal is not None:
        terminal.note(f"stopped by {stop.signal.name}")


def _status(stop: Stop, failed: bool, problems: Sequence[str]) -> int:
    """The exit status; a failure counts before Ctrl-C, and that before what was not achieved."""
    if failed:
        return 1
    if stop.signal is signal.SIGINT:
        return INTERRUPTED
    for problem in problems:
        logger.error("%s", problem)
    return 1 if problems else 0
