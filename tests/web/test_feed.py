"""The feed of the page: lines of JSON, for as long as somebody reads."""

import asyncio
import json
import socket
from contextlib import suppress

import pytest
from programs import run, soon
from samples import Session
from whep import serving_http

from ballstream.config import Address, ServerConfig, Web
from ballstream.protocol.messages import Estimate
from ballstream.scoring.counts import counts_of
from ballstream.scoring.score import Snapshot
from ballstream.web import feed, site
from ballstream.web.feed import Answer, Feed, row
from ballstream.web.site import Site


async def test_the_scene_then_the_clients() -> None:
    async with (
        serving_http("--size", "320x240", "--radius", "12") as served,
        served.http.get(f"{served.url}feed") as response,
    ):
        scene = json.loads(await soon(response.content.readline()))
        assert scene["type"] == "scene"
        assert (scene["width"], scene["height"], scene["radius"]) == (320, 240, 12)
        assert scene["motion"]["horizontal"]["low"] == 11.5
        assert json.loads(await soon(response.content.readline()))["rows"] == []
        async with run("client", "-s", "whep", "--url", served.whep):
            while True:
                rows = json.loads(await soon(response.content.readline()))["rows"]
                if rows and rows[0]["now_latency_ms"] and rows[0]["latency_ms"]:
                    break
        assert rows[0]["client"] == 1
        assert rows[0]["transport"] == "track"
        assert rows[0]["passive"] is False
        assert 0 < rows[0]["now_detection_error_px"] < 0.5


async def test_readers_that_hang_up_harm_nobody() -> None:
    async with serving_http("--sessions", "1") as served:
        readers = [await served.http.get(f"{served.url}feed") for _ in range(40)]
        for reader in readers[::2]:
            reader.close()
        flags = ("-s", "whep", "--url", served.whep, "--duration", "3")
        async with run("client", *flags) as client:
            assert (await client.ends())[0] == 0
        (session,) = (await served.program.report())["sessions"]
        assert session["frames_answered"] >= 0.9 * session["frames_sent"]
        for reader in readers:
            reader.close()


def test_a_row_has_all_counts_and_figures() -> None:
    session = Session(2, name="left arm", sent=16)
    verdict = session.scorer.score(Estimate(10, 103, 200), 1.5)
    cells = row(session, [(1.5, verdict)])
    counts = {name: getattr(session.snapshot(), name) for name in counts_of(Snapshot)}
    assert counts.items() <= cells.items()
    assert cells | {
        "client": 2, "name": "left arm", "transport": "track", "passive": False,
        "channel": True, "answered_percent": 6.25, "detection_error_px": 3, "latency_ms": 250,
        "latency_ms_p95": 250, "now_latency_ms": 250, "now_tracking_error_px": 3,
        "answers": [Answer(10, 3, 3, 250, 103, 200, 1.5)],
    } == cells  # fmt: skip
    assert row(session, [])["now_latency_ms"] is None


def test_who_has_ended_is_in_no_row() -> None:
    made, session = Feed({}), Session(1)
    made.came(session)
    assert list(made._sessions) == [1]
    made.ended(session, session.report())
    assert not made._sessions


async def test_a_reader_that_does_not_read_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its socket is full after a part of the first line, which is larger than any buffer."""
    monkeypatch.setattr(feed, "PERIOD", 0.02)
    monkeypatch.setattr(site, "_WRITE_TIMEOUT", 0.5)
    large = "x" * 20_000_000

    async def accept(channel: object) -> None:
        pytest.fail("nobody offers")

    serving = Site(
        ServerConfig(),
        Web(Address("127.0.0.1", 0)),
        {"large": large},
        accept,
        lambda error: None,
        lambda: None,
    )
    async with serving.serving() as url:
        host, port = url.removeprefix("http://").removesuffix("/whep").split(":")
        loop = asyncio.get_running_loop()
        with socket.socket() as lazy:
            lazy.setblocking(False)
            await loop.sock_connect(lazy, (host, int(port)))
            await loop.sock_sendall(lazy, b"GET /feed HTTP/1.1\r\nHost: localhost\r\n\r\n")
            reader, writer = await asyncio.open_connection(host, int(port), limit=1 << 25)
            writer.write(b"GET /feed HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await soon(reader.readuntil(large.encode()))
            while serving._feed.readers < 2:
                await soon(reader.readuntil(b'{"type":"rows","rows":[]'))
            while serving._feed.readers > 1:
                await soon(reader.readuntil(b'{"type":"rows","rows":[]'))
            await soon(reader.readuntil(b'{"type":"rows","rows":[]'))
            received = 0
            with suppress(ConnectionResetError):
                while part := await soon(loop.sock_recv(lazy, 1 << 20)):
                    received += len(part)
            assert received < len(large), "and what it has not read is not kept for it"
            writer.close()
