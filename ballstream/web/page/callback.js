// The other path: the page itself looks at each frame that is shown.

import { Answers, loadDetector } from "./answers.js";
import { blueOfRgb, lumaOfRgb, Picture, redOfRgb } from "./picture.js";
import { readStamp, ROWS, WIDTH } from "./stamp.js";

export class Callback {
  name = "callback";
  sleepsHidden = true; // a browser shows no frames on a page that nobody sees
  #detect;
  #channel = null;
  #whole = newContext();
  #half = newContext(); // to read the chroma from: a quarter of the pixels, and of the time

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
      try {
        session.looked({ ...(await this.#answer(answers, frame)), rtpTimestamp: frame.rtpTimestamp });
        this.video.requestVideoFrameCallback(look); // not before: what a slow detector misses is left out
      } catch (error) {
        session.close(error);
      }
    };
    this.video.requestVideoFrameCallback(look);
  }

  #answer(answers, { width, height, receiveTime }) {
    draw(this.#whole, this.video, width, height);
    const number = readStamp(lumaOfRgb(this.#whole.getImageData(0, height - ROWS, WIDTH, ROWS).data), WIDTH);
    const halved = () => read(draw(this.#half, this.#whole.canvas, (width + 1) >> 1, (height + 1) >> 1));
    const planes = {
      y: () => lumaOfRgb(read(this.#whole)),
      u: () => blueOfRgb(halved()),
      v: () => redOfRgb(halved()),
    };
    return answers.answer(number, new Picture(width, height, (name) => planes[name]()), receiveTime);
  }

  /** Why no frames were looked at for a while. */
  async whySilent() {
    return new Error("no frames come");
  }

  close() {
    this.#channel = null;
  }
}

function newVideo() {
  return Object.assign(document.createElement("video"), { muted: true, playsInline: true });
}

function newContext() {
  return new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
}

/** Draw a picture in a size, which becomes the canvas's. */
function draw(context, picture, width, height) {
  const { canvas } = context;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  context.drawImage(picture, 0, 0, width, height);
  return context;
}

function read(context) {
  return context.getImageData(0, 0, context.canvas.width, context.canvas.height).data;
}
