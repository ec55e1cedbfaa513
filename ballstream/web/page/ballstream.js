// Take part in a ballstream from a web page: watch the video, answer, hear how good that was.
//
//     import { connect } from "./ballstream.js";
//     const session = await connect({ url: "whep", onFrame: ({ number, found }) => console.log(number, found) });
//
// Frames go one of two ways, chosen by what the browser has:
//
// * "processor": a worker reads them as they are decoded (`MediaStreamTrackProcessor`) and answers
//   on the datachannel, which was handed to it. Nothing waits for the screen, or for the page.
// * "callback": the page reads them as they are shown (`requestVideoFrameCallback`).

import { Callback } from "./callback.js";
import { PathFailure, Processor } from "./processor.js";
import { Session } from "./session.js";
import { play, Refused } from "./whep.js";

export { Refused };

const OWN_DETECTOR = new URL("detect.js", import.meta.url);

/**
 * @typedef {object} Frame what became of one frame
 * @property {number|null} number read from the frame's stamp
 * @property {{x: number, y: number}|null} found the ball's centre, in pixels
 * @property {number} width of the picture, in pixels
 * @property {number} height of the picture, in pixels
 * @property {number} detectMs that the detector took
 * @property {number} seen frames looked at in this session
 * @property {number} answered answers sent in this session
 * @property {number} [rtpTimestamp] by which `requestVideoFrameCallback` names the frame shown
 */

/**
 * @typedef {object} Feedback how the server sees this client; medians of its recent answers
 * @property {number} answered
 * @property {number|null} detection_error_px
 * @property {number|null} latency_ms
 */

/**
 * @typedef {object} Options
 * @property {string|URL} url the server's WHEP endpoint, `http://host:port/whep`
 * @property {string|null} [token] the server's, if it asks for one
 * @property {string|URL} [detector] a module that exports `detect(picture)`, which gives `{x, y}` in
 *   pixels, (0, 0) being the centre of the top left one, or null, or a promise of either; `picture`
 *   is a `Picture` of picture.js. It is imported where the frames are read: in a worker, if it can
 *   be, and may take a minute to load. Without one, the blue ball is looked for.
 * @property {HTMLVideoElement} [video] where to show the stream
 * @property {"processor"|"callback"} [path] to take, where it can be taken
 * @property {AbortSignal} [signal] ends the attempt, and the session
 * @property {(frame: Frame) => void} [onFrame] hears of every frame that was looked at
 * @property {(feedback: Feedback) => void} [onFeedback] hears the server, about twice a second
 */

/** Why the processor's path cannot be taken on this page, once that is known. */
let refusal = null;

/**
 * Connect to a server; resolves once the first frame was looked at.
 *
 * Where the faster path fails, the other one is taken: `session.path` says which it became, and
 * `session.fallback` why it is not the faster. A session is not renewed: await `session.closed`.
 *
 * Rejects with `Refused` where the server says no (`status` as in HTTP), with a TypeError where it
 * cannot be reached, with an Error where no video comes, and with the signal's reason.
 *
 * @param {Options} options
 * @returns {Promise<Session>}
 */
export function connect(options) {
  const attempt = attemptTo(options);
  if (!options.signal) return attempt;
  return Promise.race([attempt, aborted(options.signal)]);
}

async function attemptTo(options) {
  if (options.path !== "callback" && refusal === null) {
    try {
      const session = await open(options, Processor, null);
      session.closed.then(remember);
      return session;
    } catch (error) {
      if (!remember(error)) throw error;
    }
  }
  return open(options, Callback, options.path === "callback" ? null : refusal);
}

function remember(error) {
  if (!(error instanceof PathFailure)) return false;
  refusal = error.message;
  return true;
}

async function open({ url, token, detector = OWN_DETECTOR, video, signal, ...events }, Path, fallback) {
  signal?.throwIfAborted();
  const path = await Path.start(new URL(detector, location.href).href, video);
  const session = new Session(path, fallback, events);
  signal?.addEventListener("abort", () => session.close(signal.reason));
  try {
    const call = await play(url, token, signal, (...parts) => path.attach(...parts, session));
    session.joined(call, video ?? path.video);
    await session.begun;
  } catch (error) {
    session.close(error);
    throw error;
  }
  return session;
}

function aborted(signal) {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener("abort", () => reject(signal.reason));
  });
}
