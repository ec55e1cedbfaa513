// WHEP without a library. With `?trickle` in its address the offer is sent at once, and candidates follow by PATCH.

const trickles = new URL(import.meta.url).searchParams.has("trickle");

export async function play(url, video) {
  const peer = new RTCPeerConnection();
  const channel = peer.createDataChannel("coordinates", { ordered: false, maxRetransmits: 0 });
  peer.addTransceiver("video", { direction: "recvonly" });
  peer.ontrack = ({ track }) => (video.srcObject = new MediaStream([track]));
  const found = [];
  let tell = (candidate) => found.push(candidate);
  const gathered = new Promise((resolve) => {
    peer.onicecandidate = ({ candidate }) => (candidate === null ? resolve() : tell(candidate));
  });
  await peer.setLocalDescription(await peer.createOffer());
  const { sdp } = peer.localDescription;
  if (!trickles) await gathered;

  const body = trickles ? sdp : peer.localDescription.sdp;
  const response = await fetch(url, { method: "POST", headers: { "Content-Type": "application/sdp" }, body });
  const answer = await response.text();
  if (response.status !== 201) throw new Error(`${response.status}: ${answer}`);
  const session = new URL(response.headers.get("Location"), response.url);
  const etag = response.headers.get("ETag");

  const credentials = sdp.match(/^a=ice-(?:ufrag|pwd):\S+/gm).slice(0, 2);
  const patch = async (candidate) => {
    if (candidate.candidate === "") return;
    const lines = [...credentials, "m=video 9 UDP/TLS/RTP/SAVPF 0", `a=mid:${candidate.sdpMid}`, `a=${candidate.candidate}`];
    const headers = { "Content-Type": "application/trickle-ice-sdpfrag", "If-Match": etag };
    const told = await fetch(session, { method: "PATCH", headers, body: lines.map((line) => `${line}\r\n`).join("") });
    if (told.status !== 204) throw new Error(`${told.status}: ${await told.text()}`);
  };
  if (trickles) {
    tell = patch;
    await Promise.all(found.map(patch));
  }
  await peer.setRemoteDescription({ type: "answer", sdp: answer });

  const leave = async () => {
    await fetch(session, { method: "DELETE" });
    peer.close();
  };
  return { channel, leave };
}
