"""An endpoint of WHIP (RFC 9725) or WHEP (draft-ietf-wish-whep) of whoever wrote it, over HTTP.

Both are the same exchange: an offer is posted, its answer comes with a `Location`, which is the
session, and to delete that is the goodbye. WHEP knows one more: the endpoint may refuse the offer
with one of its own (406), whose answer goes to the session by PATCH.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import NamedTuple

import aiohttp
import msgspec
from aiohttp import hdrs
from yarl import URL

from ..config import IceServer, Secret
from ..errors import SignalingError, Unavailable
from ..signaling.messages import MAX_LINE, short
from .endpoint import SDP
from .iceservers import servers
from .problem import CONTENT_TYPE

ANSWER_TIMEOUT, _DELETE_TIMEOUT = 10.0, 3.0
_MOST_EXPLAINED = 4096
_MOST_REDIRECTIONS = 5
_REDIRECTIONS = (307, 308)
"""Those that keep the method, which are the only ones to follow (RFC 9725, section 4.5)."""

_LATER = (404, 408, 409, 425, 429, *range(500, 600))
"""Refusals after which another time may do: a stream that is not there yet is 404, too."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an endpoint is, and its token; errors refer to the flags that say so."""

    url: str
    token: Secret | None = None
    url_flag: str = "--url"
    token_flag: str = "--token"  # noqa: S105 - the name of a flag


class Reply(NamedTuple):
    """What came back for an offer: its answer or, `counter`, an offer to be answered instead."""

    sdp: str
    counter: bool


