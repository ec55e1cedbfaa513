// What was seen in a picture, said on the datachannel; the same in a worker and on a page.

const MOST_BUFFERED = 16 * 1024;
const DETECTOR_MS = 2000;

/**
 * Import a detector.
 * @param {string} url of a module that exports `detect`
 */
export async function loadDetector(url) {
  const { detect } = await import(url);
  if (typeof detect !== "function") throw new Error(`${url} exports no function "detect"`);
  return detect;
}

/** Runs the detector on each picture and sends what it found. */
export class Answers {
  #channel;
  #detect;
  #seen = 0;
  #answered = 0;
  #complained = false;

  constructor(channel, detect) {
    this.#channel = channel;
    this.#detect = detect;
  }

  /**
   * Answer one picture; gives what `onFrame` is told of it.
   * @param {number|null} number from the stamp
   * @param {import("./picture.js").Picture} picture
   * @param {number} [receivedAt] when the frame's last packet came, in ms of `performance.now()`
   */
  async answer(number, picture, receivedAt) {
    const started = performance.now();
    const found = await this.#look(picture);
    const now = performance.now();
    this.#seen++;
    if (this.#channel.readyState === "open" && this.#channel.bufferedAmount < MOST_BUFFERED) {
      this.#channel.send(
        JSON.stringify({
          type: "estimate",
          frame: number,
          x: found?.x ?? null,
          y: found?.y ?? null,
          detect_ms: rounded(now - started),
          client_ms: receivedAt <= now ? rounded(now - receivedAt) : undefined,
        }),
      );
      this.#answered++;
    }
    return {
      number,
      found,
      width: picture.width,
      height: picture.height,
      detectMs: now - started,
      seen: this.#seen,
      answered: this.#answered,
    };
  }

  /** What the detector finds; where it fails, that counts as nothing found, and is said once. */
  async #look(picture) {
    try {
      const found = (await inTime(this.#detect(picture))) ?? null;
      if (found === null || (Number.isFinite(found.x) && Number.isFinite(found.y))) return found;
      throw new Error("the detector gives neither {x, y} nor null");
    } catch (error) {
      if (!this.#complained) console.error("the detector failed:", error);
      this.#complained = true;
      return null;
    }
  }
}

/** What a detector gives, which may be a promise; raises an Error where that is not kept in time. */
function inTime(found) {
  if (typeof found?.then !== "function") return found;
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${DETECTOR_MS} ms`)), DETECTOR_MS);
  });
  return Promise.race([found, late]).finally(() => clearTimeout(timer));
}

function rounded(ms) {
  return Math.round(ms * 1000) / 1000;
}
