import os
import tempfile
from pathlib import Path

import pytest
from programs import soon

from ballstream.bench.programs import folder_for_socket, running
from ballstream.errors import BallstreamError
from ballstream.signaling.sockets import LONGEST_PATH


async def test_a_program_that_says_much_on_standard_error_does_not_wait_for_us() -> None:
    # More than any pipe holds, in one line, before it says that it is ready.
    code = "import sys; sys.stderr.write('x' * (1 << 22)); print('ready', flush=True); input()"
    async with running(code) as program:
        await soon(program.ready())
        assert program.running


async def test_a_program_that_ends_before_it_is_ready_says_why() -> None:
    async with running("raise SystemExit('first\\nthe port is taken')") as program:
        with pytest.raises(BallstreamError, match=r"^a run failed: the port is taken$"):
            await soon(program.ready())


async def test_a_program_that_fails_without_a_word() -> None:
    async with running("raise SystemExit(3)") as program:
        with pytest.raises(BallstreamError, match=r"^a run failed: it said nothing$"):
            await soon(program.output())


async def test_flags_in_variables_are_for_the_user_s_own_commands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BALLSTREAM_SIZE", "1920x1080")
    monkeypatch.setenv("BALLSTREAM_TRACE", "elsewhere")
    monkeypatch.setenv("ANOTHER", "stays")
    code = (
        "import os\n"
        "print(*sorted(name for name in os.environ if name.startswith('BALLSTREAM')))\n"
        "print(os.environ['ANOTHER'], os.environ['BALLSTREAM_TRACE'])"
    )
    async with running(code, env={"BALLSTREAM_TRACE": "here"}) as program:
        assert await soon(program.output()) == "BALLSTREAM_TRACE\nstays here\n"


async def test_no_file_of_the_folder_takes_the_place_of_a_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "socket.py").write_text("raise SystemExit('the wrong one')")
    monkeypatch.chdir(tmp_path)
    async with running("import socket; print(socket.AF_UNIX.name)") as program:
        assert await soon(program.output()) == "AF_UNIX\n"


def test_a_socket_goes_where_temporary_files_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    room = LONGEST_PATH - len(os.fsencode(tmp_path / ""))
    assert folder_for_socket("x" * (room - 1)) == str(tmp_path)


def test_a_socket_that_does_not_fit_there_goes_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("long" * 30)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    assert folder_for_socket("folder/socket") in ("/tmp", "/var/tmp")  # noqa: S108


def test_a_socket_that_fits_nowhere_is_said_at_once() -> None:
    with pytest.raises(BallstreamError, match="has at most 107 bytes; set TMPDIR to a shorter"):
        folder_for_socket("x" * LONGEST_PATH)
