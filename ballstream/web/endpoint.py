"""The WHEP endpoint (draft-ietf-wish-whep): an offer is posted, the answer is the response.

An answer has all candidates; the client may send further ones of its own, and cannot restart ICE.
"""

import asyncio
import re
import secrets

from aiohttp import hdrs, web

from ..config import Network, Web
from ..errors import BallstreamError, NegotiationError, SignalingError, Unacceptable, Unavailable
from ..signaling.messages import Accept, IncomingOffer
from .defence import guarded, is_authorised
from .iceservers import link
from .problem import problem

PATH = "/whep"
SDP = "application/sdp"
CLIENT_HEADER = "Ballstream-Client"
"""Header field of the answer: the number by which the server shows the client."""

_BODY_TIMEOUT = 10.0
_END_TIMEOUT = 5.0
_RETRY_AFTER = 5
_METHODS = "POST, OPTIONS, GET, HEAD"
_SESSION_METHODS = "DELETE, OPTIONS, GET, HEAD"
_ICE_PASSWORD = re.compile(r"^a=ice-pwd:(\S+)", re.MULTILINE)


class PostedOffer(IncomingOffer):
    """One session over HTTP, where DELETE is the goodbye and there is none from the server."""

    def __init__(self, sdp: str, name: str | None) -> None:
        super().__init__(sdp, name)
        self.ice_passwords = frozenset(_ICE_PASSWORD.findall(sdp))
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
    """Hands each posted offer to `accept`, which runs the session to its end."""

    def __init__(self, settings: Web, network: Network, accept: Accept) -> None:
        self._settings = settings
        self._links = [link(server) for server in network.ice_servers]
        self._accept = accept
        self._sessions: dict[str, tuple[PostedOffer, asyncio.Task[None]]] = {}

    def add_routes(self, app: web.Application) -> None:
        """Serve the endpoint and its sessions."""
        for path, methods in (
            (PATH, {hdrs.METH_POST: self._post, hdrs.METH_PATCH: self._refuse_patch}),
            (
                f"{PATH}/{{id}}",
                {hdrs.METH_DELETE: self._delete, hdrs.METH_PATCH: self._refuse_patch},
            ),
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
            async with asyncio.timeout(_BODY_TIMEOUT):
                sdp = (await request.read()).decode()
        except TimeoutError:
            return problem(408, "the offer did not come to an end")
        except (UnicodeDecodeError, web.RequestPayloadError):
            return problem(400, "the offer cannot be read: it is not UTF-8 or badly packed")
        try:
            offer = PostedOffer(sdp, request.query.get("client"))
        except SignalingError as error:
            return problem(400, str(error))
        if any(offer.ice_passwords & other.ice_passwords for other, _ in self._sessions.values()):
            return problem(409, "a session with these ICE credentials exists: make a new offer")
        return await self._answer(offer)

    async def _answer(self, offer: PostedOffer) -> web.Response:
        name = secrets.token_urlsafe(24)
        task = asyncio.create_task(self._run(name, offer))
        self._sessions[name] = offer, task
        # Should the player hang up meanwhile, this goes on: the session notices by itself.
        try:
            answer = await asyncio.shield(offer.answered)
        except BallstreamError as error:
            return _refusal(error)
        response = web.Response(status=201, text=answer, content_type=SDP)
        response.headers[hdrs.LOCATION] = f"{PATH}/{name}"
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

    async def _get(self, request: web.Request) -> web.Response:
        """Nothing to see: the draft asks for success without content."""
        if request.match_info.get("id", "") not in ("", *self._sessions):
            return _no_session()
        return web.Response(status=204)

    async def _options(self, request: web.Request) -> web.Response:
        methods = _SESSION_METHODS if "id" in request.match_info else _METHODS
        headers = {hdrs.ALLOW: methods, "Accept-Post": SDP}
        response = web.Response(headers=headers)
        # Who can only set its servers before it offers, asks here; not everyone may know them.
        if is_authorised(request, self._settings):
            response.headers.extend([(hdrs.LINK, value) for value in self._links])
        return response

    async def _refuse_patch(self, request: web.Request) -> web.Response:
        name = request.match_info.get("id")
        if name is not None and name not in self._sessions:
            return _no_session()
        response = problem(405, "no trickle ICE and no ICE restart here: post a complete offer")
        response.headers[hdrs.ALLOW] = _METHODS if name is None else _SESSION_METHODS
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
