"""`connect` over every way of signalling, to a server in the same process."""

from pathlib import Path

import pytest
from programs import soon

from ballstream.config import Address, Secret, ServerConfig, Signaling, SignalingMethod, Web
from ballstream.connection import connect
from ballstream.errors import SignalingError, UsageError
from ballstream.server import Server

WHEP = Signaling(SignalingMethod.WHEP)


def config(way: str, folder: Path) -> ServerConfig:
    match way:
        case "tcp":
            return ServerConfig(Signaling(port=0))
        case "unix":
            return ServerConfig(Signaling(SignalingMethod.UNIX_SOCKET, path=folder / "socket"))
        case _:
            return ServerConfig(WHEP, web=Web(Address("127.0.0.1", 0), Secret("sesame")))


@pytest.mark.parametrize("transport", ["track", "datachannel"])
@pytest.mark.parametrize("way", ["tcp", "unix", "whep"])
async def test_pictures_come_and_answers_are_scored(
    way: str, transport: str, tmp_path: Path
) -> None:
    async with Server(config(way, tmp_path)) as server:
        token = "sesame" if way == "whep" else None
        answered: list[int | None] = []
        async with connect(
            server.address, transport=transport, token=token, name="left arm"
        ) as link:
            while len(answered) < 5:
                picture = await soon(anext(link.pictures))
                assert picture.bgr.shape == (480, 640, 3)
                assert picture.planes.y.shape == (480, 640)
                if link.answer(picture.frame, 320, 232):
                    answered.append(picture.frame)
            assert link.pictures.skipped >= 0
        report = await soon(anext(server.ended()))
    assert len(set(answered)) == 5
    assert (report.client, report.transport) == ("left arm", transport)
    assert report.frames_answered >= 4  # the last may have been on its way
    assert report.ended is not None
    assert (report.ended.by, report.ended.failed) == ("client", False)


async def test_the_pictures_end_with_the_server(tmp_path: Path) -> None:
    async with Server(config("unix", tmp_path)) as server:
        entered = connect(server.address)
        link = await entered.__aenter__()
        await soon(anext(link.pictures))
    assert [picture async for picture in link.pictures if picture is None] == []
    await entered.__aexit__(None, None, None)


async def test_the_reports_end_with_the_server(tmp_path: Path) -> None:
    async with Server(config("unix", tmp_path)) as server:
        reports = server.ended()
        reading = anext(reports)
        async with connect(server.address) as link:
            await soon(anext(link.pictures))
        assert (await soon(reading)).id == 1
        rest = anext(reports)
    with pytest.raises(StopAsyncIteration):
        await soon(rest)


@pytest.mark.parametrize(
    "address",
    ["", "127.0.0.1:1234", "tcp://", "tcp://host", "tcp://host:x", "unix:", "ftp://host/", "http:"],
)
async def test_what_is_no_address_is_said(address: str) -> None:
    with pytest.raises(UsageError, match="is no address of a server: tcp://HOST:PORT, unix:PATH"):
        async with connect(address):
            pass


async def test_what_is_no_transport_is_said() -> None:
    with pytest.raises(UsageError, match="'pigeon' is no transport: track or datachannel"):
        async with connect("unix:nowhere", transport="pigeon"):
            pass


async def test_where_nobody_listens_it_is_said_after_a_while(tmp_path: Path) -> None:
    with pytest.raises(SignalingError, match="no server at"):
        async with connect(f"unix:{tmp_path}/nobody", wait=0):
            pass
