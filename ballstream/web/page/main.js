// The page: connects, shows, and comes back by itself when the server is lost.

import { connect, Refused } from "./ballstream.js";
import { readFeed } from "./feed.js";
import { Measured } from "./measured.js";
import { clear, drawOverlay, drawPicture } from "./overlay.js";
import { Plots } from "./plots.js";
import { Shown } from "./shown.js";
import { figure, showClients } from "./table.js";
import { truth } from "./truth.js";

const ENDPOINT = new URL("whep", location.href);
const FEED = new URL("feed", location.href);
const PATH = new URLSearchParams(location.search).get("path") ?? undefined;
const FIRST_PAUSE_S = 1;
const LONGEST_PAUSE_S = 8;
const DRAW_MS = matchMedia("(prefers-reduced-motion: reduce)").matches ? 2000 : 500;
const TOKEN = "ballstream-token";
const RETRIED = ["lost", "full"];
const [UNAUTHORISED, TOO_MANY, FULL] = [401, 429, 503];
const PATHS = {
  processor: "Frames are read in a worker, as they are decoded (MediaStreamTrackProcessor)",
  callback: "Frames are read on the page, as they are shown (requestVideoFrameCallback)",
};

const element = Object.fromEntries([...document.querySelectorAll("[id]")].map((each) => [each.id, each]));
const measured = new Measured();
const plots = new Plots(measured, element);
const shown = new Shown(element.video, drawFrame);

let scene = null;
let rows = [];
let session = null;
let paused = false;
let idle = false; // waits for somebody to press "Connect"
let attempt = new AbortController();
let wake = () => {};

function show(state, text, path = "") {
  element.state.dataset.state = state;
  if (element.status.textContent !== text) element.status.textContent = text;
  element.path.textContent = path;
  element.switch.textContent = idle ? "Connect" : RETRIED.includes(state) ? "Stop trying" : "Disconnect";
}

/** Connect, and connect again, as long as that is wanted. */
async function run() {
  let pause = FIRST_PAUSE_S;
  for (;;) {
    attempt = new AbortController();
    show("connecting", "Connecting: waiting for the first frame");
    const error = await visit(attempt, () => (pause = FIRST_PAUSE_S)).catch((reason) => reason);
    if (attempt.signal.aborted) await standBy("stopped", "Disconnected");
    else if (error instanceof Refused && error.status === UNAUTHORISED) await askForToken();
    else if (error instanceof Refused && error.status === FULL) {
      await countDown("full", `No place: ${error.message}`, error.retryAfter ?? pause);
    } else if (error instanceof Refused && error.status !== TOO_MANY && error.status < 500) {
      await standBy("refused", `Refused: ${error.message}`);
    } else {
      const reason = error instanceof TypeError ? "the server cannot be reached" : error.message;
      await countDown("lost", `Connection lost: ${reason}`, pause);
      pause = Math.min(2 * pause, LONGEST_PAUSE_S);
    }
  }
}

async function standBy(state, text) {
  idle = true;
  show(state, text);
  await new Promise((resolve) => (wake = resolve));
  idle = false;
}

async function askForToken() {
  const wrong = sessionStorage.getItem(TOKEN) !== null;
  element.login.hidden = false;
  element.switch.hidden = true;
  element.token.focus();
  await standBy("refused", wrong ? "This is not the server's token" : "This server asks for its token");
  element.login.hidden = true;
  element.switch.hidden = false;
}

async function countDown(state, text, seconds) {
  show(state, `${text}. Trying again in ${seconds} s`);
  let timer;
  await new Promise((resolve) => {
    wake = resolve;
    timer = setTimeout(resolve, 1000 * seconds);
  });
  clearTimeout(timer);
  if (attempt.signal.aborted) await standBy("stopped", "Disconnected");
}

/** One session, from the offer to its end, whose reason is raised. */
async function visit({ signal }, onPlaying) {
  const token = sessionStorage.getItem(TOKEN);
  const ending = new AbortController();
  try {
    session = await connect({
      url: ENDPOINT,
      token,
      video: element.video,
      path: PATH,
      signal,
      onFrame: takeFrame,
      onFeedback: showFeedback,
    });
    onPlaying();
    const why = session.fallback ? `${PATHS[session.path]}: ${session.fallback}` : PATHS[session.path];
    show("playing", `Connected as client ${session.client}`, why);
    const fed = readFeed(FEED, token, ending.signal, onLine).then(() => new Error("the server has ended"));
    throw await Promise.race([session.closed, fed]);
  } finally {
    ending.abort();
    session?.close();
    session = null;
    shown.clear();
    rows = [];
    showNothing();
  }
}

function onLine(line) {
  if (line.type === "scene") {
    scene = line;
    return;
  }
  rows = line.rows;
  showNetwork(line.impairment);
  measured.add(rows, performance.now() / 1000);
}

/** Which network the server emulates; null is none. */
function showNetwork(words) {
  element.network.hidden = !words;
  if (words && element.network.textContent !== words) element.network.textContent = words;
}

function takeFrame(frame) {
  element.seen.value = frame.seen;
  element.answered.value = frame.answered;
  shown.add(frame);
}

function drawFrame(frame, picture) {
  if (picture) drawPicture(element.picture, picture);
  if (!frame) {
    clear(element.overlay);
    return;
  }
  const { number, found, width, height } = frame;
  const expected = scene && number !== null ? truth(scene, number) : null;
  element.video.style.aspectRatio = `${width} / ${height}`;
  drawOverlay(element.overlay, { width, height }, found, expected, scene?.radius ?? 20);
}

function showNothing() {
  clear(element.picture);
  clear(element.overlay);
  showClients(element.clients, rows);
  for (const name of ["latency", "late", "error", "held", "gap", "share"]) element[name].value = figure(null);
  for (const name of ["seen", "answered"]) element[name].value = 0;
}

function showFeedback({ latency_ms, detection_error_px }) {
  if (paused) return;
  element.latency.value = figure(latency_ms, 1);
  element.error.value = figure(detection_error_px, 3);
}

function showMeasured() {
  if (!session || document.hidden || paused) return;
  const all = rows.map((row) => ({ ...row, ...measured.controlled(row.client, scene) }));
  const own = all.find(({ client }) => client === session.client);
  element.late.value = figure(own?.latency_ms_p95, 1);
  element.held.value = figure(own?.held_error_px, 2);
  element.gap.value = figure(own?.longest_gap_ms, 0);
  element.share.value = figure(own?.answered_percent, 1);
  showClients(element.clients, all, session.client);
  plots.draw();
}

element.switch.addEventListener("click", () => {
  if (!idle) attempt.abort(new Error("left"));
  wake();
});
element.login.addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(TOKEN, element.token.value);
  wake();
});
element.pause.addEventListener("click", () => {
  paused = !paused;
  element.pause.setAttribute("aria-pressed", paused);
  element.plots.classList.toggle("paused", paused);
});
element.download.addEventListener("click", () => measured.download());
addEventListener("pagehide", () => {
  const reason = new Error("the page was left");
  if (session) session.close(reason);
  else if (!idle) attempt.abort(reason);
});
setInterval(showMeasured, DRAW_MS);
run();
