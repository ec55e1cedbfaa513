"""Origins of pages, in the form in which browsers name them (RFC 6454, section 6.2); pure."""

import re

from yarl import URL

ANY = "*"

_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+")


def normal_origin(text: str) -> str:
    """An origin as it stands in a header field, or `*` for every one.

    Capitals, a trailing slash, the scheme's own port and letters beyond ASCII are what people
    write and browsers do not. Raises ValueError where it is no origin.
    """
    if text == ANY:
        return ANY
    try:
        url = URL(text)
        origin, host = url.origin(), url.raw_host or ""
    except ValueError:
        raise ValueError(f"{text!r} is no origin like https://example.org") from None
    rest = text.partition("://")[2].removesuffix("/")
    if set(rest) & set("/?#@\\%") or not _HOST.fullmatch(host):
        raise ValueError(f"{text!r} is no origin like https://example.org: leave out the rest")
    return str(origin)
