"""The quick reception in a program that has nothing to do with balls: plain aiortc, both ways.

    python quick.py

It receives a video twice. The first time it awaits `track.recv()`, as one does with aiortc; the
second time `ballstream.receive` hands it the pictures. Their grey says when they were made.
"""

import asyncio
import time
from statistics import median
from typing import cast

import numpy as np
from aiortc import RTCPeerConnection, VideoStreamTrack
from av import VideoFrame

import ballstream

made = [0.0] * 8


class Shades(VideoStreamTrack):
    async def recv(self) -> VideoFrame:
        pts, time_base = await self.next_timestamp()
        shade = pts // 3000 % 8
        made[shade] = time.monotonic()
        frame = VideoFrame.from_ndarray(np.full((240, 320), 28 * shade, np.uint8), format="gray")
        frame.pts, frame.time_base = pts, time_base
        return frame


def age(frame: VideoFrame) -> float:
    shade = round(int(frame.to_ndarray(format="gray")[120, 160]) / 28)
    return 1e3 * (time.monotonic() - made[shade])


async def watch(quickly: bool) -> list[float]:
    ages: list[float] = []
    sender, receiver = RTCPeerConnection(), RTCPeerConnection()
    video = receiver.addTransceiver("video", direction="recvonly").receiver
    if quickly:  # the line that makes the difference; it stands before the answer is applied
        ballstream.receive(video, lambda frame: ages.append(age(frame)))
    await receiver.setLocalDescription(await receiver.createOffer())
    await sender.setRemoteDescription(receiver.localDescription)
    sender.addTrack(Shades())
    await sender.setLocalDescription(await sender.createAnswer())
    await receiver.setRemoteDescription(sender.localDescription)
    while len(ages) < 90:
        if quickly:
            await asyncio.sleep(0.1)
        else:
            ages.append(age(cast(VideoFrame, await video.track.recv())))
    await asyncio.gather(sender.close(), receiver.close())
    return ages[30:]


async def main() -> None:
    print(f"track.recv()         {median(await watch(quickly=False)):5.1f} ms")
    print(f"ballstream.receive   {median(await watch(quickly=True)):5.1f} ms")


if __name__ == "__main__":
    asyncio.run(main())
