import asyncio
import json
import os
import pty
import sys
import termios
from pathlib import Path

import pytest
from programs import soon

from ballstream.errors import BallstreamError, InternalFailure, SignalingError
from ballstream.signaling.messages import Answer, Bye, IncomingOffer, Offer, encode
from ballstream.signaling.terminal import connect_terminal, listen_terminal


def paste(monkeypatch: pytest.MonkeyPatch, *lines: bytes) -> None:
    """Let standard input be a pipe that has these lines, and then an end."""
    reader, writer = os.pipe()
    os.write(writer, b"".join(lines))
    os.close(writer)
    monkeypatch.setattr(sys, "stdin", os.fdopen(reader, "rb"))


async def test_a_terminal_takes_lines_longer_than_the_kernel_keeps(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ours, theirs = pty.openpty()
    sdp = "x" * 20_000
    with os.fdopen(theirs, "rb", buffering=0) as terminal, os.fdopen(ours, "wb", buffering=0) as us:
        before = termios.tcgetattr(terminal)
        monkeypatch.setattr(sys, "stdin", terminal)
        async with connect_terminal(sys.stdout) as exchange:
            os.set_blocking(us.fileno(), False)
            line = encode(Answer(sdp))
            # A terminal's own buffer is small: paste as a terminal program does, bit by bit.
            exchanging = asyncio.ensure_future(exchange.exchange("y", "arm"))
            while line:
                line = line[us.write(line[:1024]) or 0 :]
                await asyncio.sleep(0)
            assert await soon(exchanging) == sdp
        assert termios.tcgetattr(terminal) == before
        assert os.get_blocking(terminal.fileno()), "the shell goes on with this terminal"
    written = capsys.readouterr()
    assert json.loads(written.out) == {"type": "offer", "sdp": "y", "name": "arm"}
    assert "Paste this line" in written.err


async def test_with_json_the_lines_leave_standard_output_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    paste(monkeypatch)
    async with connect_terminal(sys.stderr) as exchange:
        with pytest.raises(SignalingError, match="hung up"):
            await soon(exchange.exchange("y"))
    written = capsys.readouterr()
    assert written.out == ""
    assert '{"type":"offer","sdp":"y"}' in written.err


async def test_clients_take_turns_until_the_input_ends(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = encode(Offer("1")) + encode(Bye()), encode(Bye()) + encode(Offer("2", "arm"))
    paste(monkeypatch, first, b"hello\n", second)
    offers, refused = [], []
    ended = asyncio.Event()

    async def accept(offer: IncomingOffer) -> None:
        offers.append((offer.sdp, offer.name))
        await offer.answer("y")
        if offer.sdp == "1":
            await soon(offer.gone.wait())

    def refuse(error: BallstreamError) -> None:
        refused.append(str(error))

    async with listen_terminal(sys.stdout, accept, refuse, ended.set) as address:
        assert address == "this terminal"
        await soon(ended.wait())
    assert offers == [("1", None), ("2", "arm")]
    assert len(refused) == 1
    kinds = [json.loads(line)["type"] for line in capsys.readouterr().out.splitlines()]
    assert kinds == ["answer", "error", "answer"]


async def test_that_we_fail_to_read_is_told_once_and_is_the_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def broken(_: object) -> None:
        raise ValueError("no")

    async def accept(_: IncomingOffer) -> None:
        raise AssertionError

    paste(monkeypatch)
    monkeypatch.setattr("ballstream.signaling.terminal.read_offer", broken)
    refused: list[BallstreamError] = []
    ended = asyncio.Event()
    async with listen_terminal(sys.stdout, accept, refused.append, ended.set):
        await soon(ended.wait())
    assert [type(each) for each in refused] == [InternalFailure]
    assert "while reading an offer (ValueError: no)" in capsys.readouterr().out


async def test_who_waits_for_a_session_does_not_wait_for_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reader, writer = os.pipe()
    os.write(writer, encode(Offer("1")))
    monkeypatch.setattr(sys, "stdin", os.fdopen(reader, "rb"))
    running: asyncio.Future[asyncio.Task[None]] = asyncio.get_running_loop().create_future()

    async def accept(offer: IncomingOffer) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.set_result(task)

    async with listen_terminal(sys.stdout, accept, lambda _: None, lambda: None):
        await soon(await soon(running))
    os.close(writer)


async def test_a_file_is_no_terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "lines").touch()
    for path in (tmp_path / "lines", Path(os.devnull)):
        with path.open() as file:
            monkeypatch.setattr(sys, "stdin", file)
            with pytest.raises(SignalingError, match="terminal or a pipe"):
                async with connect_terminal(sys.stdout):
                    pass
