// werift, all of WebRTC in TypeScript; it decodes nothing: a frame ends with the marker of RTP.
import { RTCPeerConnection } from "werift";
import { exchange, feedback, finish, frame, opened } from "./session.mjs";

const peer = new RTCPeerConnection({ iceServers: [] });
const channel = peer.createDataChannel("coordinates", { ordered: false, maxRetransmits: 0 });
channel.stateChanged.subscribe((state) => {
  if (state === "open") opened((text) => channel.send(Buffer.from(text).toString()));
});
channel.onMessage.subscribe(feedback);
peer.addTransceiver("video", { direction: "recvonly" });
peer.onTrack.subscribe((track) => track.onReceiveRtp.subscribe(({ header }) => header.marker && frame()));
await peer.setLocalDescription(await peer.createOffer());
const { sdp, leave } = await exchange(peer.localDescription.sdp);
await peer.setRemoteDescription({ type: "answer", sdp });
finish(leave);
