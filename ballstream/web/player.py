"""A WHEP player (draft-ietf-wish-whep): posts the offer, and says goodbye with DELETE."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiohttp
import msgspec
from aiohttp import hdrs
from yarl import URL

from ..config import IceServer, Secret
from ..errors import SignalingError
from ..signaling.messages import MAX_LINE, Exchange, short
from ..signaling.retry import persist
from .endpoint import SDP
from .iceservers import servers
from .problem import CONTENT_TYPE

_ANSWER_TIMEOUT, _DELETE_TIMEOUT = 12.0, 3.0
_MOST_EXPLAINED = 4096


class Player(Exchange):
    """The client's side with a WHEP endpoint, whoever wrote it.

    Over HTTP there is no goodbye from the server: the end of the connection is the end.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        url: URL,
        headers: dict[str, str],
        ice_servers: tuple[IceServer, ...],
    ) -> None:
        super().__init__()
        self.ice_servers = ice_servers
        self._http = http
        self._url = url
        self._headers = headers
        self._session: URL | None = None

    async def exchange(self, offer: str, name: str | None = None) -> str:
        url = self._url if name is None else self._url.update_query(client=name)
        headers = {**self._headers, hdrs.CONTENT_TYPE: SDP}
        try:
            async with (
                asyncio.timeout(_ANSWER_TIMEOUT),
                self._http.post(url, data=offer, headers=headers) as response,
            ):
                return await self._answer(response)
        except TimeoutError:
            raise SignalingError(
                f"no answer from {self._url} within {_ANSWER_TIMEOUT:g} s: see --url"
            ) from None
        except (aiohttp.ClientError, ValueError) as error:
            raise SignalingError(f"{self._url} failed ({_named(error)}): see --url") from None

    async def _answer(self, response: aiohttp.ClientResponse) -> str:
        if not 200 <= response.status < 300:
            raise SignalingError(await _reason(response))
        # Whatever comes with it: there is a session now, and somebody has to end it.
        if hdrs.LOCATION in response.headers:
            self._session = response.url.join(URL(response.headers[hdrs.LOCATION]))
        answer = await _read(response, MAX_LINE)
        if response.content_type != SDP and not answer.startswith("v=0"):
            raise SignalingError(f"{self._url} answered with something else than {SDP}")
        return answer

    async def goodbye(self) -> None:
        if self._session is None:
            return
        session, self._session = self._session, None
        # The token is for the endpoint, not for wherever its answer points.
        headers = self._headers if session.origin() == self._url.origin() else {}
        with suppress(aiohttp.ClientError, TimeoutError, ValueError):
            async with (
                asyncio.timeout(_DELETE_TIMEOUT),
                self._http.delete(session, headers=headers),
            ):
                pass


@asynccontextmanager
async def connect_whep(url: str, token: Secret | None, patience: float) -> AsyncIterator[Exchange]:
    """The client's side with the endpoint at `url`, which is tried for at most `patience` seconds.

    Raises SignalingError where nobody is there, or somebody else.
    """
    headers = {} if token is None else {str(hdrs.AUTHORIZATION): f"Bearer {token}"}
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=5)
    hint = "is ballstream-server -s whep running there? See --url and --wait"
    async with aiohttp.ClientSession(timeout=timeout) as http:
        endpoint = URL(url)

        async def discover() -> tuple[IceServer, ...]:
            return await _discover(http, endpoint, headers)

        ice_servers = await persist(discover, patience, url, hint)
        yield Player(http, endpoint, headers, ice_servers)


async def _discover(
    http: aiohttp.ClientSession, url: URL, headers: dict[str, str]
) -> tuple[IceServer, ...]:
    """Ask the endpoint for its ICE servers: an offer needs them beforehand.

    Raises OSError where nobody is there, SignalingError where no other time would do.
    """
    try:
        async with http.options(url, headers=headers) as response:
            if response.status == 401:
                raise SignalingError(await _reason(response))
            # One that knows no OPTIONS may still take an offer.
            return servers(response.headers.getall(hdrs.LINK, ()))
    except aiohttp.ClientSSLError as error:
        raise SignalingError(f"{url} is not to be trusted: {_named(error)}") from None
    except aiohttp.ClientError as error:
        if isinstance(error, OSError):
            raise
        raise OSError(_named(error)) from None


class _Refusal(msgspec.Struct):
    """What endpoints put into the body of an error: RFC 9457's, or MediaMTX's."""

    detail: str = ""
    error: str = ""


async def _reason(response: aiohttp.ClientResponse) -> str:
    """Why there is no session, as the server puts it."""
    detail = response.reason or "no reason given"
    if response.content_type in (CONTENT_TYPE, "application/json"):
        with suppress(msgspec.DecodeError, aiohttp.ClientError, ValueError, RecursionError):
            refusal = msgspec.json.decode(await _read(response, _MOST_EXPLAINED), type=_Refusal)
            detail = refusal.detail or refusal.error or detail
    hint = {401: ": see --token", 403: ": see --token", 404: ": see --url", 405: ": see --url"}
    return f"the server refused ({response.status}): {short(detail)}{hint.get(response.status, '')}"


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
