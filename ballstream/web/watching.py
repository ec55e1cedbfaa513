"""A player of WHEP (draft-ietf-wish-whep) for pictures alone, whoever wrote the endpoint."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from ..config import IceServer, Secret
from ..errors import Unavailable
from ..impairment.conditions import Impairment
from ..impairment.sockets import refuse_what_bypasses
from ..signaling.retry import reason_of
from .remote import Place, Remote, reaching


class Showing:
    """An endpoint that was found, for one session."""

    def __init__(self, remote: Remote) -> None:
        self.ice_servers: tuple[IceServer, ...] = remote.ice_servers
        self._remote = remote

    async def exchange(
        self, offer: str, answer_counter: Callable[[str], Awaitable[str]]
    ) -> str | None:
        """Post an offer; the answer, or None where the endpoint offered, and was answered.

        Raises Unavailable where another time may do, SignalingError where none will.
        """
        reply = await self._remote.offer(offer)
        if not reply.counter:
            return reply.sdp
        await self._remote.answer(await answer_counter(reply.sdp))
        return None


@asynccontextmanager
async def reach_whep(
    url: str, token: Secret | None, impairment: Impairment | None
) -> AsyncIterator[Showing]:
    """The endpoint at a URL; whatever session came about has been deleted at the end.

    Raises Unavailable where nobody is there, SignalingError where it is somebody else, UsageError
    where the network that is emulated would be passed by.
    """
    async with reaching(Place(url, token, "--watch", "--watch-token")) as remote:
        try:
            await remote.discover()
        except OSError as error:
            raise Unavailable(f"no reply from {url} ({reason_of(error)})") from None
        if impairment is not None:
            refuse_what_bypasses(each.url for each in remote.ice_servers)
        try:
            yield Showing(remote)
        finally:
            await remote.goodbye()
