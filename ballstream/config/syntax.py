"""How values are written on a command line, and what is said of one that is not; pure.

A reader raises ValueError with the line for the user; where the value may be a secret, the line
does not have it.
"""

import ipaddress
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar
from urllib.parse import unquote, urlsplit

from ..errors import UsageError
from ..impairment.conditions import Plan
from ..impairment.grammar import parse_plan
from .values import Address, IceServer, Secret

MIN_SIZE, MAX_SIZE = (160, 120), (1920, 1080)
MIN_BITRATE, MAX_BITRATE = 200_000, 20_000_000
MAX_NAME = 64
"""Characters in the name of a client."""

Value = TypeVar("Value")


class Syntax(NamedTuple, Generic[Value]):
    """How a kind of value is read and written, and what stands for it in `--help`."""

    metavar: str
    read: Callable[[str], Value]
    write: Callable[[Value], str] = str


def _read_size(text: str) -> tuple[int, int]:
    try:
        width, height = (int(part) for part in text.lower().split("x"))
    except ValueError:
        raise ValueError(f"{text!r} is not a size like 640x480") from None
    least, most = MIN_SIZE, MAX_SIZE
    if width % 2 or height % 2:
        raise ValueError(f"{text}: width and height must be even")
    if not (least[0] <= width <= most[0] and least[1] <= height <= most[1]):
        raise ValueError(f"{text} is not between {_write_size(least)} and {_write_size(most)}")
    return width, height


def _write_size(size: tuple[int, int]) -> str:
    return "{}x{}".format(*size)


def _read_bitrate(text: str) -> int:
    factor = {"k": 1_000, "m": 1_000_000}.get(text[-1:].lower(), 1)
    try:
        bitrate = round(float(text if factor == 1 else text[:-1]) * factor)
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is not a bitrate like 800k or 1.5M") from None
    if not MIN_BITRATE <= bitrate <= MAX_BITRATE:
        least, most = _write_bitrate(MIN_BITRATE), _write_bitrate(MAX_BITRATE)
        raise ValueError(f"{text} bit/s is not between {least} and {most}")
    return bitrate


def _write_bitrate(bitrate: int) -> str:
    if bitrate % 1_000_000 == 0:
        return f"{bitrate // 1_000_000}M"
    return f"{bitrate // 1000}k" if bitrate % 1000 == 0 else str(bitrate)


def _read_address(text: str) -> Address:
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not _is_port(port, least=0):
        raise ValueError(f"{text!r} is not an address like 127.0.0.1:8080")
    return Address(host, int(port))


def _is_port(text: str, least: int) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 5 and least <= int(text) < 65536


def _read_http_url(text: str) -> str:
    try:
        url = urlsplit(text)
        sound = url.scheme in ("http", "https") and url.hostname and url.port != 0
        has_login = url.username is not None
    except ValueError:
        sound = has_login = False
    if has_login:
        raise ValueError(
            "no user or password in the URL: use --token, --publish-token or --watch-token"
        )
    if not sound:
        raise ValueError(f"{text!r} is not a URL like http://127.0.0.1:8080/whep")
    return text


def check_url(text: str) -> None:
    """Raise UsageError where a text is no URL of an HTTP server."""
    try:
        _read_http_url(text)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _read_token(text: str) -> Secret:
    if not text or not all("!" <= letter <= "~" for letter in text):
        raise ValueError("a token is of letters, digits and signs, without spaces")
    return Secret(text)


def _read_ip_address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise ValueError(f"{text!r} is not an IP address") from None


def _read_name(text: str) -> str:
    if not 0 < len(text) <= MAX_NAME or not text.isprintable():
        raise ValueError(f"a name is of 1 to {MAX_NAME} printable characters")
    return text


def _read_plan(text: str) -> Plan:
    try:
        return parse_plan(text)
    except UsageError as error:
        raise ValueError(str(error)) from None


def _read_ice_server(text: str) -> IceServer:
    scheme, _, rest = text.partition(":")
    login, _, place = rest.rpartition("@")
    user, _, password = login.partition(":")
    host, _, query = place.partition("?")
    port = host.rpartition(":")[2] if ":" in host.rpartition("]")[2] else "3478"
    if (
        scheme not in ("stun", "turn", "turns")
        or not host
        or set(text) & set(' "<>\\')
        or query not in ("", "transport=udp", "transport=tcp")
        or (query and scheme == "stun")
        or not _is_port(port, least=1)
    ):
        raise ValueError("not like stun:host:3478 or turn:user:password@host:3478?transport=udp")
    if scheme == "stun":
        return IceServer(f"{scheme}:{place}")
    if not user or not password:
        raise ValueError("a TURN server needs credentials: turn:user:password@host:3478")
    return IceServer(f"{scheme}:{place}", unquote(user), Secret(unquote(password)))


SIZE = Syntax("WxH", _read_size, _write_size)
"""A picture's size, `640x480`."""

BITRATE = Syntax("bit/s", _read_bitrate, _write_bitrate)
"""Bits a second, `1500000`, `1500k` or `1.5M`."""

ADDRESS = Syntax("HOST:PORT", _read_address)
"""An address to listen on, `127.0.0.1:8080` or `[::1]:8080`."""

HTTP_URL = Syntax("URL", _read_http_url)
"""Where an HTTP server is, `https://example.org/whep`."""

TOKEN = Syntax("TOKEN", _read_token)
"""A token as it stands in a header field (RFC 6750): visible ASCII without spaces."""

IP_ADDRESS = Syntax("IP", _read_ip_address)
"""An IP address, `192.0.2.7`."""

NAME = Syntax("NAME", _read_name)
"""A name for people, `arm-3`."""

PLAN = Syntax("SPEC", _read_plan)
"""A network to emulate, `delay=40ms,loss=2%; down@30s; up@33s`, or a preset's name."""

ICE_SERVER = Syntax("URL", _read_ice_server)
"""A STUN or TURN server (RFC 7064, RFC 7065), TURN with `user:password@` before the host.

User and password may be percent-encoded.
"""
