from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballstream.config import Address, Web
from ballstream.errors import UsageError
from ballstream.web.defence import allowed_origins
from ballstream.web.origins import normal_origin


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://friend.example", "https://friend.example"),
        ("https://friend.example/", "https://friend.example"),
        ("https://friend.example:443", "https://friend.example"),
        ("https://friend.example:443/", "https://friend.example"),
        ("http://friend.example:80", "http://friend.example"),
        ("http://friend.example:443", "http://friend.example:443"),
        ("HTTPS://Friend.Example:8443/", "https://friend.example:8443"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("http://127.0.0.1:5173", "http://127.0.0.1:5173"),
        ("http://[::1]:80/", "http://[::1]"),
        ("capacitor://localhost", "capacitor://localhost"),
        ("*", "*"),
    ],
)
def test_an_origin_as_browsers_name_it(text: str, origin: str) -> None:
    assert normal_origin(text) == origin


@pytest.mark.parametrize(
    "text",
    [
        "", "friend.example", "friend.example:443", "null", "https://", "//friend.example",
        "https://friend.example/page", "https://friend.example?", "https://friend.example#x",
        "https://me@friend.example", "https://friend.example:99999", "http://[::1",
        "https://*.friend.example", "https://a b", "https://exa%6dple.org", "https://**",
        "https://a.example,https://b.example", "https://a.example//",
    ],
)  # fmt: skip
def test_what_is_no_origin_is_wrong_usage(text: str) -> None:
    with pytest.raises(ValueError, match="is no origin"):
        normal_origin(text)
    with pytest.raises(UsageError, match=r"--allow-origin: .*is no origin like https://"):
        allowed_origins(Web(Address("127.0.0.1", 0), origins=(text,)))


@given(st.text() | st.text().map("https://{}".format))
def test_no_text_raises_anything_else_and_an_origin_is_its_own(text: str) -> None:
    with suppress(ValueError):
        assert normal_origin(normal_origin(text)) == normal_origin(text)
