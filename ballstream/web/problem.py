"""What went wrong with a request, for programs and people (RFC 9457)."""

from http import HTTPStatus

import msgspec
from aiohttp import web

CONTENT_TYPE = "application/problem+json"


class Problem(msgspec.Struct, frozen=True):
    """The body of an error: the status, its usual name, and what is wrong and what to do.

    The same stands in `error` for players that look for it there, as MediaMTX's does.
    """

    title: str
    status: int
    detail: str
    error: str


def problem(status: int, detail: str, retry_after: int | None = None) -> web.Response:
    """A response that refuses a request; `retry_after` says in how many seconds to try again."""
    body = msgspec.json.encode(Problem(HTTPStatus(status).phrase, status, detail, detail))
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return web.Response(status=status, body=body, content_type=CONTENT_TYPE, headers=headers)
