"""The WHEP endpoint (draft-ietf-wish-whep): an offer is posted, the answer is the response.

An answer has all candidates; the client may send further ones of its own, and cannot restart ICE.
"""

import asyncio
import secrets

from aiohttp import hdrs, web

from ..beside import hand_over
from ..config import Network, Web
from ..errors import BallstreamError, NegotiationError, SignalingError, Unacceptable, Unavailable
from ..signaling import trickle
from ..signaling.messages import Accept, IncomingOffer, Refused
from ..signaling.trickle import parse
from .defence import guarded, is_authorised
from .iceservers import link
from .problem import problem

PATH = "/whep"
SDP = "application/sdp"
CLIENT_HEADER = "Ballstream-Client"
"""Header field of the answer: the number by which the server shows the client."""

ETAG = '"1"'
"""The entity tag of every session: there is but one ICE session in it (RFC 9725, section 4.3.1)."""

_MOST_CANDIDATES = 64
_BODY_TIMEOUT = 10.0
_END_TIMEOUT = 5.0
_RETRY_AFTER = 5
_METHODS = "POST, OPTIONS, GET, HEAD"
_SESSION_METHODS = "PATCH, DELETE, OPTIONS, GET, HEAD"


class PostedOffer(IncomingOffer):
    """One session over HTTP, where DELETE is the goodbye and there is none from the server."""

    def __init__(self, sdp: str, name: str | None) -> None:
        super().__init__(sdp, name)
        self.ice = parse(sdp)
        self.candidates = 0
        """How many came after the offer."""

        self.answered: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """The answer's SDP, or the error why there is none."""

    async def answer(self, sdp: str) -> None:
        if not self.answered.done():
            self.answered.set_result(sdp)

    async def refuse(self, error: BallstreamError) -> None:
        if not self.answered.done():
            self.answered.set_exception(error)

    async def goodbye(self) -> None:
        pass


