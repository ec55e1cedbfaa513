// libdatachannel, which decodes nothing: a frame ends with the marker of RTP or, as images, with the last part.
import { PeerConnection, Video } from "node-datachannel";
import { exchange, feedback, finish, frame, opened } from "./session.mjs";

const transport = process.argv[4];
const lossy = { unordered: true, maxRetransmits: 0 };

// What nothing refers to is collected, and closed with it.
const kept = (globalThis.kept = []);
const keep = (it) => {
  kept.push(it);
  return it;
};

const peer = keep(new PeerConnection("peer", { iceServers: [], disableAutoNegotiation: true }));
const coordinates = keep(peer.createDataChannel("coordinates", lossy));
coordinates.onOpen(() => opened((text) => coordinates.sendMessage(text)));
coordinates.onMessage(feedback);
if (transport === "track") {
  const media = keep(new Video("video", "RecvOnly"));
  media.addVP8Codec(96);
  keep(peer.addTrack(media)).onMessage((packet) => packet[1] >> 7 && packet[1] % 128 === 96 && frame());
} else {
  // The layout stands in docs/protocol.md.
  const NUMBER = 4, PART = 12, PARTS = 14;
  keep(peer.createDataChannel("frames", lossy)).onMessage((message) => {
    const isLast = message.readUInt16BE(PART) + 1 === message.readUInt16BE(PARTS);
    if (isLast) frame(message.readUInt32BE(NUMBER));
  });
}
let offered = false;
peer.onGatheringStateChange(async (state) => {
  if (state !== "complete" || offered) return;
  offered = true;
  const { sdp, leave } = await exchange(peer.localDescription().sdp);
  peer.setRemoteDescription(sdp, "answer");
  finish(leave);
});
peer.setLocalDescription("offer");
