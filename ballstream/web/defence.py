"""What a request must be before it is looked at, and what every response carries."""

import hmac
import time
from collections import OrderedDict
from urllib.parse import urlsplit

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from ..config import Web, is_loopback
from ..errors import UsageError
from ..rate import RateLimit
from .origins import ANY, normal_origin
from .problem import problem

_REQUESTS_PER_SECOND, _REQUESTS_AT_ONCE = 10, 50
_MOST_ADDRESSES = 4096
_SAFE_METHODS = {hdrs.METH_GET, hdrs.METH_HEAD}
_LIMITED_METHODS = {hdrs.METH_POST, hdrs.METH_PATCH}

_HEADERS = {
    "Server": "ballstream",
    # The plots set the styles of their elements from the script, which counts as inline.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; media-src 'self' blob:; connect-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), display-capture=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_EXPOSED = "Location, Link, ETag, Retry-After, Ballstream-Client"


def check_exposure(settings: Web) -> None:
    """Raise UsageError where an address would be open to everyone without that being said."""
    if not (settings.token or settings.insecure or is_loopback(settings.address.host)):
        raise UsageError(
            f"--http {settings.address} can be reached from other machines, and anyone there could "
            "take part: give a --token, or --insecure if that is what you want"
        )


def allowed_origins(settings: Web) -> frozenset[str]:
    """The origins whose pages may take part; raises UsageError where one is none."""
    try:
        return frozenset(map(normal_origin, settings.origins))
    except ValueError as error:
        raise UsageError(f"--allow-origin: {error}") from None


async def add_headers(_: web.Request, response: web.StreamResponse) -> None:
    """Put on every response what keeps a browser from doing more than it should with it."""
    response.headers.update(_HEADERS)
    response.headers.setdefault(hdrs.CACHE_CONTROL, "no-store")


def check_host(settings: Web) -> Middleware:
    """Refuse requests for another name than this machine's own.

    Without a token, being on loopback is what keeps others out; a foreign page could get in by
    pointing its own name at 127.0.0.1.
    """
    unguarded = settings.token is None and not settings.insecure

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if unguarded and not is_loopback(_hostname(request.host)):
            return problem(421, "without a --token this server answers to localhost only")
        return await handler(request)

    return middleware


def check_origin(settings: Web) -> Middleware:
    """Let pages of other origins in by a list (the Fetch standard's CORS protocol).

    Raises UsageError where one on the list is no origin.
    """
    allowed = allowed_origins(settings)

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is None or _is_ours(origin, request):
            return await handler(request)
        if allowed.isdisjoint((origin, ANY)):
            if request.method in _SAFE_METHODS:  # whose response a browser then keeps to itself
                return await handler(request)
            return problem(403, "this origin is not on the list: see --allow-origin")
        response = await _preflight(request, handler)
        response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
        response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = _EXPOSED
        response.headers[hdrs.VARY] = hdrs.ORIGIN
        return response

    return middleware


async def _preflight(request: web.Request, handler: Handler) -> web.StreamResponse:
    if hdrs.ACCESS_CONTROL_REQUEST_METHOD not in request.headers:
        return await handler(request)
    return web.Response(
        status=204,
        headers={
            hdrs.ACCESS_CONTROL_ALLOW_METHODS: "POST, GET, PATCH, DELETE, OPTIONS",
            hdrs.ACCESS_CONTROL_ALLOW_HEADERS: "Authorization, Content-Type, If-Match",
            hdrs.ACCESS_CONTROL_MAX_AGE: "600",
            "Accept-Post": "application/sdp",
        },
    )


def limit_rate(settings: Web) -> Middleware:
    """Answer 429 to an address that offers, or tries tokens, too often.

    What is only read is not limited: behind a proxy everybody has its address, and a page is made
    of many files.
    """
    limits: OrderedDict[str, RateLimit] = OrderedDict()

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        guesses = hdrs.AUTHORIZATION in request.headers and not is_authorised(request, settings)
        if request.method not in _LIMITED_METHODS and not guesses:
            return await handler(request)
        address = request.remote or ""
        limit = limits.setdefault(address, RateLimit(_REQUESTS_PER_SECOND, _REQUESTS_AT_ONCE))
        limits.move_to_end(address)
        if len(limits) > _MOST_ADDRESSES:
            limits.popitem(last=False)
        if not limit.allows(time.monotonic()):
            return problem(429, "too many requests", retry_after=1)
        return await handler(request)

    return middleware


def is_authorised(request: web.Request, settings: Web) -> bool:
    """Whether a request carries the token as a bearer token (RFC 6750), if there is one."""
    if settings.token is None:
        return True
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    given = token.strip().encode(errors="surrogateescape")
    return scheme.lower() == "bearer" and hmac.compare_digest(given, settings.token.encode())


def guarded(settings: Web, handler: Handler) -> Handler:
    """The handler, for requests with the token alone."""

    async def guard(request: web.Request) -> web.StreamResponse:
        if is_authorised(request, settings):
            return await handler(request)
        response = problem(401, "a token is needed: see --token")
        response.headers[hdrs.WWW_AUTHENTICATE] = 'Bearer realm="ballstream"'
        return response

    return guard


def _hostname(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_ours(origin: str, request: web.Request) -> bool:
    # The scheme may differ: a proxy before this server may speak TLS.
    return origin.partition("://")[2] == request.host
