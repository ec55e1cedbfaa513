"""A WHEP player (draft-ietf-wish-whep): posts the offer, and says goodbye with DELETE."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ..config import Secret
from ..errors import SignalingError
from ..signaling.messages import Exchange
from ..signaling.retry import persist
from .remote import Place, Remote, reaching


class Player(Exchange):
    """The client's side with a WHEP endpoint, whoever wrote it.

    Over HTTP there is no goodbye from the server: the end of the connection is the end.
    """

    def __init__(self, remote: Remote) -> None:
        super().__init__()
        self.ice_servers = remote.ice_servers
        self._remote = remote

    async def exchange(self, offer: str, name: str | None = None) -> str:
        reply = await self._remote.offer(offer, None if name is None else {"client": name})
        if reply.counter:
            raise SignalingError(
                "the server wants to make the offer itself, which no ballstream-server does: "
                "pictures of a media server are watched with --watch"
            )
        return reply.sdp

    async def goodbye(self) -> None:
        await self._remote.goodbye()


@asynccontextmanager
async def connect_whep(url: str, token: Secret | None, patience: float) -> AsyncIterator[Exchange]:
    """The client's side with the endpoint at `url`, which is tried for at most `patience` seconds.

    Raises SignalingError where nobody is there, or somebody else.
    """
    hint = "is ballstream-server -s whep running there? See --url and --wait"
    async with reaching(Place(url, token)) as remote:
        await persist(remote.discover, patience, url, hint)
        yield Player(remote)
