from pathlib import Path

import pytest

from ballstream.config import ServerConfig, Signaling, SignalingMethod
from ballstream.errors import UsageError
from ballstream.signaling.exposure import check_exposure

PUBLIC = "0.0.0.0"  # noqa: S104 - all addresses, which is what must be noticed


@pytest.mark.parametrize("host", [PUBLIC, "::", "", "arm.example"])
def test_a_socket_that_others_can_reach_must_be_meant(host: str) -> None:
    signaling = Signaling(host=host)
    with pytest.raises(UsageError, match=r"can be reached from other machines.*--insecure"):
        check_exposure(ServerConfig(signaling))
    check_exposure(ServerConfig(signaling, insecure=True))


@pytest.mark.parametrize(
    "signaling",
    [
        Signaling(),
        Signaling(host="::1"),
        Signaling(host="localhost"),
        Signaling(SignalingMethod.UNIX_SOCKET, host=PUBLIC, path=Path("socket")),
        Signaling(SignalingMethod.COPY_AND_PASTE, host=PUBLIC),
        Signaling(SignalingMethod.WHEP, host=PUBLIC),
    ],
)
def test_what_others_cannot_reach_needs_no_word(signaling: Signaling) -> None:
    check_exposure(ServerConfig(signaling))
