"""A further client of a run, which says so when it takes part."""

import asyncio
import sys

from ..client import Client
from ..commands.flags import command
from ..config import ClientConfig
from ..endings import Stop

_PERIOD = 0.05


def main() -> None:
    """Entry point: the flags are those of `ballstream-client`.

    Says `ready` on standard output once the server has heard answers.
    """
    command(ClientConfig, _accompany).main(prog_name="companion")


def _accompany(config: ClientConfig) -> int:
    """Take part until the server says goodbye."""
    return asyncio.run(_take_part(config))


async def _take_part(config: ClientConfig) -> int:
    client = Client(config)
    saying = asyncio.create_task(_say_ready(client))
    try:
        await client.run(Stop())
    finally:
        saying.cancel()
    return 0


async def _say_ready(client: Client) -> None:
    while not _is_heard(client):  # noqa: ASYNC110 - nobody is told when feedback comes
        await asyncio.sleep(_PERIOD)
    sys.stdout.write("ready\n")
    sys.stdout.flush()


def _is_heard(client: Client) -> bool:
    progress = client.progress
    feedback = None if progress is None else progress.feedback
    return feedback is not None and feedback.answered > 0
