"""The WHEP endpoint, asked by other stacks and by people who mean no good."""

import asyncio
import json
import re
import signal
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from programs import run, soon
from whep import SDP, Served, connect, make_offer, offering, serving_http

from ballstream.config import Address, Secret, Web
from ballstream.errors import UsageError
from ballstream.web.defence import check_exposure

TOKEN = "sesame"  # noqa: S105
TURN = "turn:robot:arm@127.0.0.1:9?transport=udp"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def sessions(served: Served) -> list[dict[str, object]]:
    served.program.send_signal(signal.SIGTERM)
    found: list[dict[str, object]] = (await served.program.report())["sessions"]
    return found


async def test_our_own_client_closes_the_loop() -> None:
    env = {"BALLSTREAM_TOKEN": TOKEN}
    async with serving_http("--sessions", "1", env=env) as served:
        flags = ("-s", "whep", "--url", served.whep, "--duration", "3", "--json")
        async with run("client", *flags, env=env) as client:
            received = await client.report()
        document = await served.program.report()
    (session,) = document["sessions"]
    assert session["frames_answered"] >= 0.9 * session["frames_sent"] > 0
    assert session["detection_error_px"]["max"] < 0.1
    assert received["sessions"][0]["codec"] == "VP8"
    assert TOKEN not in json.dumps([document, received])
    assert TOKEN not in served.program.errors + client.errors


async def test_an_answer_has_a_place_that_can_be_deleted_once() -> None:
    async with serving_http() as served, offering("video", "channel") as connection:
        response, answer = await served.post(connection.localDescription.sdp)
        assert (response.status, response.content_type) == (201, "application/sdp")
        assert response.headers["Ballstream-Client"] == "1"
        place = response.headers["Location"].removeprefix("/")
        assert len(place) >= len("whep/") + 32
        assert response.headers["ETag"] == '"1"'
        await connect(connection, answer)
        assert (await served.ask("GET", place))[0].status == 204
        assert (await served.ask("DELETE", place))[0].status == 200
        assert (await served.ask("DELETE", place))[0].status == 404
        await served.program.says("client 1 is gone: the client said goodbye")


ORDERS = (("channel", "video"), ("audio", "video", "channel"), ("channel", "audio", "video"))


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_sections_in_any_order(codec: str) -> None:
    async with serving_http("--codec", codec, "--sessions", str(len(ORDERS))) as served:
        for parts in ORDERS:
            async with offering(*parts) as connection:
                response, answer = await served.post(connection.localDescription.sdp)
                assert response.status == 201, parts
                assert answer.index(f"{codec}/90000")
                await connect(connection, answer)
                (track,) = [each.track for each in connection.getReceivers() if each.track]
                await soon(track.recv())
                place = response.headers["Location"].removeprefix("/")
                await served.ask("DELETE", place)
        found = (await served.program.report())["sessions"]
    assert [session["codec"] for session in found] == [codec] * len(ORDERS)


async def test_who_only_watches_is_welcome_and_not_scored() -> None:
    async with serving_http() as served, offering("video") as connection:
        _, answer = await served.post(connection.localDescription.sdp)
        await connect(connection, answer)
        await soon(connection.getReceivers()[0].track.recv())
        _, metrics = await served.ask("GET", "metrics")
        assert 'ballstream_sessions{kind="passive"} 1.0' in metrics
        assert await sessions(served) == []


async def test_options_say_what_can_be_posted() -> None:
    async with serving_http() as served:
        response, _ = await served.ask("OPTIONS")
        assert response.status == 200
        assert response.headers["Accept-Post"] == "application/sdp"
        assert response.headers["Allow"] == "POST, OPTIONS, GET, HEAD"


async def test_a_player_that_trickles_as_mediamtx_s() -> None:
    async with serving_http() as served, offering("video", "channel") as connection:
        whole = connection.localDescription.sdp
        held_back = ("a=candidate:", "a=end-of-candidates")
        lines = whole.splitlines(keepends=True)
        offer = "".join(line for line in lines if not line.startswith(held_back))
        response, answer = await served.post(offer)
        credentials = ("a=ice-ufrag:", "a=ice-pwd:")
        once = {line for line in lines if line.startswith(credentials)}
        wanted = ("m=", "a=mid:", *held_back)
        fragment = "".join([*once, *(line for line in lines if line.startswith(wanted))])
        headers = {"Content-Type": "application/trickle-ice-sdpfrag", "If-Match": "*"}
        place = response.headers["Location"]
        response, body = await served.ask("PATCH", place, data=fragment, headers=headers)
        assert (response.status, body) == (204, "")
        assert "ETag" not in response.headers
        await connect(connection, answer)
        restart = "a=ice-ufrag:other\r\na=ice-pwd:of22lettersorevenmore\r\n"
        assert (await served.ask("PATCH", place, data=restart, headers=headers))[0].status == 422
        assert (await served.ask("GET", place))[0].status == 204, "the session goes on"
        assert (await served.ask("PATCH", "whep/nobody", headers=headers))[0].status == 404
        response, _ = await served.ask("PATCH", headers=headers)
        assert (response.status, response.headers["Allow"]) == (405, "POST, OPTIONS, GET, HEAD")
        for method in ("PUT", "DELETE"):
            assert (await served.ask(method))[0].status == 405


