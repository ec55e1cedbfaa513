// Takes frames from the processor and answers them; nothing of it runs on the page.
//
// In: {detector}, then {source, channel}, and {ping} at any time. Out: {type: "started"}, then "ready" with
// hasProcessor, then "open", "frame", "message" and "closed" as they happen, or "failed" with a reason, and
// "pong" for each ping.

import { Answers, loadDetector } from "./answers.js";
import { FrameReader } from "./picture.js";
import { readStamp, ROWS } from "./stamp.js";

let detect;

self.onmessage = async ({ data }) => {
  try {
    if (data.ping) postMessage({ type: "pong" });
    else if (data.detector) {
      postMessage({ type: "started" });
      detect = await loadDetector(data.detector);
      postMessage({ type: "ready", hasProcessor: "MediaStreamTrackProcessor" in self });
    } else {
      listen(data.channel);
      await watch(readableOf(data.source), new Answers(data.channel, detect));
      throw new Error("the track has ended");
    }
  } catch (error) {
    postMessage({ type: "failed", reason: error.message });
  }
};

function listen(channel) {
  channel.onopen = () => postMessage({ type: "open" });
  channel.onclose = () => postMessage({ type: "closed" });
  channel.onmessage = ({ data }) => postMessage({ type: "message", data });
}

/** The stream of frames, or of those of a track. */
function readableOf(source) {
  if (source instanceof ReadableStream) return source;
  return new MediaStreamTrackProcessor({ track: source, maxBufferSize: 1 }).readable;
}

async function watch(readable, answers) {
  const frames = readable.getReader();
  const reader = new FrameReader();
  for (;;) {
    const { done, value: frame } = await frames.read();
    if (done) return;
    const { rtpTimestamp } = frame.metadata?.() ?? {};
    const picture = await reader.read(frame);
    const number = readStamp(picture.y.subarray((picture.height - ROWS) * picture.width), picture.width);
    postMessage({ type: "frame", frame: { ...(await answers.answer(number, picture)), rtpTimestamp } });
  }
}
