// The other path: the page itself looks at each frame that is shown.

import { Answers, loadDetector } from "./answers.js";
import { lumaOfRgb, pictureOfRgb } from "./picture.js";
import { readStamp, ROWS, WIDTH } from "./stamp.js";

export class Callback {
  name = "callback";
  sleepsHidden = true; // a browser shows no frames on a page that nobody sees
  #detect;
  #channel = null;
  #context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });

  /** Import the detector; raises an Error where it or the browser is not up to it. */
  static async start(detector, video = newVideo()) {
    if (!("requestVideoFrameCallback" in video)) {
      throw new Error("this browser cannot say which frame it shows (requestVideoFrameCallback): use a newer one");
    }
    return new Callback(await loadDetector(detector), video);
  }

  constructor(detect, video) {
    this.#detect = detect;
    this.video = video;
  }

  attach(track, channel, session) {
    this.#channel = channel;
    channel.onopen = () => session.opened();
    channel.onclose = () => session.close(new Error("the server closed the connection"));
    channel.onmessage = ({ data }) => session.heard(data);
    const answers = new Answers(channel, this.#detect);
    const look = async (_, frame) => {
      if (this.#channel === null) return;
      this.video.requestVideoFrameCallback(look);
      session.looked({ ...(await this.#answer(answers, frame)), rtpTimestamp: frame.rtpTimestamp });
    };
    this.video.requestVideoFrameCallback(look);
  }

  #answer(answers, { width, height, receiveTime }) {
    const { canvas } = this.#context;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    this.#context.drawImage(this.video, 0, 0, width, height);
    const read = (top, columns, rows) => this.#context.getImageData(0, top, columns, rows).data;
    const number = readStamp(lumaOfRgb(read(height - ROWS, WIDTH, ROWS)), WIDTH);
    return answers.answer(number, pictureOfRgb(read(0, width, height), width, height), receiveTime);
  }

  close() {
    this.#channel = null;
  }
}

function newVideo() {
  return Object.assign(document.createElement("video"), { muted: true, playsInline: true });
}