async def test_what_cannot_be_answered_gets_its_status() -> None:
    async with serving_http("--codec", "H264") as served:
        offer = await make_offer("video", "channel")
        cases = {
            415: await served.ask("POST", data=offer, headers={"Content-Type": "text/plain"}),
            413: await served.post("v=0\r\n" + "a=x\r\n" * 60_000),
            400: await served.post("v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 97\r\n"),
            406: await served.post(await make_offer("video", codec="VP8")),
        }
        for status, (response, body) in cases.items():
            assert response.status == status
            assert response.content_type == "application/problem+json"
            explained = json.loads(body)
            assert explained["status"] == status
            assert explained["error"] == explained["detail"]
        assert cases[415][0].headers["Accept-Post"] == "application/sdp"
        assert "codec" in cases[406][1]
        assert (await served.post(await make_offer("audio")))[0].status == 406
        packed = {**SDP, "Content-Encoding": "gzip"}
        for raw, headers in ((b"\xff", SDP), (b"", SDP), (b"not packed", packed)):
            assert (await served.ask("POST", data=raw, headers=headers))[0].status == 400
        assert (await served.ask("GET", "nothing"))[0].status == 404
        assert (await served.post(offer))[0].status == 201


async def test_the_same_offer_twice_is_a_conflict() -> None:
    async with serving_http() as served, offering("video") as connection:
        assert (await served.post(connection.localDescription.sdp))[0].status == 201
        assert (await served.post(connection.localDescription.sdp))[0].status == 409


async def test_a_full_server_says_when_to_come_again() -> None:
    async with serving_http("--max-sessions", "1") as served, offering("video") as connection:
        assert (await served.ask("GET", "readyz"))[0].status == 200
        assert (await served.post(connection.localDescription.sdp))[0].status == 201
        response, body = await served.post(await make_offer("video"))
        assert (response.status, response.headers["Retry-After"]) == (503, "5")
        assert "full" in body
        assert (await served.ask("GET", "readyz"))[0].status == 503
        assert (await served.ask("GET", "healthz"))[0].status == 200


async def test_who_asks_too_often_is_told_so() -> None:
    async with serving_http() as served:
        statuses = [(await served.ask("POST", data="x"))[0].status for _ in range(100)]
        assert set(statuses) == {415, 429}
        for path in ("whep", "main.js", "healthz"):
            for _ in range(60):
                assert (await served.ask("GET", path))[0].status in (200, 204)


async def test_without_the_token_there_is_nothing() -> None:
    async with serving_http("--token", TOKEN, "--ice-server", TURN) as served:
        for headers in (
            {}, bearer("sesam"), bearer(""), {"Authorization": f"Basic {TOKEN}"},
            bearer("s\xe9same"),
        ):  # fmt: skip
            for method, path in (
                ("POST", "whep"), ("GET", "whep"), ("PATCH", "whep"), ("GET", "feed"),
                ("DELETE", "whep/x"), ("GET", "whep/x"),
            ):  # fmt: skip
                response, _ = await served.ask(method, path, headers=headers)
                assert response.status == 401, (headers, method, path)
                assert response.headers["WWW-Authenticate"].startswith("Bearer")
            response, _ = await served.ask("OPTIONS", headers=headers)
            assert response.status == 200
            assert "Link" not in response.headers


async def test_with_the_token_the_turn_server_is_named() -> None:
    link = (
        '<turn:127.0.0.1:9?transport=udp>; rel="ice-server"; username="robot"; credential="arm"; '
        'credential-type="password"'
    )
    async with serving_http("--token", TOKEN, "--ice-server", TURN) as served:
        response, _ = await served.ask("OPTIONS", headers=bearer(TOKEN))
        assert response.headers.getall("Link") == [link]
        assert "arm" not in json.dumps(await served_config(served))


async def served_config(served: Served) -> object:
    served.program.send_signal(signal.SIGTERM)
    return (await served.program.report())["config"]


async def test_other_origins_come_in_by_a_list() -> None:
    async with serving_http("--allow-origin", "https://friend.example") as served:
        offer = await make_offer("video")
        response, _ = await served.post(offer, Origin="https://foe.example")
        assert response.status == 403
        asked = {"Access-Control-Request-Method": "POST"}
        foe = {**asked, "Origin": "https://foe.example"}
        assert (await served.ask("OPTIONS", headers=foe))[0].status == 403
        friend = {**asked, "Origin": "https://friend.example"}
        response, _ = await served.ask("OPTIONS", headers=friend)
        assert response.status == 204
        assert response.headers["Access-Control-Allow-Origin"] == "https://friend.example"
        assert "Authorization" in response.headers["Access-Control-Allow-Headers"]
        assert "If-Match" in response.headers["Access-Control-Allow-Headers"]
        assert "PATCH" in response.headers["Access-Control-Allow-Methods"]
        response, _ = await served.post(offer, Origin="https://friend.example")
        assert response.status == 201
        assert "Location" in response.headers["Access-Control-Expose-Headers"]
        own = served.url.removesuffix("/")
        assert (await served.post(await make_offer("video"), Origin=own))[0].status == 201


