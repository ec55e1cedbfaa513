"""The way round by the relay: signalling in which the relay stands for the other end."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from ..endings import first_of
from ..errors import BallstreamError
from ..signaling.messages import IncomingOffer
from ..signaling.sockets import connect_unix, listen_unix
from .programs import Program, running

_RELAY = "from ballstream.bench.relay import main; main()"
_CANDIDATE = "a=candidate:"
_PATIENCE = 10.0


class Relay:
    """The relay's program, once it runs, and the ports at which the two ends find it."""

    def __init__(self, program: Program, ports: dict[str, int]) -> None:
        self._program = program
        self._ports = ports

    def stand_for(self, who: str, sdp: str) -> str:
        """The description of one end as the other is to have it.

        Raises BallstreamError where it has no address at which it could stand for it.
        """
        lines = sdp.splitlines(keepends=True)
        found = next((words for words in map(_candidate, lines) if words), None)
        if found is None:
            raise BallstreamError("a run failed: the relay needs an IPv4 address of this machine")
        self._program.tell(f"{who} {found[4]} {found[5]}")
        other = "client" if who == "server" else "server"
        found[5] = str(self._ports[other])
        kept = [line for line in lines if not line.startswith(_CANDIDATE)]
        place = next(at for at, line in enumerate(lines) if line.startswith(_CANDIDATE))
        return "".join([*kept[:place], _CANDIDATE, " ".join(found), "\r\n", *kept[place:]])

    async def held_ms(self) -> dict[str, list[float]]:
        """End it; for how long it held what came, in ms, `down` and `up`."""
        self._program.close_input()
        held: dict[str, list[float]] = json.loads(await self._program.output())
        return held


def _candidate(line: str) -> list[str]:
    """The words of a candidate at an IPv4 address of this machine; none where it is none."""
    words = line.removeprefix(_CANDIDATE).split()
    is_host = line.startswith(_CANDIDATE) and "host" in words and ":" not in words[4]
    return words if is_host else []


@asynccontextmanager
async def relay(hold_ms: float) -> AsyncIterator[Relay]:
    """A relay that holds every datagram for so many ms."""
    async with running(_RELAY, str(hold_ms)) as program:
        yield Relay(program, json.loads(await program.ready()))


@asynccontextmanager
async def detour(path: Path, by: Relay) -> AsyncIterator[Path]:
    """A socket beside that of a server, from which the way goes by the relay; gives its path."""

    async def accept(offer: IncomingOffer) -> None:
        try:
            async with connect_unix(path, _PATIENCE) as exchange:
                answer = await exchange.exchange(by.stand_for("client", offer.sdp), offer.name)
                await offer.answer(by.stand_for("server", answer))
                await first_of(offer.gone.wait(), exchange.gone.wait())
                await exchange.goodbye()
                await offer.goodbye()
        except BallstreamError as error:
            await offer.refuse(error)

    beside = path.with_name("detour")
    async with listen_unix(beside, accept, lambda error: None):
        yield beside
