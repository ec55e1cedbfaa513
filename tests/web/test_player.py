"""The player against endpoints that were not written here, and some that mean no good."""

import pytest
from aiohttp import web
from origin import Handler, endpoint
from programs import run, soon
from whep import SDP

from ballstream.config import IceServer, Secret
from ballstream.errors import SignalingError
from ballstream.web.player import connect_whep


async def answer_of(handler: Handler) -> str:
    async with endpoint(handler) as url, connect_whep(url, None, 5) as exchange:
        answer: str = await soon(exchange.exchange("the offer"))
        return answer


async def test_offer_answer_and_goodbye() -> None:
    requests = []

    async def handler(request: web.Request) -> web.Response:
        requests.append((request.method, request.path, await request.text()))
        assert request.headers["Authorization"] == "Bearer sesame"
        if request.method == "OPTIONS":
            return web.Response(headers={"Link": '<stun:stun.example>; rel="ice-server"'})
        return web.Response(
            status=201 if request.method == "POST" else 200,
            text="the answer",
            headers={**SDP, "Location": "sessions/7"},
        )

    async with (
        endpoint(handler) as url,
        connect_whep(url, Secret("sesame"), 5) as exchange,
    ):
        assert exchange.ice_servers == (IceServer("stun:stun.example"),)
        assert await exchange.exchange("the offer") == "the answer"
        await exchange.goodbye()
        await exchange.goodbye()
    assert requests == [
        ("OPTIONS", "/live", ""),
        ("POST", "/live", "the offer"),
        ("DELETE", "/sessions/7", ""),
    ]


@pytest.mark.parametrize("status", [200, 201, 202])
@pytest.mark.parametrize("headers", [SDP, {"Content-Type": "text/plain"}])
async def test_any_success_with_a_description_will_do(status: int, headers: dict[str, str]) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=status, text="v=0\r\n", headers=headers)

    assert await answer_of(handler) == "v=0\r\n"


async def test_a_session_is_ended_though_its_answer_is_none() -> None:
    deleted = []

    async def handler(request: web.Request) -> web.Response:
        if request.method == "DELETE":
            deleted.append(request.path)
        return web.Response(status=201, text="<html>", headers={"Location": "/live/7"})

    async with endpoint(handler) as url, connect_whep(url, None, 5) as exchange:
        with pytest.raises(SignalingError, match="something else"):
            await soon(exchange.exchange("the offer"))
        await exchange.goodbye()
    assert deleted == ["/live/7"]


async def test_the_name_goes_with_the_offer_alone() -> None:
    asked = []

    async def handler(request: web.Request) -> web.Response:
        asked.append((request.method, dict(request.query)))
        return web.Response(status=201, text="v=0", headers=SDP)

    async with endpoint(handler) as url, connect_whep(f"{url}?room=1", None, 5) as exchange:
        await soon(exchange.exchange("the offer", "left & right"))
    assert asked == [
        ("OPTIONS", {"room": "1"}),
        ("POST", {"room": "1", "client": "left & right"}),
    ]


@pytest.mark.parametrize("status", [307, 308])
async def test_elsewhere_the_offer_goes_without_the_token(status: int) -> None:
    asked = []

    async def elsewhere(request: web.Request) -> web.Response:
        asked.append((request.method, await request.text(), "Authorization" in request.headers))
        return web.Response(status=201, text="v=0", headers={**SDP, "Location": "whep/7"})

    async with endpoint(elsewhere) as other:

        async def handler(request: web.Request) -> web.Response:
            if request.method == "OPTIONS":
                return web.Response()
            return web.Response(status=status, headers={"Location": other})

        async with endpoint(handler) as url, connect_whep(url, Secret("sesame"), 5) as exchange:
            assert await soon(exchange.exchange("the offer")) == "v=0"
            await exchange.goodbye()
    assert asked == [("POST", "the offer", False), ("DELETE", "", False)]


async def test_a_balancer_may_send_us_on() -> None:
    async def handler(request: web.Request) -> web.Response:
        if request.method == "OPTIONS":
            return web.Response(status=405)
        if request.path == "/live":
            return web.Response(status=307, headers={"Location": "/other"})
        return web.Response(status=201, text=await request.text(), headers=SDP)

    assert await answer_of(handler) == "the offer"


@pytest.mark.parametrize(
    ("status", "body", "content_type", "text"),
    [
        (201, "<html>", "text/html", "something else than application/sdp"),
        (201, "v" * 300_000, "application/sdp", "more than"),
        (404, "", "text/plain", "404.*--url"),
        (401, "", "text/plain", "401.*--token"),
        (503, '{"title":"","status":503,"detail":"full"}', "application/problem+json", "full"),
        (503, "[" * 5000, "application/problem+json", "refused \\(503\\)"),
        (404, '{"error":"no stream is available"}', "application/json", "no stream is available"),
        (406, '{"detail": 5}', "application/problem+json", "refused \\(406\\)"),
        (500, "", "text/plain", "refused \\(500\\)"),
    ],
)
async def test_whatever_comes_back_is_one_line(
    status: int, body: str, content_type: str, text: str
) -> None:
    async def handler(request: web.Request) -> web.Response:
        if request.method == "OPTIONS":
            return web.Response()
        return web.Response(status=status, text=body, content_type=content_type)

    with pytest.raises(SignalingError, match=text) as caught:
        await answer_of(handler)
    assert "\n" not in str(caught.value)


async def test_an_endpoint_that_hangs_up() -> None:
    async def handler(request: web.Request) -> web.Response:
        if request.method == "OPTIONS":
            return web.Response()
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    with pytest.raises(SignalingError, match="see --url"):
        await answer_of(handler)


async def test_nobody_there() -> None:
    with pytest.raises(SignalingError, match=r"no server at .* after 0.2 s .*--url and --wait"):
        async with connect_whep("http://127.0.0.1:9/whep", None, 0.2):
            pass


async def test_the_token_goes_to_the_endpoint_alone() -> None:
    tokens = []

    async def elsewhere(request: web.Request) -> web.Response:
        tokens.append(request.headers.get("Authorization"))
        return web.Response()

    async with endpoint(elsewhere) as other:

        async def handler(request: web.Request) -> web.Response:
            return web.Response(status=201, text="v", headers={**SDP, "Location": other})

        async with endpoint(handler) as url, connect_whep(url, Secret("sesame"), 5) as exchange:
            await exchange.exchange("the offer")
            await exchange.goodbye()
    assert tokens == [None]


@pytest.mark.parametrize(
    "url",
    ["ftp://a.example/whep", "whep", "http://", "http://[::1/whep", "http://me:pw@a.example/"],
)
async def test_what_is_no_url_is_wrong_usage(url: str) -> None:
    async with run("client", "-s", "whep", "--url", url) as client:
        status, _ = await client.ends()
    assert status == 2
    assert client.errors.count("\n") == 1
    assert "--url" in client.errors
