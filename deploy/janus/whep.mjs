// WHEP for the feeds of a Janus VideoRoom, by the package janus-whep-server:
//
//   node whep.mjs [PORT] [JANUS] [ROOM] [FEED]      by default 7090 ws://127.0.0.1:8188 1234 1
//
// Each feed is watched at http://127.0.0.1:PORT/whep/endpoint/FEED. As Janus makes the offer itself,
// a player's is refused with it (406).
import { JanusWhepServer } from "janus-whep-server";

const [port = "7090", janus = "ws://127.0.0.1:8188", room = "1234", feed = "1"] = process.argv.slice(2);
const server = new JanusWhepServer({
  janus: { address: janus },
  rest: { port: Number(port), basePath: "/whep" },
});
await server.start();
server.createEndpoint({ id: feed, plugin: "videoroom", room: Number(room), feed: Number(feed) });
console.log(`watch at http://127.0.0.1:${port}/whep/endpoint/${feed}`);
