"""Who can reach a signalling socket: whoever can, can take part."""

from typing import assert_never

from ..config import Address, ServerConfig, SignalingMethod, is_loopback
from ..errors import UsageError


def check_exposure(config: ServerConfig) -> None:
    """Raise UsageError where a socket would be open to everyone without that being said."""
    signaling = config.signaling
    match signaling.method:
        case SignalingMethod.TCP_SOCKET:
            if config.insecure or is_loopback(signaling.host):
                return
            raise UsageError(
                f"tcp-socket on {Address(signaling.host, signaling.port)} can be reached from "
                "other machines, and anyone there could take part: choose a --signaling-host that "
                "is loopback, -s whep with a --token, or --insecure if that is what you want"
            )
        case SignalingMethod.UNIX_SOCKET | SignalingMethod.COPY_AND_PASTE | SignalingMethod.WHEP:
            return  # the file's permissions, the person at the terminal, `web.defence`
        case _:
            assert_never(signaling.method)
