// The player of whip-whep, or of who took it over, as its page shows it: audio and video are asked for.
// `?package=` in its address is the package's name.

const name = new URL(import.meta.url).searchParams.get("package");

export async function play(url, video) {
  const { WHEPClient } = await import(`/node_modules/${name}/whep.js`);
  const peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  const channel = peer.createDataChannel("coordinates", { ordered: false, maxRetransmits: 0 });
  peer.addTransceiver("audio");
  peer.addTransceiver("video");
  peer.ontrack = ({ track }) => {
    if (track.kind === "video") video.srcObject = new MediaStream([track]);
  };
  const client = new WHEPClient();
  await client.view(peer, url);
  return { channel, leave: () => client.stop() };
}
