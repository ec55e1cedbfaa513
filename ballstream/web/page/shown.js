// Which frame the video shows, and what was found in that one.

const MOST = 64;

/**
 * Calls `draw(frame, picture)` when the video shows a frame: with what was found in that one, or
 * null where that is not known (yet), and with the picture itself, where the browser names it.
 *
 * A frame is known by its RTP time stamp. Browsers compose the video apart from the page, so the
 * picture may be another by the time that the page has drawn: whoever draws both has them match.
 */
export class Shown {
  #video;
  #draw;
  #frames = new Map();
  #current;

  constructor(video, draw) {
    this.#video = video;
    this.#draw = draw;
    this.#watch();
  }

  /** Take what became of a frame: see `onFrame` in ballstream.js. */
  add(frame) {
    const { rtpTimestamp } = frame;
    if (rtpTimestamp === undefined || rtpTimestamp === this.#current) {
      this.#draw(frame, null);
      return;
    }
    this.#frames.set(rtpTimestamp, frame);
    if (this.#frames.size > MOST) this.#frames.delete(this.#frames.keys().next().value);
  }

  clear() {
    this.#frames.clear();
    this.#current = undefined;
  }

  #watch() {
    this.#video.requestVideoFrameCallback?.((_, metadata) => {
      this.#watch();
      const picture = namedPicture(this.#video);
      this.#current = picture?.metadata().rtpTimestamp ?? metadata.rtpTimestamp;
      if (this.#current !== undefined) this.#draw(this.#frames.get(this.#current) ?? null, picture);
      picture?.close();
    });
  }
}

/** The picture that a video shows, if it carries its name, or null. */
function namedPicture(video) {
  try {
    const picture = new VideoFrame(video);
    if (picture.metadata?.().rtpTimestamp !== undefined) return picture;
    picture.close();
  } catch {
    // There are browsers without, and moments without a picture.
  }
  return null;
}
