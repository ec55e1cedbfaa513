"""The loop itself: both programs, as two processes, over real WebRTC."""

import asyncio
import csv
import json
import os
import pty
import random
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from programs import DEADLINE, run, soon

SERVER_KEYS = {
    "id", "client", "channel", "ended", "transport", "codec", "seconds", "frames_due",
    "frames_missed", "frames_dropped", "frames_sent", "frames_answered", "unnumbered",
    "frames_lost", "frames_undecided", "lost", "not_found", "duplicates", "rejected",
    "bytes_sent", "latency_ms", "way_ms", "client_ms", "detect_ms", "detection_error_px",
    "tracking_error_px", "held_error_px", "first_answer_ms", "gaps",
}  # fmt: skip


def free_port() -> int:
    """A port below those that the kernel gives away, so that nobody gets it meanwhile."""
    while True:
        port = random.randrange(10_000, 30_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def unix(path: Path) -> tuple[str, ...]:
    return ("-s", "unix-socket", "--signaling-path", str(path))


def check_closed_loop(server: dict[str, Any], client: dict[str, Any]) -> None:
    (seen,), (told,) = server["sessions"], client["sessions"]
    assert set(seen) == SERVER_KEYS
    assert seen["frames_sent"] > 45
    # What the client did not get, or skipped because its machine was busy, cannot be answered; of
    # the rest an answer or two may fall to the kernel, and half a second of them to the end.
    # It gets frames before its channel is open, too, which are not due.
    unseen = max(seen["frames_sent"] - told["frames_received"], 0) + told["frames_skipped"]
    assert 0 <= seen["frames_lost"] <= unseen + 3
    assert seen["frames_answered"] >= seen["frames_sent"] - unseen - 15
    assert seen["frames_answered"] <= told["estimates_sent"] <= told["frames_received"]
    assert told["breaks"] == told["frames_refused"] == told["detector_restarts"] == 0
    assert seen["rejected"] == seen["duplicates"] == seen["not_found"] == 0
    assert seen["bytes_sent"] > 10_000
    assert seen["detection_error_px"]["n"] > 15
    assert seen["detection_error_px"]["p50"] < 0.05
    assert seen["detection_error_px"]["max"] < 0.5
    assert seen["latency_ms"]["p50"] < 1000


async def test_over_a_unix_socket(socket_path: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    flags = (*unix(socket_path), "--json")
    async with (
        run("server", *flags, "--sessions", "1", "--output", str(out / "server")) as server,
        run("client", *flags, "--duration", "2", "--output", str(out / "client")) as client,
    ):
        seen, told = await server.report(), await client.report()
    check_closed_loop(seen, told)
    assert json.loads((out / "server/summary.json").read_text()) == seen
    assert json.loads((out / "client/summary.json").read_text()) == told
    with (out / "server/estimates.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == seen["sessions"][0]["frames_answered"]
    assert {row["result"] for row in rows} == {"answered"}
    with (out / "client/estimates.csv").open() as file:
        assert len(list(csv.DictReader(file))) == told["sessions"][0]["estimates_sent"]
    assert not socket_path.exists()


async def test_over_tcp_with_h264_and_the_client_first() -> None:
    port = str(free_port())
    async with run("client", "--signaling-port", port, "--json", "--duration", "2") as client:
        await client.says("waiting for the server")
        async with run(
            "server", "--signaling-port", port, "--json", "--sessions", "1", "--codec", "h264"
        ) as server:
            seen, told = await server.report(), await client.report()
    check_closed_loop(seen, told)
    assert seen["sessions"][0]["codec"] == told["sessions"][0]["codec"] == "H264"


@pytest.mark.parametrize(
    ("codec", "size", "error"),
    [("png", "640x480", 0.01), ("jpeg", "640x480", 0.1), ("raw", "320x240", 0.01)],
)
async def test_on_a_datachannel(socket_path: Path, codec: str, size: str, error: float) -> None:
    flags = (*unix(socket_path), "--json")
    async with (
        run("server", *flags, "--sessions", "1", "--frame-codec", codec, "--size", size) as server,
        run("client", *flags, "--duration", "2", "--transport", "datachannel") as client,
    ):
        seen, told = await server.report(), await client.report()
    check_closed_loop(seen, told)
    (session,), (received,) = seen["sessions"], told["sessions"]
    assert session["transport"] == received["transport"] == "datachannel"
    assert session["codec"] == received["codec"] == codec.upper()
    assert session["detection_error_px"]["p95"] < error
    assert received["frames_received"] + received["frames_lost"] <= session["frames_sent"]


async def test_both_transports_on_one_server(socket_path: Path) -> None:
    flags = (*unix(socket_path), "--json")
    async with (
        run("server", *flags, "--sessions", "2") as server,
        run("client", *flags, "--duration", "3", "--transport", "datachannel") as first,
        run("client", *flags, "--duration", "3") as second,
    ):
        seen = await server.report()
        await first.report()
        await second.report()
    assert {each["transport"] for each in seen["sessions"]} == {"track", "datachannel"}
    assert min(each["frames_answered"] for each in seen["sessions"]) > 45


async def test_by_copy_and_paste() -> None:
    flags = ("-s", "copy-and-paste")
    async with (
        run("server", *flags, "--sessions", "1") as server,
        run("client", *flags, "--duration", "2") as client,
    ):
        server.write_line(await client.read_line())
        client.write_line(await server.read_line())
        assert json.loads(await client.read_line()) == {"type": "bye"}
        server.write_line(b'{"type": "bye"}\n')
        status, summary = await server.ends()
        assert (await client.ends())[0] == 0, client.errors
    assert status == 0, server.errors
    assert "detection error" in summary


async def test_a_plain_picture_counts_for_tracking_only(socket_path: Path) -> None:
    flags = (*unix(socket_path), "--json")
    async with (
        run("server", *flags, "--sessions", "1", "--no-stamp") as server,
        run("client", *flags, "--duration", "2") as client,
    ):
        (seen,) = (await server.report())["sessions"]
        await client.report()
    assert seen["detection_error_px"]["n"] == seen["latency_ms"]["n"] == 0
    assert seen["tracking_error_px"]["n"] > 15


async def test_two_clients_at_once_and_a_third_is_refused(socket_path: Path) -> None:
    flags = (*unix(socket_path), "--json")
    async with (
        run("server", *flags, "--max-sessions", "2", "--sessions", "2") as server,
        run("client", *flags) as first,
        run("client", *flags) as second,
    ):
        await first.says("frames")
        await second.says("frames")
        async with run("client", *flags) as third:
            status, _ = await third.ends()
        assert status == 1
        assert "full" in third.errors
        for client in (first, second):
            client.send_signal(signal.SIGTERM)
        sessions = (await server.report())["sessions"]
        await first.report()
        await second.report()
    assert [session["frames_answered"] > 30 for session in sessions] == [True, True]


async def test_aiortc_s_own_paths_close_the_loop_too(socket_path: Path) -> None:
    flags = (*unix(socket_path), "--json", "--stock")
    async with (
        run("server", *flags, "--sessions", "1") as server,
        run("client", *flags, "--duration", "2") as client,
    ):
        (seen,) = (await server.report())["sessions"]
        (told,) = (await client.report())["sessions"]
    # What was said before the channel was open, and what is on the way at the end, is no answer.
    assert seen["frames_answered"] >= max(told["estimates_sent"] - 15, 1)
    assert told["estimates_sent"] > 15


async def test_clients_end_and_the_server_goes_on(socket_path: Path) -> None:
    ends = (signal.SIGINT, signal.SIGKILL, signal.SIGINT)
    async with run("server", *unix(socket_path), "--json") as server:
        for session, number in enumerate(ends, 1):
            async with run("client", *unix(socket_path)) as client:
                await server.says(f"client {session}: ")
                children = client.children
                client.send_signal(number)
                await server.says(f"client {session} is gone")
                status, _ = await client.ends()
                assert status == (130 if number is signal.SIGINT else -number)
                gone, alive = await asyncio.to_thread(psutil.wait_procs, children, DEADLINE)
                assert (len(gone), alive) == (len(children), [])
                assert gone, "the detector's process at the least"
        server.send_signal(signal.SIGTERM)
        assert len((await server.report())["sessions"]) == len(ends)


async def test_the_server_stops_first(socket_path: Path) -> None:
    async with (
        run("server", *unix(socket_path)) as server,
        run("client", *unix(socket_path)) as client,
    ):
        await client.says("frames")
        server.send_signal(signal.SIGINT)
        status, summary = await server.ends()
        assert status == 130
        assert "client 1" in summary
        status, summary = await client.ends()
    assert status == 0
    assert "the server said goodbye" in client.errors
    assert "frames received" in summary
    assert not socket_path.exists()


async def test_a_closed_terminal_leaves_nothing_behind(socket_path: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    async with (
        run("server", *unix(socket_path), "--output", str(out / "server")) as server,
        run("client", *unix(socket_path), "--output", str(out / "client")) as client,
    ):
        await client.says("frames")
        for program in (client, server):
            program.send_signal(signal.SIGHUP)
            assert (await program.ends())[0] == 0
    assert not socket_path.exists()
    for name in ("client", "server"):
        assert json.loads((out / name / "summary.json").read_text())["sessions"]


async def test_on_a_terminal_the_summary_stays(socket_path: Path) -> None:
    """The live view takes itself away before, not after: it would erase what stands there."""
    ours, theirs = pty.openpty()
    os.set_blocking(ours, False)
    async with run("server", *unix(socket_path)) as server:
        client = await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("ballstream-client"),
            *unix(socket_path), "--duration", "1",
            stdin=asyncio.subprocess.DEVNULL, stdout=theirs, stderr=theirs,
            env={**os.environ, "TERM": "xterm"},
        )  # fmt: skip
        os.close(theirs)
        screen = b""
        loop = asyncio.get_running_loop()
        readable = asyncio.Event()
        loop.add_reader(ours, readable.set)
        async with asyncio.timeout(DEADLINE):
            while True:
                await readable.wait()
                readable.clear()
                try:
                    screen += os.read(ours, 65536)
                except BlockingIOError:
                    continue
                except OSError:  # the other side of a terminal is closed
                    break
        loop.remove_reader(ours)
        os.close(ours)
        assert await soon(client.wait()) == 0
        server.send_signal(signal.SIGTERM)
        await server.ends()
    view, summary = screen.rsplit(b"frames received", 1)
    assert b"latency ms" in view, "the live table was there"
    assert b"\x1b[" not in summary.split(b"max")[0], "and nothing is erased after the summary"


async def test_the_server_is_killed(socket_path: Path) -> None:
    async with (
        run("server", *unix(socket_path)) as server,
        run("client", *unix(socket_path)) as client,
    ):
        await client.says("frames")
        server.send_signal(signal.SIGKILL)
        status, summary = await client.ends()
        await server.ends()
    assert status == 1
    assert "nothing came from the other end" in client.errors
    assert "frames received" in summary
    async with run("server", *unix(socket_path), "--duration", "0.1") as server:
        assert (await server.ends())[0] == 0, "a socket file left by a killed server is replaced"


async def test_ctrl_c_ends_a_client_that_waits_for_a_server(socket_path: Path) -> None:
    async with run("client", *unix(socket_path), "--wait", "60") as client:
        await client.says("waiting for the server")
        client.send_signal(signal.SIGINT)
        assert (await client.ends())[0] == 130


async def test_a_server_that_never_answers(socket_path: Path) -> None:
    asked = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        asked.set()
        await reader.read()
        writer.close()

    server = await asyncio.start_unix_server(say_nothing, socket_path, limit=1 << 20)
    async with run("client", *unix(socket_path)) as client:
        await soon(asked.wait())
        client.send_signal(signal.SIGINT)
        assert (await client.ends())[0] == 130
    async with run("client", *unix(socket_path)) as client:
        status, _ = await client.ends()
        assert status == 1
        assert "no answer within 10 s" in client.errors.splitlines()[-1]
    server.close()
