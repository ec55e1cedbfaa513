// libwebrtc as browsers have it, without a browser; it decodes.
import wrtc from "@roamhq/wrtc";
import { exchange, feedback, finish, frame, opened } from "./session.mjs";

const peer = new wrtc.RTCPeerConnection({ iceServers: [] });
const channel = peer.createDataChannel("coordinates", { ordered: false, maxRetransmits: 0 });
channel.onopen = () => opened((text) => channel.send(text));
channel.onmessage = feedback;
peer.addTransceiver("video", { direction: "recvonly" });
peer.ontrack = ({ track }) => {
  const sink = new wrtc.nonstandard.RTCVideoSink(track);
  sink.onframe = () => frame();
};
await peer.setLocalDescription(await peer.createOffer());
if (peer.iceGatheringState !== "complete") {
  await new Promise((resolve) => {
    peer.onicegatheringstatechange = () => peer.iceGatheringState === "complete" && resolve();
  });
}
const { sdp, leave } = await exchange(peer.localDescription.sdp);
await peer.setRemoteDescription({ type: "answer", sdp });
finish(leave);
