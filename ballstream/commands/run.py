"""From a configuration to a run with its reports; either end loads only what it needs itself."""

import asyncio
import logging
import os
import sys
from collections.abc import Coroutine, Sequence
from dataclasses import asdict
from typing import Any

from .. import trace
from ..config import ClientConfig, Reporting, Secret, ServerConfig
from ..errors import INTERRUPTED, UsageError
from ..report import records as report
from ..report import view
from ..report.environment import environment
from ..report.folder import OutputFolder, open_output
from ..report.records import ReceptionReport, SessionReport
from ..report.terminal import Terminal
from ..stopping import Stop, stop_on_signals


def run_server(config: ServerConfig) -> int:
    """Serve as configured and print the summary; returns the exit status."""
    return _run(_serve(config))


def run_client(config: ClientConfig) -> int:
    """Run one session as configured and print the summary; returns the exit status."""
    if config.display and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise UsageError("--display needs a screen, and DISPLAY is not set: leave --display out")
    return _run(_watch(config))


def _run(program: Coroutine[Any, Any, int]) -> int:
    # aiortc reports what it makes of a peer's packets as warnings; a user can do nothing with it.
    if logging.getLogger().level > logging.INFO:
        for library in ("aiortc", "aioice"):
            logging.getLogger(library).setLevel(logging.ERROR)
    try:
        return asyncio.run(program)
    finally:
        trace.write()


async def _serve(config: ServerConfig) -> int:
    from ..server import Server

    with (
        stop_on_signals() as stop,
        open_output(config.reporting.output, report.CSV_COLUMNS) as output,
        Terminal(view.server_table, view.server_line) as terminal,
    ):
        running = Server(config, stop, terminal, output)
        if config.duration is not None:
            asyncio.get_running_loop().call_later(config.duration, stop)
        await running.run()
        terminal.clear()
        _report(config, running.reports, output)
        if output is not None:
            _write_page(config, running.reports, output)
    return _status(stop) or int(running.failed)


async def _watch(config: ClientConfig) -> int:
    from ..client import CSV_COLUMNS, Client

    with (
        stop_on_signals() as stop,
        open_output(config.reporting.output, CSV_COLUMNS) as output,
        Terminal(view.client_table, view.client_line) as terminal,
    ):
        running = Client(config, stop, terminal, output)
        try:
            terminal.note(await running.run())
        finally:
            terminal.clear()
            reports = [running.report()] if running.connected else []
            _report(config, reports, output)
    return _status(stop)


def _status(stop: Stop) -> int:
    return INTERRUPTED if stop.interrupted else 0


def _report(
    config: ServerConfig | ClientConfig,
    reports: Sequence[SessionReport | ReceptionReport],
    output: OutputFolder | None,
) -> None:
    reporting: Reporting = config.reporting
    document = report.document(_plain(asdict(config)), environment(), reports)
    text = [document] if reporting.json else [line for each in reports for line in _lines(each)]
    for line in text:
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
    if output is not None:
        output.write_summary(document)


def _write_page(
    config: ServerConfig, reports: Sequence[SessionReport], output: OutputFolder
) -> None:
    from ..report import page  # who needs no page need not wait for Jinja and Plotly

    settings = _plain(asdict(config))
    output.write_report(
        lambda: page.render(settings, environment(), reports, output.lines, output.complete)
    )


def _lines(session: SessionReport | ReceptionReport) -> list[str]:
    match session:
        case SessionReport():
            return view.summary_lines(session)
        case ReceptionReport():
            return view.reception_lines(session)


def _plain(value: Any) -> Any:
    """Paths as strings and secrets hidden, for JSON."""
    match value:
        case dict():
            return {key: _plain(each) for key, each in value.items()}
        case tuple():
            return [_plain(each) for each in value]
        case Secret():
            return "(secret)"
        case str() | int() | float() | None:
            return value
        case _:
            return str(value)
