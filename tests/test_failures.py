"""A fault of our own is a failure, at the end that has it: never taken for a goodbye."""

import signal
from pathlib import Path

import pytest
from programs import Program, run

SABOTAGE = """
import os, importlib

def fail(*arguments, **more):
    raise ValueError("sabotage")

module, _, path = os.environ["SABOTAGE"].partition(":")
*owners, name = path.split(".")
owner = importlib.import_module("ballstream." + module)
for each in owners:
    owner = getattr(owner, each)
setattr(owner, name, fail)
"""
"""Python runs a module of this name at its start: it makes one function raise."""


@pytest.fixture
def sabotage(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "sitecustomize.py").write_text(SABOTAGE)
    return {"PYTHONPATH": str(tmp_path)}


def flags(socket: Path) -> tuple[str, ...]:
    return ("-s", "unix-socket", "--signaling-path", str(socket))


async def check(failing: Program, other: Program, doing: str) -> None:
    status, _ = await failing.ends()
    assert status == 1, failing.errors
    assert failing.errors.count("sabotage") == 1, failing.errors
    assert f"ballstream itself failed while {doing} (ValueError: sabotage)" in failing.errors
    assert "Traceback" not in failing.errors
    status, _ = await other.ends()
    assert "itself failed" not in other.errors
    # A client that got nothing has nothing to be content with, whoever's fault it is.
    assert status == int("no picture came" in other.errors), other.errors


@pytest.mark.parametrize(
    ("function", "transport", "doing"),
    [
        ("scoring.score:Scorer.score", "track", "taking a message of the client's"),
        ("scoring.score:Scorer.drawn", "track", "sending a frame"),
        ("scoring.score:Scorer.drawn", "datachannel", "sending a frame"),
        ("link.imagecodec:_encode", "datachannel", "encoding a frame"),
        ("link.codec:encode", "track", "encoding a frame"),
    ],
)
async def test_of_the_server(
    socket_path: Path, sabotage: dict[str, str], function: str, transport: str, doing: str
) -> None:
    env = {**sabotage, "SABOTAGE": function}
    async with (
        run("server", *flags(socket_path), env=env) as server,
        run("client", *flags(socket_path), "--transport", transport) as client,
    ):
        await server.says("ballstream itself failed")
        server.send_signal(signal.SIGTERM)
        await check(server, client, doing)


@pytest.mark.parametrize(
    ("function", "transport", "doing"),
    [
        ("link.pictures:Pictures.put", "track", "handing a picture over"),
        ("link.pictures:Pictures.put", "datachannel", "taking a part of a picture"),
        ("link.reassembly:Reassembly.add", "track", "taking a packet"),
        ("protocol.frames:Joining.add", "datachannel", "taking a part of a picture"),
        ("protocol.messages:decode_feedback", "track", "reading a message of the server's"),
    ],
)
async def test_of_the_client(
    socket_path: Path, sabotage: dict[str, str], function: str, transport: str, doing: str
) -> None:
    env = {**sabotage, "SABOTAGE": function}
    async with (
        run("server", *flags(socket_path), "--sessions", "1") as server,
        run("client", *flags(socket_path), "--transport", transport, env=env) as client,
    ):
        await check(client, server, doing)


SLOW_TO_COME_BACK = """
import os, pathlib, time

started = pathlib.Path("started")
first = not started.exists()
if not first:
    time.sleep(5)
started.touch()
looked = 0

def detect(picture):
    global looked
    looked += 1
    if first and looked > 30:
        os._exit(1)
    return 1, 1
"""


@pytest.mark.parametrize("transport", ["track", "datachannel"])
async def test_a_client_whose_detector_is_away_for_long_is_not_lost_and_that_counts(
    socket_path: Path, tmp_path: Path, transport: str
) -> None:
    (tmp_path / "slow.py").write_text(SLOW_TO_COME_BACK)
    client_flags = ("--transport", transport, "--detector", "slow:detect", "--duration", "10")
    async with (
        run(
            "server", *flags(socket_path), "--sessions", "1", "--json", "--size", "320x240"
        ) as server,
        run("client", *flags(socket_path), *client_flags, "--json", cwd=tmp_path) as client,
    ):
        ((seen,), (told,)) = [(await each.report())["sessions"] for each in (server, client)]
    assert told["detector_restarts"] == 1
    assert seen["seconds"] > 9
    assert seen["frames_lost"] > 100, "what went unanswered meanwhile counts"
    assert seen["frames_answered"] > 30 + 30, "and afterwards it goes on"
