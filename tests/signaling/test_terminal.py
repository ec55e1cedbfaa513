import asyncio
import json
import os
import pty
import sys
import termios
from pathlib import Path

import pytest
from programs import soon

from ballstream.errors import SignalingError
from ballstream.signaling.messages import Answer, Offer
from ballstream.signaling.terminal import open_terminal


async def test_a_terminal_takes_lines_longer_than_the_kernel_keeps(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ours, theirs = pty.openpty()
    sdp = "x" * 20_000
    with os.fdopen(theirs, "rb", buffering=0) as terminal, os.fdopen(ours, "wb", buffering=0) as us:
        before = termios.tcgetattr(terminal)
        monkeypatch.setattr(sys, "stdin", terminal)
        async with open_terminal(sys.stdout) as channel:
            os.set_blocking(us.fileno(), False)
            line = json.dumps({"type": "offer", "sdp": sdp}).encode() + b"\n"
            # A terminal's own buffer is small: paste as a terminal program does, bit by bit.
            receiving = asyncio.ensure_future(channel.receive())
            while line:
                line = line[us.write(line[:1024]) or 0 :]
                await asyncio.sleep(0)
            message = await soon(receiving)
            await channel.send(Answer("y"))
        assert message == Offer(sdp)
        assert termios.tcgetattr(terminal) == before
        assert os.get_blocking(terminal.fileno()), "the shell goes on with this terminal"
    written = capsys.readouterr()
    assert json.loads(written.out) == {"type": "answer", "sdp": "y"}
    assert "Paste this line" in written.err


async def test_with_json_the_lines_leave_standard_output_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reader, writer = os.pipe()
    os.close(writer)
    monkeypatch.setattr(sys, "stdin", os.fdopen(reader, "rb"))
    async with open_terminal(sys.stderr) as channel:
        await channel.send(Answer("y"))
        assert await soon(channel.receive()) is None
    written = capsys.readouterr()
    assert written.out == ""
    assert '{"type":"answer","sdp":"y"}' in written.err


async def test_a_file_is_no_terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "lines").touch()
    for path in (tmp_path / "lines", Path(os.devnull)):
        with path.open() as file:
            monkeypatch.setattr(sys, "stdin", file)
            with pytest.raises(SignalingError, match="terminal or a pipe"):
                async with open_terminal(sys.stdout):
                    pass
