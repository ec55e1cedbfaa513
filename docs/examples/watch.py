"""A client with a loop of one's own: the newest picture comes, an answer goes back.

    python watch.py tcp://127.0.0.1:1234

with a server's address, of any kind: `tcp://HOST:PORT`, `unix:PATH`, or the URL of WHEP.
"""

import asyncio
import sys

import ballstream


async def main(address: str) -> None:
    answers = 0
    async with ballstream.connect(address) as link:
        async for picture in link.pictures:
            rows, columns = (picture.planes.u > 180).nonzero()  # half resolution; 128 is neutral
            if rows.size:
                x, y = 2 * columns.mean() + 0.5, 2 * rows.mean() + 0.5
                answers += link.answer(picture.frame, float(x), float(y))
            if answers >= 60:
                break
        print(f"{answers} answers; the server says: {link.feedback}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
