from typing import cast

import pytest

from ballstream.bench.detour import Relay
from ballstream.bench.programs import Program
from ballstream.errors import BallstreamError

SDP = (
    "v=0\r\n"
    "m=video 9 UDP/TLS/RTP/SAVPF 97\r\n"
    "a=candidate:1 1 udp 2130706431 fd00::2 5000 typ host\r\n"
    "a=candidate:2 1 udp 2130706431 192.0.2.2 5001 typ host\r\n"
    "a=candidate:3 1 udp 2130706431 198.51.100.2 5002 typ host\r\n"
    "a=end-of-candidates\r\n"
)


class Listening:
    def __init__(self) -> None:
        self.told: list[str] = []

    def tell(self, line: str) -> None:
        self.told.append(line)


@pytest.mark.parametrize(("who", "port"), [("server", 7001), ("client", 7000)])
def test_it_stands_for_one_end_at_the_port_of_the_other(who: str, port: int) -> None:
    program = Listening()
    by = Relay(cast(Program, program), {"server": 7000, "client": 7001})
    assert by.stand_for(who, SDP) == (
        "v=0\r\n"
        "m=video 9 UDP/TLS/RTP/SAVPF 97\r\n"
        f"a=candidate:2 1 udp 2130706431 192.0.2.2 {port} typ host\r\n"
        "a=end-of-candidates\r\n"
    )
    assert program.told == [f"{who} 192.0.2.2 5001"]


def test_without_an_address_of_ipv4_it_says_so() -> None:
    by = Relay(cast(Program, Listening()), {"server": 7000, "client": 7001})
    with pytest.raises(BallstreamError, match="the relay needs an IPv4 address"):
        by.stand_for("server", "v=0\r\na=candidate:1 1 udp 1 fd00::2 5000 typ host\r\n")
