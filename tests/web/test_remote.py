"""Other people's endpoints of WHIP and WHEP, and addresses at which there is something else."""

import asyncio
import ssl
import subprocess
from pathlib import Path

import pytest
from aiohttp import web
from origin import Handler, endpoint
from programs import soon
from whep import SDP

from ballstream.config import IceServer, Secret
from ballstream.errors import SignalingError, Unavailable
from ballstream.web import remote
from ballstream.web.remote import Place, Reply, reaching


def place(url: str, token: str | None = None) -> Place:
    return Place(url, None if token is None else Secret(token), "--publish", "--publish-token")


async def reply_of(handler: Handler, token: str | None = None) -> Reply:
    async with endpoint(handler) as url, reaching(place(url, token)) as there:
        reply: Reply = await soon(there.offer("the offer"))
        return reply


def always(status: int, text: str = "", **headers: str) -> Handler:
    async def handler(request: web.Request) -> web.Response:
        kinds = {"Content-Type": "text/html", **headers}
        return web.Response(status=status, text=text, headers=kinds)

    return handler


@pytest.mark.parametrize(
    ("handler", "kind", "words"),
    [
        (always(404), Unavailable, r"the server refused \(404\): Not Found: see --publish$"),
        (always(409), Unavailable, r"the server refused \(409\): Conflict$"),
        (always(502, "<h1>"), Unavailable, r"the server refused \(502\): Bad Gateway$"),
        (always(401), SignalingError, r"refused \(401\): Unauthorized: see --publish-token$"),
        (always(403), SignalingError, r"refused \(403\): Forbidden: see --publish-token$"),
        (always(405), SignalingError, r"refused \(405\): Method Not Allowed: see --publish$"),
        (always(406), SignalingError, r"the server refused \(406\): Not Acceptable$"),
        (always(301, Location="/"), SignalingError, r"refused \(301\): Moved Permanently$"),
        (
            always(200, "<html>"),
            SignalingError,
            "answered with something else than application/sdp",
        ),
        (
            always(307, Location="/live"),
            SignalingError,
            "redirects more than 5 times: see --publish",
        ),
        (always(308, Location="ftp://x/"), SignalingError, "redirects to ftp://x/"),
        (always(201, "v=0" + "x" * 300_000), SignalingError, "more than 262144 bytes"),
    ],
)
async def test_what_is_no_endpoint_is_said_in_a_line(
    handler: Handler, kind: type[SignalingError], words: str
) -> None:
    with pytest.raises(SignalingError, match=words) as caught:
        await reply_of(handler)
    assert caught.type is kind
    assert "\n" not in str(caught.value)


async def test_an_endpoint_that_says_nothing_may_do_so_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(remote, "ANSWER_TIMEOUT", 0.2)
    ending = asyncio.Event()

    async def handler(request: web.Request) -> web.Response:
        await ending.wait()
        return web.Response()

    async with endpoint(handler) as url, reaching(place(url)) as there:
        with pytest.raises(Unavailable, match=r"no answer from \S+ within 0.2 s: see --publish"):
            await soon(there.offer("the offer"))
        ending.set()


async def test_nobody_there_may_be_there_later() -> None:
    async with reaching(place("http://127.0.0.1:9/live")) as there:
        with pytest.raises(OSError, match="Cannot connect"):
            await soon(there.discover())
        with pytest.raises(Unavailable, match="http://127"):
            await soon(there.offer("the offer"))


@pytest.fixture
def own_certificate(tmp_path: Path) -> ssl.SSLContext:
    """That of a server whom nobody vouches for."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-subj", "/CN=127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context


async def test_one_that_is_not_to_be_trusted_never_will_be(own_certificate: ssl.SSLContext) -> None:
    async with (
        endpoint(always(201), own_certificate) as url,
        reaching(place(url)) as there,
    ):
        for asking in (there.discover, lambda: there.offer("the offer")):
            with pytest.raises(SignalingError, match="is not to be trusted: ") as caught:
                await soon(asking())
            assert caught.type is SignalingError


@pytest.mark.parametrize("location", ["sessions/7", "/sessions/7", "{origin}/sessions/7"])
async def test_offer_answer_and_goodbye(location: str) -> None:
    requests = []

    async def handler(request: web.Request) -> web.Response:
        requests.append((request.method, request.path, await request.text()))
        assert request.headers["Authorization"] == "Bearer sesame"
        return web.Response(
            status=201 if request.method == "POST" else 200,
            text="v=0",
            headers={
                **SDP,
                "Location": location.format(origin=request.url.origin()),
                "Link": '<stun:stun.example>; rel="ice-server"',
            },
        )

    async with endpoint(handler) as url, reaching(place(url, "sesame")) as there:
        assert await soon(there.offer("the offer")) == Reply("v=0", counter=False)
        assert there.ice_servers == (IceServer("stun:stun.example"),)
        await there.goodbye()
        await there.goodbye()
    assert requests == [("POST", "/live", "the offer"), ("DELETE", "/sessions/7", "")]


@pytest.mark.parametrize("status", [307, 308])
async def test_it_is_followed_where_it_sends_us_without_the_token(status: int) -> None:
    seen = []

    async def there(request: web.Request) -> web.Response:
        seen.append((request.method, await request.text(), request.headers.get("Authorization")))
        return web.Response(status=201, text="v=0", headers={**SDP, "Location": "/sessions/7"})

    async with endpoint(there) as other:
        moved = always(status, Location=other)
        async with endpoint(moved) as url, reaching(place(url, "sesame")) as found:
            assert (await soon(found.offer("the offer"))).sdp == "v=0"
            await found.goodbye()
    assert seen == [("POST", "the offer", None), ("DELETE", "", None)]


async def test_an_offer_instead_of_an_answer_is_answered_by_patch() -> None:
    requests = []

    async def handler(request: web.Request) -> web.Response:
        requests.append((request.method, request.path, await request.text()))
        status = {"POST": 406, "PATCH": 204, "DELETE": 200}[request.method]
        return web.Response(status=status, text="v=0", headers={**SDP, "Location": "/sessions/7"})

    async with endpoint(handler) as url, reaching(place(url)) as there:
        assert await soon(there.offer("the offer")) == Reply("v=0", counter=True)
        await soon(there.answer("the answer"))
        await there.goodbye()
    assert requests == [
        ("POST", "/live", "the offer"),
        ("PATCH", "/sessions/7", "the answer"),
        ("DELETE", "/sessions/7", ""),
    ]