class Endpoint:
    """Hands each posted offer to `accept`, which runs the session to its end.

    `refused` is told of an offer that does not get that far.
    """

    def __init__(self, settings: Web, network: Network, accept: Accept, refused: Refused) -> None:
        self._settings = settings
        self._links = [link(server) for server in network.ice_servers]
        self._accept = accept
        self._refused = refused
        self._sessions: dict[str, tuple[PostedOffer, asyncio.Task[None]]] = {}

    def add_routes(self, app: web.Application) -> None:
        """Serve the endpoint and its sessions."""
        endpoint = {hdrs.METH_POST: self._post, hdrs.METH_PATCH: _refuse_patch}
        session = {hdrs.METH_DELETE: self._delete, hdrs.METH_PATCH: self._patch}
        for path, methods in (
            (PATH, endpoint),
            (f"{PATH}/", endpoint),
            (f"{PATH}/{{id}}", session),
        ):
            for method, handler in methods.items():
                app.router.add_route(method, path, guarded(self._settings, handler))
            app.router.add_get(path, guarded(self._settings, self._get))
            app.router.add_route(hdrs.METH_OPTIONS, path, self._options)

    async def close(self) -> None:
        """Cancel the sessions that still run, and wait for their end."""
        tasks = [task for _, task in self._sessions.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _post(self, request: web.Request) -> web.Response:
        if request.content_type != SDP:
            response = problem(415, f"the offer must be {SDP}")
            response.headers["Accept-Post"] = SDP
            return response
        try:
            offer = PostedOffer(await _text(request, "offer"), request.query.get("client"))
        except _Unreadable as error:
            self._refused(SignalingError("an offer cannot be read"))
            return error.response
        except SignalingError as error:
            self._refused(error)
            return problem(400, str(error))
        passwords = offer.ice.passwords
        if any(passwords & other.ice.passwords for other, _ in self._sessions.values()):
            again = SignalingError("a session with these ICE credentials exists: make a new offer")
            self._refused(again)
            return problem(409, str(again))
        # Relative to what was asked for, which a proxy may have put under another path.
        return await self._answer(offer, "" if request.path.endswith("/") else f"{PATH[1:]}/")

    async def _answer(self, offer: PostedOffer, folder: str) -> web.Response:
        name = secrets.token_urlsafe(24)
        task = asyncio.create_task(self._run(name, offer))
        task.add_done_callback(hand_over)
        self._sessions[name] = offer, task
        # Should the player hang up meanwhile, this goes on: the session notices by itself.
        try:
            answer = await asyncio.shield(offer.answered)
        except BallstreamError as error:
            return _refusal(error)
        response = web.Response(status=201, text=answer, content_type=SDP)
        response.headers[hdrs.LOCATION] = f"{folder}{name}"
        response.headers[hdrs.ETAG] = ETAG
        response.headers[CLIENT_HEADER] = str(offer.client)
        response.headers.extend([(hdrs.LINK, value) for value in self._links])
        return response

    async def _run(self, name: str, offer: PostedOffer) -> None:
        try:
            await self._accept(offer)
        finally:
            del self._sessions[name]
            await offer.refuse(Unavailable("the server is about to end"))
            if not offer.answered.cancelled():
                offer.answered.exception()  # the player may have hung up: then nobody else looks

    async def _delete(self, request: web.Request) -> web.Response:
        session = self._sessions.get(request.match_info["id"])
        if session is None:
            return _no_session()
        offer, task = session
        offer.gone.set()
        await asyncio.wait([task], timeout=_END_TIMEOUT)
        return web.Response(text="")

    async def _patch(self, request: web.Request) -> web.Response:
        """Take further candidates of the client's."""
        session = self._sessions.get(request.match_info["id"])
        if session is None:
            return _no_session()
        offer, _ = session
        if request.content_type != trickle.CONTENT_TYPE:
            response = problem(415, f"candidates must be {trickle.CONTENT_TYPE}")
            response.headers["Accept-Patch"] = trickle.CONTENT_TYPE
            return response
        # Players that leave the tag out are let in, though RFC 9725 would have them refused.
        wanted = request.headers.get(hdrs.IF_MATCH, "*").split(",")
        if not {"*", ETAG} & {tag.strip() for tag in wanted}:
            return problem(412, "this session has another entity tag")
        try:
            fragment = parse(await _text(request, "fragment"))
        except _Unreadable as error:
            return error.response
        if fragment.restarts(offer.ice):
            return problem(422, "ICE cannot be restarted here: make a new offer")
        offer.candidates += len(fragment.candidates)
        if offer.candidates > _MOST_CANDIDATES:
            return problem(429, f"a session may have {_MOST_CANDIDATES} candidates after its offer")
        if offer.on_candidate is not None:
            await asyncio.gather(*map(offer.on_candidate, fragment.candidates))
        return web.Response(status=204)

    async def _get(self, request: web.Request) -> web.Response:
        """Nothing to see: the draft asks for success without content."""
        if request.match_info.get("id", "") not in ("", *self._sessions):
            return _no_session()
        return web.Response(status=204)

    async def _options(self, request: web.Request) -> web.Response:
        headers = {hdrs.ALLOW: _METHODS, "Accept-Post": SDP}
        if "id" in request.match_info:
            headers = {hdrs.ALLOW: _SESSION_METHODS, "Accept-Patch": trickle.CONTENT_TYPE}
        response = web.Response(headers=headers)
        # Who can only set its servers before it offers, asks here; not everyone may know them.
        if is_authorised(request, self._settings):
            response.headers.extend([(hdrs.LINK, value) for value in self._links])
        return response


class _Unreadable(Exception):  # noqa: N818 - never seen outside
    """The body of a request is no text; `response` says so."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.response = problem(status, detail)


async def _text(request: web.Request, kind: str) -> str:
    """The body of a request; raises _Unreadable where it is none."""
    try:
        async with asyncio.timeout(_BODY_TIMEOUT):
            return (await request.read()).decode()
    except TimeoutError:
        raise _Unreadable(408, f"the {kind} did not come to an end") from None
    except (UnicodeDecodeError, web.RequestPayloadError):
        text = f"the {kind} cannot be read: it is not UTF-8 or badly packed"
        raise _Unreadable(400, text) from None


async def _refuse_patch(_: web.Request) -> web.Response:
    response = problem(405, "candidates go to the session: see Location in the answer to the offer")
    response.headers[hdrs.ALLOW] = _METHODS
    return response


def _no_session() -> web.Response:
    return problem(404, "there is no such session, or no longer")


def _refusal(error: BallstreamError) -> web.Response:
    match error:
        case Unavailable():
            return problem(503, str(error), retry_after=_RETRY_AFTER)
        case Unacceptable():
            return problem(406, str(error))
        case NegotiationError():
            return problem(400, str(error))
        case _:
            return problem(500, str(error))
