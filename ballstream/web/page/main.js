// The page: connects, watches, answers, shows, and comes back by itself when the server is lost.

import { readFeed } from "./feed.js";
import { drawOverlay } from "./overlay.js";
import { Plots } from "./plots.js";
import { figure, showClients } from "./table.js";
import { truth } from "./truth.js";
import { watch } from "./watch.js";
import { play } from "./whep.js";

const ENDPOINT = new URL("whep", location.href);
const FEED = new URL("feed", location.href);
const SILENCE_MS = 3000;
const CONNECT_MS = 12000;
const FIRST_PAUSE_S = 1;
const LONGEST_PAUSE_S = 8;
const DRAW_MS = matchMedia("(prefers-reduced-motion: reduce)").matches ? 2000 : 500;
const TOKEN = "ballstream-token";

const element = Object.fromEntries([...document.querySelectorAll("[id]")].map((each) => [each.id, each]));
const plots = new Plots(element["error-plot"], element["latency-plot"]);

let scene = null;
let rows = [];
let wanted = true;
let session = null;
let wake = () => {};
let leave = () => {};

function show(state, text) {
  element.state.dataset.state = state;
  if (element.status.textContent !== text) element.status.textContent = text;
  element.switch.textContent = wanted ? "Disconnect" : "Connect";
}

/** Connect, and connect again, as long as that is wanted. */
async function run() {
  let pause = FIRST_PAUSE_S;
  for (;;) {
    if (!wanted) await change("stopped", "Disconnected");
    show("connecting", "Connecting");
    try {
      await visit(() => (pause = FIRST_PAUSE_S));
    } catch (error) {
      if (!wanted) continue;
      if (error.status === 401) {
        element.login.hidden = false;
        element.token.focus();
        await change("lost", "This server asks for its token");
        continue;
      }
      await countDown(pause, error);
      pause = Math.min(2 * pause, LONGEST_PAUSE_S);
    }
  }
}

function change(state, text) {
  show(state, text);
  return new Promise((resolve) => (wake = resolve));
}

async function countDown(seconds, error) {
  const reason = error instanceof TypeError ? "the server cannot be reached" : error.message;
  show("lost", `Connection lost: ${reason}. Trying again in ${seconds} s`);
  await Promise.race([
    new Promise((resolve) => (wake = resolve)),
    new Promise((resolve) => setTimeout(resolve, 1000 * seconds)),
  ]);
}

/** One session, from the offer to its loss, which is raised. */
async function visit(onPlaying) {
  const token = sessionStorage.getItem(TOKEN);
  const ending = new AbortController();
  session = await play(ENDPOINT, token);
  try {
    element.video.srcObject = session.stream;
    element.video.play().catch(() => {}); // muted, so that no browser minds; if it does, frames lack
    let last = performance.now();
    watch(element.video, session.channel, ending.signal, (frame) => {
      last = performance.now();
      if (element.state.dataset.state !== "playing") {
        onPlaying();
        show("playing", `Connected as client ${session.client}`);
      }
      showFrame(frame);
    });
    session.channel.onmessage = ({ data }) => showFeedback(JSON.parse(data));
    await Promise.race([
      new Promise((_, reject) => (leave = () => reject(new Error("left")))),
      lost(session, () => last, ending.signal),
      readFeed(FEED, token, ending.signal, onLine).then(() => {
        throw new Error("the server has ended");
      }),
    ]);
  } finally {
    ending.abort();
    session.close();
    session = null;
    element.video.srcObject = null;
    element.overlay.width = 0;
    rows = [];
    showClients(element.clients, rows);
  }
}

/** Raises an error once the connection is lost; `lastFrame` says when the last frame was shown. */
function lost({ connection, channel }, lastFrame, signal) {
  return new Promise((_, reject) => {
    const started = performance.now();
    let open = false;
    channel.addEventListener("open", () => (open = true));
    channel.addEventListener("close", () => reject(new Error("the server closed the connection")));
    connection.addEventListener("connectionstatechange", () => {
      if (connection.connectionState === "failed") reject(new Error("the network path broke"));
    });
    const timer = setInterval(() => {
      const now = performance.now();
      if (signal.aborted) clearInterval(timer);
      else if (!open && now - started > CONNECT_MS) reject(new Error("no path for the video: is UDP blocked?"));
      else if (open && !document.hidden && now - lastFrame() > SILENCE_MS) reject(new Error("no frames come"));
    }, 250);
  });
}

function onLine(line) {
  if (line.type === "scene") {
    scene = line;
    return;
  }
  rows = line.rows;
  showNetwork(line.impairment);
  plots.add(rows, performance.now() / 1000);
}

/** Which network the server emulates; null is none. */
function showNetwork(words) {
  element.network.hidden = !words;
  if (words && element.network.textContent !== words) element.network.textContent = words;
}

function showFrame({ number, found, width, height, presented, answered }) {
  const expected = scene && number !== null ? truth(scene, number) : null;
  element.video.style.aspectRatio = `${width} / ${height}`;
  drawOverlay(element.overlay, { width, height }, found, expected, scene?.radius ?? 20);
  element.presented.value = presented;
  element.answered.value = answered;
}

function showFeedback({ latency_ms, detection_error_px }) {
  element.latency.value = figure(latency_ms, 1);
  element.error.value = figure(detection_error_px, 3);
}

element.switch.addEventListener("click", () => {
  wanted = !wanted;
  leave();
  wake();
});
element.login.addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(TOKEN, element.token.value);
  element.login.hidden = true;
  wake();
});
addEventListener("pagehide", () => session?.close());
setInterval(() => {
  if (!session || document.hidden) return;
  showClients(element.clients, rows, session.client);
  plots.draw();
}, DRAW_MS);

if ("requestVideoFrameCallback" in HTMLVideoElement.prototype) run();
else show("lost", "This browser cannot say which frame it shows (requestVideoFrameCallback): use a newer one");
