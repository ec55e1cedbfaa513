"""What a program says, on a terminal and elsewhere."""

import asyncio
import json
import logging
import os
import pty
import select
import sys
import termios
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from programs import run, soon

from ballstream.report.terminal import PLAIN_PERIOD, TERMINAL_PERIOD, Terminal
from ballstream.report.view import Cells

DEADLINE = 10.0


def table(rows: object) -> list[str]:
    assert isinstance(rows, list)
    return ["head", *("|".join(row) for row in rows)]


def line(cells: Cells) -> str:
    return ", ".join(cells)


class Reader:
    """The other end of standard error."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def read(self) -> str:
        """What was written since the last time."""
        ready, _, _ = select.select([self._descriptor], [], [], DEADLINE)
        assert ready, "nothing was said"
        return os.read(self._descriptor, 65536).decode().replace("\r\n", "\n")


@contextmanager
def standard_error(ends: tuple[int, int]) -> Iterator[Reader]:
    """Let standard error be one end of a pipe or a terminal; gives the other."""
    reading, writing = ends
    with os.fdopen(writing, "w") as stream, pytest.MonkeyPatch.context() as patch:
        # In the test itself: before it pytest puts its own in place.
        patch.setattr("sys.stderr", stream)
        patch.setenv("TERM", "xterm")
        yield Reader(reading)
    os.close(reading)


def test_without_a_terminal_rows_are_lines() -> None:
    with standard_error(os.pipe()) as pipe:
        with Terminal(table, line) as terminal:
            assert terminal.period == PLAIN_PERIOD
            terminal.note("hello\x1b[2J")
            terminal.show([("a", "1"), ("b", "2")])
            terminal._writer.flush()
            logging.getLogger("ballstream.test").error("a failure")
        assert pipe.read() == "hello [2J\na, 1\nb, 2\nERROR ballstream.test: a failure\n"


def test_on_a_terminal_rows_are_a_table_that_goes_away() -> None:
    with standard_error(pty.openpty()) as glass, Terminal(table, line) as terminal:
        assert terminal.period == TERMINAL_PERIOD
        terminal.show([("a", "1")])
        terminal._writer.flush()
        assert glass.read() == "\x1b[?7lhead\na|1\n\x1b[?7h"
        terminal.show(("b", each) for each in "2")
        terminal._writer.flush()
        assert glass.read() == "\x1b[2A\r\x1b[J\x1b[?7lhead\nb|2\n\x1b[?7h"
        terminal.clear()
        assert glass.read() == "\x1b[2A\r\x1b[J"
        terminal.show([])
        terminal.note("bye")
        assert glass.read() == "bye\n"


def test_a_caption_stands_above_the_table() -> None:
    with standard_error(pty.openpty()) as glass, Terminal(table, line) as terminal:
        terminal.show([("a", "1")], "a bad network")
        terminal._writer.flush()
        assert glass.read() == "\x1b[?7la bad network\nhead\na|1\n\x1b[?7h"
        terminal.show([], "a bad network")
        terminal._writer.flush()
        assert glass.read() == "\x1b[3A\r\x1b[J\x1b[?7la bad network\n\x1b[?7h"


def test_without_a_terminal_a_caption_is_said_when_it_changes() -> None:
    with standard_error(os.pipe()) as pipe, Terminal(table, line) as terminal:
        for caption in ("bad", "bad", "worse", "bad", ""):
            terminal.show([("a", "1")], caption)
            terminal._writer.flush()
        assert pipe.read() == "bad\na, 1\na, 1\nworse\na, 1\nbad\na, 1\na, 1\n"


@pytest.mark.parametrize(
    ("kind", "columns", "period"),
    [
        ("xterm", 80, TERMINAL_PERIOD),
        ("xterm", 24, PLAIN_PERIOD),
        ("dumb", 80, PLAIN_PERIOD),
        ("", 80, PLAIN_PERIOD),
    ],
)
def test_a_table_is_for_terminals_that_can_and_are_wide_enough(
    monkeypatch: pytest.MonkeyPatch, kind: str, columns: int, period: float
) -> None:
    ends = pty.openpty()
    termios.tcsetwinsize(ends[1], (24, columns))
    with standard_error(ends) as glass, Terminal(table, line) as terminal:
        monkeypatch.setenv("TERM", kind)
        monkeypatch.setenv("FORCE_COLOR", "1")
        assert terminal.period == period
        terminal.show([("a", "1")])
        terminal._writer.flush()
        assert glass.read() == (
            "a, 1\n" if period is PLAIN_PERIOD else "\x1b[?7lhead\na|1\n\x1b[?7h"
        )


def test_a_table_goes_away_where_the_terminal_has_become_too_narrow() -> None:
    ends = pty.openpty()
    with standard_error(ends) as glass, Terminal(table, line) as terminal:
        terminal.show([("a", "1")])
        terminal._writer.flush()
        assert "head" in glass.read()
        termios.tcsetwinsize(ends[1], (24, 30))
        terminal.show([("a", "2")])
        terminal._writer.flush()
        assert glass.read() == "\x1b[2A\r\x1b[Ja, 2\n"


def test_only_the_newest_rows_are_drawn() -> None:
    begun, go = threading.Event(), threading.Event()

    def slow() -> Iterator[Cells]:
        begun.set()
        assert go.wait(DEADLINE)
        yield "a", "1"

    with standard_error(os.pipe()) as pipe, Terminal(table, line) as terminal:
        terminal.show(slow())
        assert begun.wait(DEADLINE)
        for number in range(100):
            terminal.show([("b", str(number))])
        go.set()
        terminal._writer.flush()
        assert pipe.read() == "a, 1\nb, 99\n"


def test_a_view_that_fails_is_a_line_and_the_next_is_drawn() -> None:
    def failing() -> Iterator[Cells]:
        raise ValueError("no words")
        yield

    with standard_error(os.pipe()) as pipe, Terminal(table, line) as terminal:
        assert not terminal.failed
        terminal.show(failing())
        terminal._writer.flush()
        terminal.show([("a", "1")])
        terminal._writer.flush()
        said = "ballstream itself failed while making the live view (ValueError: no words)"
        assert pipe.read() == f"{said}\na, 1\n"
        assert terminal.failed


@pytest.mark.parametrize("name", ["/dev/full", None])
def test_standard_error_that_cannot_be_written_is_no_failure(
    monkeypatch: pytest.MonkeyPatch, name: str | None
) -> None:
    stream = None if name is None else Path(name).open("w")  # noqa: SIM115
    monkeypatch.setattr("sys.stderr", stream)
    with Terminal(table, line) as terminal:
        for _ in range(3):
            terminal.note("lost")
            terminal.show([("a", "1")])
            logging.getLogger("ballstream.test").error("lost")
        assert not terminal.failed
    if stream is not None:
        stream.close()


@pytest.mark.parametrize("nowhere", ["2>/dev/full", "2>&-"])
async def test_a_server_that_cannot_say_anything_scores_all_the_same(
    socket_path: Path, nowhere: str
) -> None:
    flags = ("-s", "unix-socket", "--signaling-path", str(socket_path), "--json")
    server = Path(sys.executable).with_name("ballstream-server")
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", f'exec "$@" {nowhere}', "sh", server, *flags, "--sessions", "1",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with run("client", *flags, "--duration", "3") as client:
            (told,) = (await client.report())["sessions"]
        assert process.stdout is not None
        (seen,) = json.loads(await soon(process.stdout.read()))["sessions"]
        assert await soon(process.wait()) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert told["estimates_sent"] >= seen["frames_answered"] > 0
    assert seen["seconds"] > 2
    # Its goodbye and the end of its connection are on two ways, of which either may be quicker.
    assert (seen["ended"]["by"], seen["ended"]["failed"]) == ("client", False)
