"""The WHEP endpoint in this process, with sessions that are none."""

import asyncio
import json
from collections.abc import Mapping
from urllib.parse import urljoin

import aiohttp
import pytest
from whep import SDP, endpoint_of

from ballstream.config import Address, Secret, Web
from ballstream.signaling.messages import IncomingOffer
from ballstream.signaling.trickle import Candidate

OPEN = Web(Address("127.0.0.1", 0))
OFFER = "v=0\r\na=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n"
SAME = "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n"
CANDIDATE = "candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host"
FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag"}


class Sessions:
    """Answers every offer, and keeps what came of it."""

    def __init__(self) -> None:
        self.offers: list[IncomingOffer] = []
        self.candidates: list[Candidate] = []

    async def accept(self, offer: IncomingOffer) -> None:
        offer.client = len(self.offers) + 1
        offer.on_candidate = self._take
        self.offers.append(offer)
        await offer.answer("the answer")
        await offer.gone.wait()

    async def _take(self, candidate: Candidate) -> None:
        self.candidates.append(candidate)


async def ask(
    http: aiohttp.ClientSession,
    method: str,
    path: str,
    data: str | bytes = "",
    headers: Mapping[str, str] = FRAGMENT,
) -> tuple[int, Mapping[str, str], str]:
    async with (
        asyncio.timeout(30),
        http.request(method, path, data=data, headers=headers) as response,
    ):
        return response.status, response.headers, await response.text()


async def post(http: aiohttp.ClientSession, path: str = "/whep") -> str:
    """Post the offer; the path of the session."""
    status, headers, body = await ask(http, "POST", path, OFFER, SDP)
    assert (status, body) == (201, "the answer")
    return urljoin(path, headers["Location"])


@pytest.mark.parametrize(
    ("path", "folder"), [("/whep", "whep/"), ("/whep/", ""), ("/whep?client=arm", "whep/")]
)
async def test_the_place_is_relative_to_what_was_asked(path: str, folder: str) -> None:
    async with endpoint_of(Sessions().accept, OPEN) as http:
        status, headers, _ = await ask(http, "POST", path, OFFER, SDP)
        assert status == 201
        assert headers["Location"].rpartition("/")[0] == folder.rstrip("/")
        place = urljoin(path, headers["Location"])
        assert (await ask(http, "DELETE", place))[0] == 200
        assert (await ask(http, "DELETE", place))[0] == 404


@pytest.mark.parametrize("path", ["/whep", "/whep/"])
async def test_with_a_slash_or_without(path: str) -> None:
    async with endpoint_of(Sessions().accept, OPEN) as http:
        assert (await ask(http, "GET", path))[0] == 204
        status, headers, _ = await ask(http, "OPTIONS", path)
        assert (status, headers["Allow"]) == (200, "POST, OPTIONS, GET, HEAD")
        status, headers, _ = await ask(http, "PATCH", path)
        assert (status, headers["Allow"]) == (405, "POST, OPTIONS, GET, HEAD")


async def test_a_client_may_give_itself_a_name() -> None:
    sessions = Sessions()
    async with endpoint_of(sessions.accept, OPEN) as http:
        for path in ("/whep", "/whep?client=", "/whep?client=left%20arm"):
            await ask(http, "DELETE", await post(http, path))
        assert [each.name for each in sessions.offers] == [None, None, "left arm"]
        for name in ("x" * 65, "a%0Ab"):
            status, _, body = await ask(http, "POST", f"/whep?client={name}", OFFER, SDP)
            assert status == 400
            assert "64 printable characters" in json.loads(body)["error"]


async def test_candidates_are_handed_on() -> None:
    sessions = Sessions()
    async with endpoint_of(sessions.accept, OPEN) as http:
        place = await post(http)
        text = f"{SAME}m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\na={CANDIDATE}\r\n"
        status, headers, body = await ask(http, "PATCH", place, text)
        assert (status, body) == (204, "")
        assert "ETag" not in headers
        assert (await ask(http, "PATCH", place, "a=end-of-candidates\r\n"))[0] == 204
    assert sessions.candidates == [Candidate(CANDIDATE, "0")]


@pytest.mark.parametrize(
    ("tag", "status"),
    [("*", 204), ('"1"', 204), ('"x", "1"', 204), ('"x"', 412), ('W/"1"', 412), ("", 412)],
)
async def test_the_entity_tag_is_looked_at(tag: str, status: int) -> None:
    async with endpoint_of(Sessions().accept, OPEN) as http:
        place = await post(http)
        assert (await ask(http, "PATCH", place, SAME, {**FRAGMENT, "If-Match": tag}))[0] == status


