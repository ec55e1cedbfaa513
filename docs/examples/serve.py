"""A server inside a program of one's own: it streams, scores, and hands over each report.

    python serve.py

says where it is, and `python watch.py ADDRESS` is a client for it.
"""

import asyncio

import ballstream


async def main() -> None:
    anywhere = ballstream.Signaling(port=0)  # any port that is free
    async with ballstream.Server(ballstream.ServerConfig(signaling=anywhere)) as server:
        print(server.address, flush=True)
        async for report in server.ended():
            print(
                f"{report.frames_answered} answered, latency {report.latency_ms.p50:.1f} ms, "
                f"detection error {report.detection_error_px.p50:.3f} px",
                flush=True,
            )


if __name__ == "__main__":
    asyncio.run(main())
