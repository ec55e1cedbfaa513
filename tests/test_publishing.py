"""A server whose video goes to media servers, and clients that watch there."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from av import VideoFrame
from mediaserver import media_server
from origin import endpoint
from programs import soon
from whep import SDP, offering

import ballstream.publishing as shell
from ballstream.config import IceServer, Network, ServerConfig, Signaling, SignalingMethod
from ballstream.connection import connect
from ballstream.errors import BallstreamError, SignalingError, Unavailable, UsageError
from ballstream.link.offerer import Link
from ballstream.link.publication import Ask
from ballstream.report.observers import Observer
from ballstream.report.records import SessionReport
from ballstream.server import Server
from ballstream.vision.detect import centroid
from ballstream.vision.picture import Picture

NOWHERE = "http://127.0.0.1:9/whip"


class Publications(Observer):
    """Keeps what it is told of media servers."""

    def __init__(self) -> None:
        self.up: asyncio.Queue[str] = asyncio.Queue()
        self.down: asyncio.Queue[tuple[str, BallstreamError, float | None]] = asyncio.Queue()

    def published(self, url: str) -> None:
        self.up.put_nowait(url)

    def unpublished(self, url: str, error: BallstreamError, pause: float | None) -> None:
        self.down.put_nowait((url, error, pause))


def config(folder: Path, *urls: str) -> ServerConfig:
    return ServerConfig(
        Signaling(SignalingMethod.UNIX_SOCKET, path=folder / "socket"),
        size=(160, 120),
        radius=10,
        speed=100,
        publish=urls,
    )


@asynccontextmanager
async def serving(folder: Path, *urls: str) -> AsyncIterator[tuple[Server, Publications]]:
    publications = Publications()
    async with Server(config(folder, *urls), [publications]) as server:
        yield server, publications


async def answer_some(link: Link[Picture], count: int) -> None:
    """Answer so many different pictures with a number."""
    answered: set[int] = set()
    while len(answered) < count:
        picture = await soon(anext(link.pictures))
        link.answer(picture.frame, *(centroid(picture) or (None, None)))
        if picture.frame is not None:
            answered.add(picture.frame)


@pytest.mark.parametrize("offers", [False, True])
async def test_what_is_published_is_watched_and_scored(offers: bool, tmp_path: Path) -> None:
    async with media_server(offers=offers) as media:
        async with serving(tmp_path, f"{media.url}/whip") as (server, publications):
            assert await soon(publications.up.get()) == f"{media.url}/whip"
            async with connect(server.address, watch=f"{media.url}/whep") as link:
                await answer_some(link, 20)
                assert link.codec == "VP8"
            report: SessionReport = await soon(anext(server.ended()))
            media.deleted.clear()
        await soon(media.deleted.wait())
    assert (report.transport, report.codec, report.channel) == ("published", "VP8", True)
    assert report.frames_answered >= 15
    assert report.frames_due == report.frames_sent + report.frames_missed + report.frames_dropped
    assert report.rejected == 0
    assert report.bytes_sent == 0
    methods = [method for method, _ in media.requests]
    assert methods.count("DELETE") == 2
    assert ("PATCH" in methods) == offers


async def test_several_are_published_to_and_one_that_is_missing_is_said(tmp_path: Path) -> None:
    async with media_server() as one, media_server() as other:
        urls = (f"{one.url}/whip", NOWHERE, f"{other.url}/whip")
        async with serving(tmp_path, *urls) as (_, publications):
            up = {await soon(publications.up.get()), await soon(publications.up.get())}
            url, error, pause = await soon(publications.down.get())
            _, _, longer = await soon(publications.down.get())
            await soon(one.published.wait())
            await soon(other.published.wait())
    assert up == {urls[0], urls[2]}
    assert (url, type(error), str(error)) == (NOWHERE, Unavailable, "no reply (Connection refused)")
    assert (pause, longer) == (0.5, 1.0)


async def test_it_is_published_again_where_the_media_server_comes_back(tmp_path: Path) -> None:
    async with (
        media_server() as media,
        serving(tmp_path, f"{media.url}/whip") as (server, publications),
    ):
        await soon(publications.up.get())
        async with connect(server.address, watch=f"{media.url}/whep") as link:
            await answer_some(link, 3)
            await media.forget()
            _, error, _ = await soon(publications.down.get())
            assert str(error) == "the media server closed the connection"
            await soon(publications.up.get())
            before = link.pictures.received
            await answer_some(link, 5)
            assert link.pictures.received > before
        report: SessionReport = await soon(anext(server.ended()))
    # What nobody published was not due; what had gone out before the end was noticed was lost.
    assert report.frames_due < report.seconds * 30


async def test_without_the_ballstream_server_the_client_ends(tmp_path: Path) -> None:
    async with media_server() as media:
        async with serving(tmp_path, f"{media.url}/whip") as (server, publications):
            await soon(publications.up.get())
            entered = connect(server.address, watch=f"{media.url}/whep")
            link = await entered.__aenter__()
            await answer_some(link, 3)
        rest = [picture async for picture in link.pictures if picture is None]
        await soon(entered.__aexit__(None, None, None))
    assert rest == []


async def test_a_media_server_that_never_comes_is_an_error_after_a_while(tmp_path: Path) -> None:
    async with (
        serving(tmp_path, NOWHERE) as (server, _),
        connect(server.address, watch="http://127.0.0.1:9/whep", wait=0.5) as link,
    ):
        with pytest.raises(Unavailable, match="no reply from http://127"):
            await soon(anext(link.pictures))


async def test_who_watches_where_nothing_is_published_is_refused(tmp_path: Path) -> None:
    async with (
        media_server() as media,
        serving(tmp_path) as (server, _),
        connect(server.address, watch=f"{media.url}/whep", wait=10) as link,
    ):
        with pytest.raises(SignalingError, match="nothing is published here: see --publish"):
            await soon(anext(link.pictures))


def doubled(frame: VideoFrame) -> VideoFrame:
    """The frame as a media server scales it."""
    return frame.reformat(width=2 * frame.width, height=2 * frame.height)


async def test_what_comes_in_another_size_is_answered_in_that_of_the_server(
    tmp_path: Path,
) -> None:
    async with (
        media_server(alter=doubled) as media,
        serving(tmp_path, f"{media.url}/whip") as (server, publications),
    ):
        await soon(publications.up.get())
        async with connect(server.address, watch=f"{media.url}/whep") as link:
            picture = await soon(anext(link.pictures))
            assert (picture.width, picture.height) == (320, 240)
            await answer_some(link, 60)
        report: SessionReport = await soon(anext(server.ended()))
    assert report.frames_answered >= 30
    assert report.detection_error_px.p50 is not None
    assert report.detection_error_px.p50 < 0.5


async def answer_without_our_codec(request: web.Request) -> web.Response:
    """An answer that takes the video in a codec that was not offered."""
    async with offering("video", codec="H264") as other:
        sdp = other.localDescription.sdp
    answer = sdp.replace("setup:actpass", "setup:passive")
    return web.Response(status=201, text=answer, headers={**SDP, "Location": "/session/1"})


async def nothing(request: web.Request) -> web.Response:
    raise web.HTTPNotFound


async def a_page(request: web.Request) -> web.Response:
    return web.Response(text="<html>", content_type="text/html")


@pytest.mark.parametrize(
    ("handler", "words", "again"),
    [
        (nothing, "the server refused (404): Not Found: see --publish", True),
        (a_page, "answered with something else than application/sdp", False),
        (answer_without_our_codec, "no video codec in common", False),
    ],
)
async def test_what_takes_no_video_is_said_and_the_server_goes_on(
    handler: Callable[[web.Request], Awaitable[web.Response]],
    words: str,
    again: bool,
    tmp_path: Path,
) -> None:
    async with endpoint(handler) as url, serving(tmp_path, url) as (server, publications):
        _, error, pause = await soon(publications.down.get())
        assert words in str(error)
        assert "\n" not in str(error)
        assert (pause is not None) == again
        async with connect(server.address) as link:
            await answer_some(link, 3)


async def test_ice_servers_that_come_with_the_answer_are_used_for_another_offer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    methods: list[str] = []
    used: list[tuple[IceServer, ...]] = []

    async def handler(request: web.Request) -> web.Response:
        methods.append(request.method)
        headers = {"Location": "/session/1", "Link": '<stun:a.example>; rel="ice-server"'}
        if request.method == "OPTIONS":
            return web.Response()
        return web.Response(status=201, text="v=0", headers={**SDP, **headers})

    async def ask_only(ask: Ask, network: Network, *rest: object) -> None:
        used.append(network.ice_servers)
        await ask("the offer")

    monkeypatch.setattr(shell, "publish", ask_only)
    async with endpoint(handler) as url, serving(tmp_path, url) as (_, publications):
        _, error, pause = await soon(publications.down.get())
    assert used[:2] == [(), (IceServer("stun:a.example"),)]
    assert methods[:5] == ["OPTIONS", "POST", "DELETE", "POST", "DELETE"]
    assert (str(error), pause) == ("the media server closed the connection", 0.5)


async def test_what_is_no_url_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'nowhere' is not a URL like"):
        async with serving(tmp_path, "nowhere"):
            pass
    with pytest.raises(UsageError, match="'nowhere' is not a URL like"):
        async with connect("unix:nobody", watch="nowhere"):
            pass
    with pytest.raises(UsageError, match="not both"):
        async with connect("unix:nobody", watch=NOWHERE, transport="datachannel"):
            pass