async def test_a_name_that_was_pointed_at_us_does_not_open_the_door() -> None:
    async with serving_http() as served:
        response, _ = await served.ask("GET", "", headers={"Host": "evil.example:8080"})
        assert response.status == 421
    async with serving_http("--token", TOKEN) as served:
        response, _ = await served.ask("GET", "", headers={"Host": "robot.example"})
        assert response.status == 200


async def test_every_response_keeps_the_browser_on_a_leash() -> None:
    async with serving_http() as served:
        for path in ("", "main.js", "metrics", "nothing", "whep"):
            response, _ = await served.ask("GET", path)
            policy = response.headers["Content-Security-Policy"]
            assert "default-src 'none'; script-src 'self'" in policy
            assert "frame-ancestors 'none'" in policy
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert response.headers["Server"] == "ballstream"


HOSTILE = {
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03": 400,
    b"GET / HTTP/9.9\r\n\r\n": 400,
    b"POST /whep HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n": 400,
    b"POST /whep HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n": 400,
    b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n": 400,
    b"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n": 421,
    b"GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n": 404,
    b"GET /%2e%2e/site.py HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n": 404,
    b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n": 400,
}


async def test_hostile_http_harms_nobody() -> None:
    async with serving_http() as served:
        host, port = served.url.removeprefix("http://").removesuffix("/").split(":")
        for request, status in HOSTILE.items():
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(request)
            _, code, _ = (await soon(reader.readline())).split(b" ", 2)
            writer.close()
            assert int(code) == status, request[:100]
            assert (await served.ask("GET"))[0].status == 204
        served.program.send_signal(signal.SIGTERM)
        await served.program.report()
        assert "Traceback" not in served.program.errors


async def test_neither_token_nor_description_is_in_a_log() -> None:
    async with serving_http("--token", TOKEN, "--log-level", "debug") as served:
        async with offering("video", "channel") as connection:
            offer = connection.localDescription.sdp
            response, answer = await served.post(offer, **bearer(TOKEN))
            await connect(connection, answer)
            place = response.headers["Location"].removeprefix("/")
            await served.post(offer.replace("m=video", "m=secret-of-mine"), **bearer(TOKEN))
            await served.ask("DELETE", place, headers=bearer(TOKEN))
        served.program.send_signal(signal.SIGTERM)
        await served.program.report()
    log = served.program.errors
    assert TOKEN not in log
    assert place.removeprefix("whep/") not in log
    assert "secret-of-mine" not in log
    for description in (offer, answer):
        for line in description.splitlines():
            assert not line.startswith(("a=ice-pwd", "a=fingerprint")) or line not in log


async def test_what_is_no_origin_is_wrong_usage() -> None:
    flags = ("-s", "whep", "--http", "127.0.0.1:0", "--allow-origin", "friend.example")
    async with run("server", *flags) as server:
        status, _ = await server.ends()
    assert status == 2
    assert server.errors.count("\n") == 1
    assert "--allow-origin" in server.errors


async def test_an_open_address_needs_a_token() -> None:
    async with run("server", "-s", "whep", "--http", "0.0.0.0:8080") as server:
        status, _ = await server.ends()
    assert status == 2
    assert server.errors.count("\n") == 1
    assert "--token" in server.errors
    assert "--insecure" in server.errors


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "example.org"])  # noqa: S104
def test_what_is_open(host: str) -> None:
    settings = Web(Address(host, 8080))
    with pytest.raises(UsageError, match=rf"{re.escape(host)}.*:8080 .*--token, or --insecure"):
        check_exposure(settings)
    check_exposure(replace(settings, insecure=True))
    check_exposure(replace(settings, token=Secret(TOKEN)))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_what_is_not_open(host: str) -> None:
    check_exposure(Web(Address(host, 8080)))


async def test_an_open_address_can_be_had() -> None:
    async with serving_http("--http", "0.0.0.0:0", "--insecure") as served:
        port = served.url.rpartition(":")[2]
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"http://127.0.0.1:{port}") as response,
        ):
            assert response.status == 200


async def test_an_address_that_is_taken() -> None:
    async with serving_http() as served:
        address = served.url.removeprefix("http://").removesuffix("/")
        async with run("server", "-s", "whep", "--http", address) as server:
            status, _ = await server.ends()
        assert status == 1
        assert server.errors.count("\n") == 1
        assert "stop the other program or choose another --http" in server.errors


async def test_beside_another_signalling(socket_path: Path) -> None:
    flags = ("-s", "unix-socket", "--signaling-path", str(socket_path))
    async with serving_http(*flags) as served, offering("video") as connection:
        assert f"waiting for clients at unix:{socket_path}\n" in served.program.errors
        assert (await served.post(connection.localDescription.sdp))[0].status == 201
        async with run("client", *flags, "--duration", "1.5") as client:
            assert (await client.ends())[0] == 0
        (session,) = await sessions(served)
        assert session["id"] == 2
