"""STUN and TURN servers as `Link` header fields (RFC 8288), the way WHEP passes them on."""

import re
from collections.abc import Iterable

from ..config import IceServer, Secret

MAX_SERVERS = 8

_LINK = re.compile(r'<([^<>"]*)>((?:\s*;\s*[\w-]+\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s";,]+))*)')
_PARAMETER = re.compile(r'([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s";,]+))')
_URL = re.compile(r"(stun|turns?):[^\s/@]+")


def link(server: IceServer) -> str:
    """The value of the header field for one server."""
    value = f'<{server.url}>; rel="ice-server"'
    if server.credential is None:
        return value
    return (
        f'{value}; username="{_escaped(server.username or "")}"; '
        f'credential="{_escaped(server.credential)}"; credential-type="password"'
    )


def servers(values: Iterable[str]) -> tuple[IceServer, ...]:
    """The servers that `Link` header fields name; whatever else stands there is passed over."""
    found = []
    for value in values:
        for url, rest in _LINK.findall(value):
            parameters = {
                name.lower(): _unescaped(quoted) or bare
                for name, quoted, bare in _PARAMETER.findall(rest)
            }
            if parameters.get("rel") == "ice-server" and _URL.fullmatch(url):
                credential = parameters.get("credential")
                found.append(
                    IceServer(
                        url,
                        parameters.get("username"),
                        None if credential is None else Secret(credential),
                    )
                )
    return tuple(found[:MAX_SERVERS])


def _escaped(text: str) -> str:
    return re.sub(r'(["\\])', r"\\\1", text)


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
