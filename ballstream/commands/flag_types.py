"""What the values of flags look like, and what is said of one that does not."""

import ipaddress
from typing import Any
from urllib.parse import unquote, urlsplit

import click

from ..config import MAX_BITRATE, MAX_SIZE, MIN_BITRATE, MIN_SIZE, Address, IceServer, Secret


class Size(click.ParamType[tuple[int, int]]):
    """A picture's size, `640x480`."""

    name = "WxH"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        try:
            width, height = (int(part) for part in value.lower().split("x"))
        except ValueError:
            self.fail(f"{value!r} is not a size like 640x480", param, ctx)
        least, most = MIN_SIZE, MAX_SIZE
        if width % 2 or height % 2:
            self.fail(f"{value}: width and height must be even", param, ctx)
        if not (least[0] <= width <= most[0] and least[1] <= height <= most[1]):
            self.fail(
                f"{value} is not between {least[0]}x{least[1]} and {most[0]}x{most[1]}", param, ctx
            )
        return width, height


class Bitrate(click.ParamType[int]):
    """Bits a second, `1500000`, `1500k` or `1.5M`."""

    name = "bit/s"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        text = str(value)
        factor = {"k": 1_000, "m": 1_000_000}.get(text[-1:].lower(), 1)
        try:
            bitrate = round(float(text if factor == 1 else text[:-1]) * factor)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is not a bitrate like 800k or 1.5M", param, ctx)
        if not MIN_BITRATE <= bitrate <= MAX_BITRATE:
            self.fail(
                f"{value} bit/s is not between {MIN_BITRATE // 1000}k and "
                f"{MAX_BITRATE // 1_000_000}M",
                param,
                ctx,
            )
        return bitrate


class Finite(click.FloatRange):
    """A number in a range; unlike click's own, it lets no NaN through."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number: float = super().convert(value, param, ctx)
        if number != number or number in (float("inf"), float("-inf")):
            self.fail(f"{value} is not a finite number", param, ctx)
        return number


class HostPort(click.ParamType[Address]):
    """An address to listen on, `127.0.0.1:8080` or `[::1]:8080`."""

    name = "HOST:PORT"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Address:
        host, _, port = value.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        if not host or not port.isdecimal() or int(port) > 65535:
            self.fail(f"{value!r} is not an address like 127.0.0.1:8080", param, ctx)
        return Address(host, int(port))


class HttpUrl(click.ParamType[str]):
    """Where an HTTP server is, `https://example.org/whep`."""

    name = "URL"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            url = urlsplit(value)
            sound = url.scheme in ("http", "https") and url.hostname and url.port != 0
            if url.username is not None:
                self.fail("no user or password in the URL: use --token", param, ctx)
        except ValueError:
            sound = False
        if not sound:
            self.fail(f"{value!r} is not a URL like http://127.0.0.1:8080/whep", param, ctx)
        return str(value)


class Token(click.ParamType[Secret]):
    """A token as it stands in a header field (RFC 6750): visible ASCII without spaces."""

    name = "TOKEN"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Secret:
        if not value or not all("!" <= letter <= "~" for letter in value):
            self.fail("a token is of letters, digits and signs, without spaces", param, ctx)
        return Secret(value)


class IpAddress(click.ParamType[str]):
    """An IP address, `192.0.2.7`."""

    name = "IP"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return str(ipaddress.ip_address(value))
        except ValueError:
            self.fail(f"{value!r} is not an IP address", param, ctx)


class IceServerUrl(click.ParamType[IceServer]):
    """A STUN or TURN server (RFC 7064, RFC 7065), TURN with `user:password@` before the host.

    User and password may be percent-encoded.
    """

    name = "URL"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> IceServer:
        scheme, _, rest = value.partition(":")
        login, _, place = rest.rpartition("@")
        user, _, password = login.partition(":")
        host, _, query = place.partition("?")
        if scheme not in ("stun", "turn", "turns") or not host or set(value) & set(' "<>\\'):
            self._fail(param, ctx)
        if query not in ("", "transport=udp", "transport=tcp") or (query and scheme == "stun"):
            self._fail(param, ctx)
        port = host.rpartition(":")[2] if ":" in host.rpartition("]")[2] else "3478"
        if not port.isdecimal() or not 0 < int(port) < 65536:
            self._fail(param, ctx)
        if scheme == "stun":
            return IceServer(f"{scheme}:{place}")
        if not user or not password:
            self.fail("a TURN server needs credentials: turn:user:password@host:3478", param, ctx)
        return IceServer(f"{scheme}:{place}", unquote(user), Secret(unquote(password)))

    def _fail(self, param: click.Parameter | None, ctx: click.Context | None) -> None:
        # Without the value: it may hold a password.
        self.fail(
            "not like stun:host:3478 or turn:user:password@host:3478?transport=udp", param, ctx
        )
