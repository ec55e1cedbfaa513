"""Video one way and coordinates the other way in ONE negotiation, with aiortc alone.

Both ends run in this process: `python negotiation.py`. The receiver of the video makes the offer,
and what is to be in the answer must be in the offer: so it creates the datachannel and the
transceiver for the video *first*.
"""

import asyncio
from typing import cast

import numpy as np
from aiortc import MediaStreamTrack, RTCDataChannel, RTCPeerConnection, VideoStreamTrack
from av import VideoFrame


class Square(VideoStreamTrack):
    """A white square that moves to the right on black."""

    async def recv(self) -> VideoFrame:
        pts, time_base = await self.next_timestamp()
        picture = np.zeros((240, 320), np.uint8)
        left = pts // 3000 % 300
        picture[110:130, left : left + 20] = 255
        frame = VideoFrame.from_ndarray(picture, format="gray")
        frame.pts, frame.time_base = pts, time_base
        return frame


async def watch(track: MediaStreamTrack, channel: RTCDataChannel) -> None:
    """Find the square in every frame, and say where it is while the video keeps coming."""
    while True:
        frame = cast(VideoFrame, await track.recv())
        _, columns = (frame.to_ndarray(format="gray") > 128).nonzero()
        if channel.readyState == "open":
            channel.send(f"x = {columns.mean():.1f} px")


async def main() -> None:
    sender, receiver = RTCPeerConnection(), RTCPeerConnection()
    coordinates: asyncio.Queue[str] = asyncio.Queue()

    @sender.on("datachannel")
    def on_datachannel(channel: RTCDataChannel) -> None:
        channel.on("message", coordinates.put_nowait)

    # The receiver of the video: channel and transceiver, and only then the offer.
    channel = receiver.createDataChannel("coordinates", ordered=False, maxRetransmits=0)
    video = receiver.addTransceiver("video", direction="recvonly")
    await receiver.setLocalDescription(await receiver.createOffer())

    # The sender: its track takes the place that the offer has for it. One answer settles both.
    await sender.setRemoteDescription(receiver.localDescription)
    sender.addTrack(Square())
    await sender.setLocalDescription(await sender.createAnswer())
    await receiver.setRemoteDescription(sender.localDescription)

    watching = asyncio.create_task(watch(video.receiver.track, channel))
    for _ in range(10):
        print(await coordinates.get())
    watching.cancel()
    await receiver.close()
    await sender.close()


if __name__ == "__main__":
    asyncio.run(main())
