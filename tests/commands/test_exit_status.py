"""What a run came to is its exit status, and a line that says why: no program is started."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any, Self

import msgspec
import pytest
from samples import RECEPTION, SESSION, Session

import ballstream
from ballstream.commands.run import run_client, run_server
from ballstream.config import ClientConfig, ServerConfig
from ballstream.endings import By, Ending, Reason
from ballstream.report.observers import Observer
from ballstream.report.records import Ended, ReceptionReport, SessionReport

SILENT = msgspec.structs.replace(SESSION, frames_answered=0, unnumbered=0)
OUR_FAULT = msgspec.structs.replace(SESSION, ended=Ended("server", True, "it broke"))


class Client:
    """One that has run already."""

    emulation = progress = None

    def __init__(self, report: ReceptionReport) -> None:
        self._report = report

    async def run(self, stop: object) -> Ending:
        return Ending(By.SERVER, Reason.GOODBYE)

    def report(self) -> ReceptionReport:
        return self._report


class Server:
    """One whose only session ends at once."""

    addresses = ()
    emulation = None
    failed = False

    def __init__(self, report: SessionReport, observers: Iterable[Observer]) -> None:
        self.deserted = asyncio.Event()
        self._report = report
        self._observers = tuple(observers)

    async def __aenter__(self) -> Self:
        for each in self._observers:
            each.came(Session(3))
            each.ended(Session(3), self._report)
        return self

    async def __aexit__(self, *error: object) -> None:
        pass


@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [
        ({}, 0, []),
        ({"frames_received": 0}, 1, ["no picture came: does the server send video?"]),
        ({"estimates_sent": 0}, 1, ["none of 390 pictures was answered"]),
        ({"not_found": 386}, 1, ["the detector found no ball in any of 386 pictures"]),
    ],
)
def test_of_a_client(
    changes: dict[str, Any],
    status: int,
    said: list[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    report = msgspec.structs.replace(RECEPTION, **changes)
    monkeypatch.setattr(ballstream, "Client", lambda config, add_row: Client(report))
    with caplog.at_level(logging.ERROR):
        assert run_client(ClientConfig()) == status
    assert caplog.messages == said


@pytest.mark.parametrize(
    ("config", "report", "status", "said"),
    [
        (ServerConfig(sessions=1), SESSION, 0, []),
        (ServerConfig(sessions=1), SILENT, 1, ["client 3 answered none of 400 frames"]),
        (ServerConfig(duration=0.01), SILENT, 1, ["client 3 answered none of 400 frames"]),
        (ServerConfig(sessions=1), OUR_FAULT, 1, []),
    ],
)
def test_of_a_server(
    config: ServerConfig,
    report: SessionReport,
    status: int,
    said: list[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(ballstream, "Server", lambda config, observers: Server(report, observers))
    with caplog.at_level(logging.ERROR):
        assert run_server(config) == status
    assert caplog.messages == said