class Remote:
    """An endpoint, and at most one session there.

    What fails raises Unavailable where another time may do, or else SignalingError.
    """

    def __init__(self, http: aiohttp.ClientSession, place: Place) -> None:
        self.ice_servers: tuple[IceServer, ...] = ()
        """What the endpoint said last that one can use to find a way to it."""

        self._http = http
        self._place = place
        self._url = URL(place.url)
        self._session: URL | None = None

    async def discover(self) -> None:
        """Ask for the ICE servers, which an offer needs beforehand.

        Raises OSError where nobody is there, SignalingError where no other time would do.
        """
        try:
            async with self._request(hdrs.METH_OPTIONS, self._url) as response:
                if response.status == 401:
                    raise SignalingError(await self._reason(response))
                # One that knows no OPTIONS may still take an offer.
                self._note_servers(response)
        except aiohttp.ClientSSLError as error:
            raise self._untrusted(error) from None
        except aiohttp.ClientError as error:
            if isinstance(error, OSError):
                raise
            raise OSError(_named(error)) from None

    async def offer(self, sdp: str, query: Mapping[str, str] | None = None) -> Reply:
        """Post an offer; what comes back for it."""
        url = self._url if query is None else self._url.update_query(query)
        async with self._answered(hdrs.METH_POST, url, sdp) as response:
            # Whatever comes with it: there is a session now, and somebody has to end it.
            if hdrs.LOCATION in response.headers and response.status < 300:
                self._note_session(response)
            self._note_servers(response)
            if response.status == 406 and (counter := await self._counter_offer(response)):
                return Reply(counter, counter=True)
            return Reply(await self._description(response), counter=False)

    async def answer(self, sdp: str) -> None:
        """Send the answer to a counter-offer."""
        assert self._session is not None
        async with self._answered(hdrs.METH_PATCH, self._session, sdp) as response:
            if not 200 <= response.status < 300:
                raise await self._refusal(response)

    async def goodbye(self) -> None:
        """Delete the session, if there is one; never raises."""
        if self._session is None:
            return
        session, self._session = self._session, None
        with suppress(aiohttp.ClientError, SignalingError, TimeoutError, ValueError):
            async with self._request(hdrs.METH_DELETE, session, seconds=_DELETE_TIMEOUT):
                pass

    @asynccontextmanager
    async def _answered(
        self, method: str, url: URL, sdp: str
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The response to a description, and what goes wrong with it as an error of ours."""
        place = self._place
        try:
            async with self._request(method, url, sdp) as response:
                yield response
        except TimeoutError:
            raise Unavailable(
                f"no answer from {place.url} within {ANSWER_TIMEOUT:g} s: see {place.url_flag}"
            ) from None
        except aiohttp.ClientSSLError as error:
            raise self._untrusted(error) from None
        except (aiohttp.ClientError, ValueError) as error:
            passing = isinstance(error, aiohttp.ClientError) and not isinstance(error, ValueError)
            raise (Unavailable if passing else SignalingError)(
                f"{place.url} failed ({_named(error)}): see {place.url_flag}"
            ) from None

    @asynccontextmanager
    async def _request(
        self, method: str, url: URL, sdp: str | None = None, seconds: float | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The response to a request, wherever it is redirected to."""
        place = self._place
        seconds = ANSWER_TIMEOUT if seconds is None else seconds
        for _ in range(_MOST_REDIRECTIONS + 1):
            headers = {} if sdp is None else {str(hdrs.CONTENT_TYPE): SDP}
            # The token is for the endpoint, not for wherever its answer points.
            if place.token is not None and url.origin() == self._url.origin():
                headers[hdrs.AUTHORIZATION] = f"Bearer {place.token}"
            async with self._http.request(
                method,
                url,
                data=sdp,
                headers=headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=seconds, sock_connect=min(seconds, 5)),
            ) as response:
                if response.status not in _REDIRECTIONS or hdrs.LOCATION not in response.headers:
                    yield response
                    return
                url = response.url.join(URL(response.headers[hdrs.LOCATION]))
                if url.scheme not in ("http", "https"):
                    raise SignalingError(f"{place.url} redirects to {short(url)}")
        raise SignalingError(
            f"{place.url} redirects more than {_MOST_REDIRECTIONS} times: see {place.url_flag}"
        )

    def _note_session(self, response: aiohttp.ClientResponse) -> None:
        self._session = response.url.join(URL(response.headers[hdrs.LOCATION]))

    def _note_servers(self, response: aiohttp.ClientResponse) -> None:
        found = servers(response.headers.getall(hdrs.LINK, ()))
        self.ice_servers = found or self.ice_servers

    async def _counter_offer(self, response: aiohttp.ClientResponse) -> str:
        """The offer that stands in a refusal; empty where none does."""
        if hdrs.LOCATION not in response.headers or response.content_type != SDP:
            return ""
        self._note_session(response)
        return await _read(response, MAX_LINE)

    async def _description(self, response: aiohttp.ClientResponse) -> str:
        if not 200 <= response.status < 300:
            raise await self._refusal(response)
        answer = await _read(response, MAX_LINE)
        if response.content_type != SDP and not answer.startswith("v=0"):
            raise SignalingError(f"{self._place.url} answered with something else than {SDP}")
        return answer

    async def _refusal(self, response: aiohttp.ClientResponse) -> SignalingError:
        kind = Unavailable if response.status in _LATER else SignalingError
        return kind(await self._reason(response))

    async def _reason(self, response: aiohttp.ClientResponse) -> str:
        """Why there is no session, as the server puts it."""
        detail = response.reason or "no reason given"
        if response.content_type in (CONTENT_TYPE, "application/json"):
            with suppress(msgspec.DecodeError, aiohttp.ClientError, ValueError, RecursionError):
                refusal = msgspec.json.decode(await _read(response, _MOST_EXPLAINED), type=_Refusal)
                detail = refusal.detail or refusal.error or detail
        url, token = self._place.url_flag, self._place.token_flag
        hint = {401: f": see {token}", 403: f": see {token}", 404: f": see {url}"}
        hint[405] = hint[404]
        status = response.status
        return f"the server refused ({status}): {short(detail)}{hint.get(status, '')}"

    def _untrusted(self, error: aiohttp.ClientSSLError) -> SignalingError:
        return SignalingError(f"{self._place.url} is not to be trusted: {_named(error)}")


@asynccontextmanager
async def reaching(place: Place) -> AsyncIterator[Remote]:
    """An endpoint, of whom nobody has been asked yet; the goodbye is the caller's."""
    async with aiohttp.ClientSession() as http:
        yield Remote(http, place)


class _Refusal(msgspec.Struct):
    """What endpoints put into the body of an error: RFC 9457's, or MediaMTX's."""

    detail: str = ""
    error: str = ""


async def _read(response: aiohttp.ClientResponse, limit: int) -> str:
    """The body of a response; raises ValueError where it is too long or no text."""
    body = b""
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > limit:
            raise ValueError(f"more than {limit} bytes")
    return body.decode()


def _named(error: BaseException) -> str:
    return short(error) or type(error).__name__
