// The player of @eyevinn/webrtc-player, which has no channel: it watches.
import { WebRTCPlayer } from "@eyevinn/webrtc-player";

export async function play(url, video) {
  const player = new WebRTCPlayer({ video, type: "whep", iceServers: [] });
  await player.load(new URL(url));
  return { leave: () => player.unload() };
}