async def test_what_is_no_fragment_is_refused_and_the_session_goes_on() -> None:
    sessions = Sessions()
    async with endpoint_of(sessions.accept, OPEN) as http:
        place = await post(http)
        status, headers, _ = await ask(http, "PATCH", place, SAME, SDP)
        assert (status, headers["Accept-Patch"]) == (415, FRAGMENT["Content-Type"])
        restart = "a=ice-ufrag:other\r\na=ice-pwd:anotherpassword\r\n"
        status, _, body = await ask(http, "PATCH", place, restart)
        assert status == 422
        assert "restart" in json.loads(body)["error"]
        assert (await ask(http, "PATCH", place, b"\xff"))[0] == 400
        assert (await ask(http, "PATCH", "/whep/nobody", SAME))[0] == 404
        assert (await ask(http, "GET", place))[0] == 204
    assert sessions.candidates == []


async def test_a_session_has_so_many_candidates_and_no_more() -> None:
    sessions = Sessions()
    async with endpoint_of(sessions.accept, OPEN) as http:
        place = await post(http)
        text = f"m=video\r\na=mid:0\r\na={CANDIDATE}\r\n"
        for _ in range(2):
            assert (await ask(http, "PATCH", place, text * 32))[0] == 204
        assert (await ask(http, "PATCH", place, text))[0] == 429
    assert len(sessions.candidates) == 64


async def test_only_offers_fragments_and_wrong_tokens_are_limited() -> None:
    guarded = Web(Address("127.0.0.1", 0), token=Secret("sesame"))
    right, wrong = {"Authorization": "Bearer sesame"}, {"Authorization": "Bearer simsim"}
    async with endpoint_of(Sessions().accept, guarded) as http:

        async def statuses(method: str, path: str, headers: dict[str, str]) -> set[int]:
            return {(await ask(http, method, path, "", headers))[0] for _ in range(80)}

        assert await statuses("GET", "/whep", right) == {204}
        assert await statuses("GET", "/whep", {}) == {401}
        assert await statuses("OPTIONS", "/whep", {}) == {200}
        assert await statuses("DELETE", "/whep/nobody", right) == {404}
        assert await statuses("GET", "/whep", wrong) == {401, 429}
        assert await statuses("POST", "/whep", right) <= {415, 429}
        assert await statuses("PATCH", "/whep/nobody", right) <= {404, 429}


@pytest.mark.parametrize(
    ("listed", "asks", "let_in"),
    [
        ("https://Friend.example:443/", "https://friend.example", True),
        ("https://friend.example", "https://foe.example", False),
        ("https://friend.example", "null", False),
        ("*", "https://foe.example", True),
        ("*", "null", True),
    ],
)
async def test_origins_are_compared_as_browsers_name_them(
    listed: str, asks: str, let_in: bool
) -> None:
    settings = Web(Address("127.0.0.1", 0), origins=(listed,))
    async with endpoint_of(Sessions().accept, settings) as http:
        preflight = {"Access-Control-Request-Method": "PATCH", "Origin": asks}
        status, headers, _ = await ask(http, "OPTIONS", "/whep/x", "", preflight)
        assert status == (204 if let_in else 403)
        assert headers.get("Access-Control-Allow-Origin") == (asks if let_in else None)
        if let_in:
            assert "PATCH" in headers["Access-Control-Allow-Methods"]
            assert "If-Match" in headers["Access-Control-Allow-Headers"]
            assert "ETag" in headers["Access-Control-Expose-Headers"]


async def test_an_offer_that_never_gets_to_a_session_is_told_of() -> None:
    refused: list[str] = []
    sessions = Sessions()
    async with endpoint_of(sessions.accept, OPEN, lambda error: refused.append(str(error))) as http:
        await post(http)
        for path, data, status in (
            ("/whep", OFFER, 409),
            (f"/whep?client={'x' * 65}", OFFER, 400),
            ("/whep", b"\xff", 400),
        ):
            assert (await ask(http, "POST", path, data, SDP))[0] == status
        assert (await ask(http, "POST", "/whep", OFFER, FRAGMENT))[0] == 415, "which is no offer"
    assert len(sessions.offers) == 1
    assert len(refused) == 3
    assert "these ICE credentials" in refused[0]
    assert "64 printable characters" in refused[1]
    assert refused[2] == "an offer cannot be read"
