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
from ..signaling.messages import MAX_LINE, Answer, Bye, Channel, Message, Offer
from .endpoint import SDP
from .iceservers import servers
from .problem import CONTENT_TYPE, Problem

_ANSWER_TIMEOUT, _DELETE_TIMEOUT = 12.0, 3.0
_FIRST_RETRY, _LONGEST_RETRY = 0.05, 0.5
_MOST_EXPLAINED = 4096


class Player(Channel):
    """A channel to a WHEP endpoint, whoever wrote it.

    Over HTTP there is no goodbye from the server: the end of the connection is the end.
    """

    patience = _ANSWER_TIMEOUT

    def __init__(
        self,
        http: aiohttp.ClientSession,
        url: URL,
        headers: dict[str, str],
        ice_servers: tuple[IceServer, ...],
    ) -> None:
        self.ice_servers = ice_servers
        self._http = http
        self._url = url
        self._headers = headers
        self._answer: Answer | None = None
        self._session: URL | None = None

    async def send(self, message: Message) -> None:
        match message:
            case Offer(sdp):
                self._answer = await self._post(sdp)
            case Bye() if self._session is not None:
                session, self._session = self._session, None
                # The token is for the endpoint, not for wherever its answer points.
                known = session.origin() == self._url.origin()
                headers = self._headers if known else {}
                with suppress(aiohttp.ClientError, TimeoutError):
                    async with (
                        asyncio.timeout(_DELETE_TIMEOUT),
                        self._http.delete(session, headers=headers),
                    ):
                        pass

    async def receive(self) -> Message | None:
        answer, self._answer = self._answer, None
        return answer

    async def _post(self, sdp: str) -> Answer:
        try:
            async with (
                asyncio.timeout(_ANSWER_TIMEOUT),
                self._http.post(
                    self._url, data=sdp, headers={**self._headers, hdrs.CONTENT_TYPE: SDP}
                ) as response,
            ):
                if response.status != 201:
                    raise SignalingError(await _reason(response))
                if hdrs.LOCATION in response.headers:
                    self._session = response.url.join(URL(response.headers[hdrs.LOCATION]))
                if response.content_type != SDP:
                    raise SignalingError(f"{self._url} answered with something else than {SDP}")
                return Answer(await _read(response, MAX_LINE))
        except TimeoutError:
            raise SignalingError(
                f"no answer from {self._url} within {_ANSWER_TIMEOUT:g} s: see --url"
            ) from None
        except (aiohttp.ClientError, ValueError) as error:
            raise SignalingError(f"{self._url} failed ({_short(error)}): see --url") from None


@asynccontextmanager
async def connect_whep(url: str, token: Secret | None, patience: float) -> AsyncIterator[Channel]:
    """A channel to the endpoint at `url`, which is tried for at most `patience` seconds.

    Raises SignalingError where nobody is there, or somebody else.
    """
    headers = {} if token is None else {str(hdrs.AUTHORIZATION): f"Bearer {token}"}
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=5)
    async with aiohttp.ClientSession(timeout=timeout) as http:
        endpoint = URL(url)
        ice_servers = await _discover(http, endpoint, headers, patience)
        yield Player(http, endpoint, headers, ice_servers)


async def _discover(
    http: aiohttp.ClientSession, url: URL, headers: dict[str, str], patience: float
) -> tuple[IceServer, ...]:
    """Wait for the endpoint, and ask it for its ICE servers: an offer needs them beforehand."""
    reason: object = "no reply"
    pause = _FIRST_RETRY
    try:
        async with asyncio.timeout(max(patience, _FIRST_RETRY)):
            while True:
                try:
                    async with http.options(url, headers=headers) as response:
                        if response.status == 401:
                            raise SignalingError(await _reason(response))
                        # One that knows no OPTIONS may still take an offer.
                        return servers(response.headers.getall(hdrs.LINK, ()))
                except aiohttp.ClientSSLError as error:
                    raise SignalingError(f"{url} is not to be trusted: {_short(error)}") from None
                except aiohttp.ClientError as error:
                    reason = _short(error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_RETRY)
    except TimeoutError:
        raise SignalingError(
            f"no server at {url} after {patience:g} s ({reason}): is ballstream-server -s whep "
            "running there? See --url and --wait"
        ) from None


async def _reason(response: aiohttp.ClientResponse) -> str:
    """Why there is no session, as the server puts it."""
    detail = response.reason or "no reason given"
    if response.content_type == CONTENT_TYPE:
        with suppress(msgspec.DecodeError, aiohttp.ClientError, ValueError):
            detail = msgspec.json.decode(
                await _read(response, _MOST_EXPLAINED), type=Problem
            ).detail
    hint = {401: ": see --token", 403: ": see --token", 404: ": see --url", 405: ": see --url"}
    return f"the server refused ({response.status}): {detail:.200}{hint.get(response.status, '')}"


async def _read(response: aiohttp.ClientResponse, limit: int) -> str:
    """The body of a response; raises ValueError where it is too long or no text."""
    body = b""
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > limit:
            raise ValueError(f"more than {limit} bytes")
    return body.decode()


def _short(error: BaseException) -> str:
    return f"{error!s:.200}" or type(error).__name__
