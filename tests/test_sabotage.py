"""Each callable of ours that raises: a line, an ending by the right side, status 1, and no hang.

Both ends run in this process, as the commands run them; one function is broken.
"""

import asyncio
import logging
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from programs import soon

import ballstream
from ballstream.commands import run
from ballstream.config import (
    ClientConfig,
    Reporting,
    ServerConfig,
    Signaling,
    SignalingMethod,
)
from ballstream.errors import BallstreamError
from ballstream.report.observers import Observer, Watched
from ballstream.report.records import SessionReport


class Outcomes(Observer):
    """What became of each offer."""

    def __init__(self) -> None:
        self.all: list[str] = []

    def came(self, session: Watched) -> None:
        self.all.append("came")

    def refused(self, error: BallstreamError) -> None:
        self.all.append("refused")

    def ended(self, session: Watched, report: SessionReport) -> None:
        assert report.ended is not None
        failed = " failed" if report.ended.failed else ""
        self.all.append(f"ended by {report.ended.by}{failed}")


def broken(function: Callable[..., Any]) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("sabotage")

    async def fail_later(*_: object, **__: object) -> None:
        raise RuntimeError("sabotage")

    return fail_later if asyncio.iscoroutinefunction(function) else fail


def sabotage(monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    """Let a function raise: `module:Class.function`."""
    module, _, path = place.partition(":")
    *owners, name = path.split(".")
    owner: Any = import_module(f"ballstream.{module}")
    for each in owners:
        owner = getattr(owner, each)
    made = getattr(owner, name)
    monkeypatch.setattr(owner, name, broken(made))


FAILED = ["came", "ended by server failed"]
WELL = ["came", "ended by client"]

OF_THE_SERVER = {
    "scoring.score:Scorer.total": FAILED,
    "scoring.score:Scorer.opened": FAILED,
    "scoring.intake:Intake.feedback": FAILED,
    "session:Session._give_feedback": FAILED,
    "link.answerer:Answerer.answer": ["refused"],
    "link.answerer:Answerer.open": FAILED,
    "link.answerer:Answerer.bytes_sent": FAILED,
    "link.answerer:Outlets.stop": FAILED,
    "link.peer:Peer.watch": FAILED,
    "link.source:BallSource.frames": FAILED,
    "signaling.lines:LineOffer.answer": ["refused"],
    "signaling.lines:LineOffer.goodbye": FAILED,
    "signaling.lines:_hear_goodbye": WELL,
    "signaling.sockets:read_offer": ["refused"],
    "report.live:LiveView.redraw": WELL,
    "report.live:LiveView.ended": WELL,
    "report.view:server_cells": WELL,
    "report.folder:csv_row": WELL,
    "commands.results:Results.ended": WELL,
    "server:_Reports.ended": WELL,
    "server:Places.end": WELL,
}
"""What is broken, and what becomes of the one offer that comes."""


def errors(caplog: pytest.LogCaptureFixture, said: str) -> list[str]:
    lines = [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR]
    return [line for line in (*lines, *said.splitlines()) if "sabotage" in line]


@pytest.mark.parametrize("place", OF_THE_SERVER)
async def test_of_the_server(
    place: str,
    socket_path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    outcomes = Outcomes()
    made = ballstream.Server

    def server(config: ServerConfig, observers: tuple[Observer, ...]) -> ballstream.Server:
        return made(config, (*observers, outcomes))

    monkeypatch.setattr(ballstream, "Server", server)
    monkeypatch.setattr("ballstream.report.terminal.PLAIN_PERIOD", 0.1)
    sabotage(monkeypatch, place)
    config = ServerConfig(
        Signaling(SignalingMethod.UNIX_SOCKET, path=socket_path),
        Reporting(output=tmp_path / "out"),
        size=(160, 120),
        radius=10,
    )
    serving = asyncio.create_task(run._serve(config))
    with suppress(Exception):  # of a refusal, or where it is this end, too, that is broken
        async with asyncio.timeout(20), ballstream.connect(f"unix:{socket_path}") as link:
            for _ in range(30):  # which takes a second, in which everything is called
                link.answer((await anext(link.pictures)).frame, 1, 1)
    os.kill(os.getpid(), signal.SIGTERM)
    status = await soon(serving)
    said = capfd.readouterr().err
    assert (status, outcomes.all, bool(errors(caplog, said))) == (1, OF_THE_SERVER[place], True)


OF_THE_CLIENT = [
    "scoring.tally:Tally.picture",
    "scoring.tally:Tally.answer",
    "client:Client._time_out",
    "client:_expect_pictures",
    "vision.worker:DetectorWorker.look",
    "link.offerer:Link.answer",
    "link.offerer:Link._say_alive",
    "link.offerer:Arrivals.take",
    "link.pictures:Pictures.end",
    "link.receiver:QuickReception._decode",
    "connection:_start_with",
    "signaling.lines:LineExchange.goodbye",
    "report.view:client_cells",
    "report.view:client_line",
    "commands.run:_refresh",
    "report.folder:OutputFolder.finish",
]


@pytest.mark.parametrize("place", OF_THE_CLIENT)
async def test_of_the_client(
    place: str,
    socket_path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("ballstream.report.terminal.PLAIN_PERIOD", 0.1)
    sabotage(monkeypatch, place)
    signaling = Signaling(SignalingMethod.UNIX_SOCKET, path=socket_path)
    reporting = Reporting(output=tmp_path / "out")
    config = ClientConfig(signaling, reporting, duration=2.5)
    status, raised = 0, ""
    async with ballstream.Server(ServerConfig(signaling, size=(160, 120), radius=10)):
        try:
            status = await soon(run._watch(config))
        except Exception as error:  # which the command says, and ends with its status
            status, raised = getattr(error, "exit_status", 1), str(error)
    assert status == 1
    assert errors(caplog, f"{capfd.readouterr().err}\n{raised}")
    assert (tmp_path / "out" / "summary.json").exists()
