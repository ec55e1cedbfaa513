"""GStreamer's webrtcbin as a WHEP client, by itself: `python3 webrtcbin.py URL SECONDS BUNDLE`.

It plays, reads each frame's number, answers, and prints what it saw as JSON. `BUNDLE` is the policy
`none`, which is its own default, or `max-bundle`. Needs nothing but PyGObject and the plugins.
"""

import json
import sys
from typing import Any
from urllib.parse import urljoin
from urllib.request import Request, urlopen

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402 - versions come first

VIDEO = "application/x-rtp,media=video,encoding-name=VP8,payload=96,clock-rate=90000"
DECODING = (
    "rtpvp8depay ! vp8dec ! video/x-raw,format=I420 ! "
    "appsink name=sink emit-signals=true sync=false"
)
CELL, CELLS_A_ROW, ROWS, NUMBER_BITS = 8, 20, 16, 24


class Player:
    """One session."""

    def __init__(self, url: str, seconds: float, bundle: str) -> None:
        self._url = url
        self._seconds = seconds
        self._session = ""
        self._seen = {"frames": 0, "feedback": 0, "version": Gst.version_string()}
        self._loop = GLib.MainLoop()
        self._pipeline = Gst.Pipeline()
        self._peer = Gst.ElementFactory.make("webrtcbin")
        self._peer.set_property("bundle-policy", bundle)
        self._peer.set_property("latency", 0)
        self._pipeline.add(self._peer)
        self._peer.connect("pad-added", self._on_pad)
        self._peer.connect("notify::ice-gathering-state", self._on_gathering)
        # Channels can be made from then on, and have to be there before the offer.
        self._pipeline.set_state(Gst.State.READY)
        self._channel = self._peer.emit("create-data-channel", "coordinates", None)
        self._channel.connect("on-message-string", self._on_message)
        self._peer.emit(
            "add-transceiver",
            GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY,
            Gst.Caps.from_string(VIDEO),
        )

    def run(self) -> dict[str, Any]:
        """Play to the end; what was seen."""
        self._pipeline.set_state(Gst.State.PLAYING)
        self._promise = Gst.Promise.new_with_change_func(lambda _: GLib.idle_add(self._take_offer))
        self._peer.emit("create-offer", None, self._promise)
        self._loop.run()
        with urlopen(Request(self._session, method="DELETE")):
            pass
        self._pipeline.set_state(Gst.State.NULL)
        return self._seen

    def _take_offer(self) -> None:
        reply = self._promise.get_reply()
        offer = reply.get_value("offer")
        self._peer.emit("set-local-description", offer, None)

    def _on_gathering(self, *_: object) -> None:
        state = self._peer.get_property("ice-gathering-state")
        if state == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            GLib.idle_add(self._exchange)

    def _exchange(self) -> None:
        offer = self._peer.get_property("local-description").sdp.as_text()
        request = Request(self._url, offer.encode(), {"Content-Type": "application/sdp"})
        with urlopen(request) as response:
            answer = response.read().decode()
            self._session = urljoin(self._url, response.headers["Location"])
        _, sdp = GstSdp.SDPMessage.new_from_text(answer)
        description = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, sdp)
        self._peer.emit("set-remote-description", description, None)
        GLib.timeout_add(int(1000 * self._seconds), self._loop.quit)

    def _on_pad(self, _: object, pad: Any) -> None:
        decoding = Gst.parse_bin_from_description(DECODING, True)
        decoding.get_by_name("sink").connect("new-sample", self._on_sample)
        self._pipeline.add(decoding)
        decoding.sync_state_with_parent()
        pad.link(decoding.get_static_pad("sink"))

    def _on_sample(self, sink: Any) -> Any:
        sample = sink.emit("pull-sample")
        self._seen["frames"] += 1
        caps = sample.get_caps().get_structure(0)
        answer = {"type": "estimate", "frame": number_of(sample, caps), "x": 1, "y": 1}
        if self._channel.get_property("ready-state") == GstWebRTC.WebRTCDataChannelState.OPEN:
            self._channel.emit("send-string", json.dumps(answer))
        return Gst.FlowReturn.OK

    def _on_message(self, _: object, text: str) -> None:
        self._seen["feedback"] += json.loads(text)["type"] == "feedback"


def number_of(sample: Any, caps: Any) -> int:
    """The number in the bottom rows of the luma plane; the checksum is left alone."""
    height, stride = caps.get_value("height"), -(-caps.get_value("width") // 4) * 4
    buffer = sample.get_buffer()
    rows = buffer.extract_dup((height - ROWS) * stride, ROWS * stride)
    number = 0
    for bit in range(NUMBER_BITS):
        row, column = divmod(bit, CELLS_A_ROW)
        number = 2 * number + (
            rows[(CELL * row + CELL // 2) * stride + CELL * column + CELL // 2] > 127
        )
    return number


if __name__ == "__main__":
    Gst.init(None)
    print(json.dumps(Player(sys.argv[1], float(sys.argv[2]), sys.argv[3]).run()))
