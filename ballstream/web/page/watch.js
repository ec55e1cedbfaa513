// Looks at every frame that is shown, finds the ball in it, and answers.

import { Detector } from "./detect.js";
import { readStamp, ROWS, WIDTH } from "./stamp.js";

const MOST_BUFFERED = 16 * 1024;

/**
 * Watch a video until `signal` aborts, and send an estimate for each frame over `channel`.
 * `onFrame` is told of the frame's number, the place found, and how many frames were shown.
 */
export function watch(video, channel, signal, onFrame) {
  const context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const read = (left, top, width, height) => context.getImageData(left, top, width, height);
  const detector = new Detector();
  let [answered, before] = [0, null];

  function look(_, { presentedFrames, width, height }) {
    if (signal.aborted) return;
    video.requestVideoFrameCallback(look);
    before ??= presentedFrames - 1;
    const started = performance.now();
    if (context.canvas.width !== width || context.canvas.height !== height) {
      Object.assign(context.canvas, { width, height });
    }
    context.drawImage(video, 0, 0, width, height);
    const number = readStamp(read(0, height - ROWS, WIDTH, ROWS));
    const found = detector.find(read, width, height - ROWS);
    const detectMs = performance.now() - started;
    if (channel.readyState === "open" && channel.bufferedAmount < MOST_BUFFERED) {
      channel.send(estimate(number, found, detectMs));
      answered++;
    }
    onFrame({ number, found, width, height, presented: presentedFrames - before, answered });
  }

  video.requestVideoFrameCallback(look);
}

function estimate(frame, found, detectMs) {
  return JSON.stringify({
    type: "estimate",
    frame,
    x: found?.x ?? null,
    y: found?.y ?? null,
    detect_ms: Math.round(detectMs * 1000) / 1000,
  });
}
