// The page's end of the faster path: frames go to a worker as they are decoded, and so does the
// datachannel.

const START_MS = 5000;
const LOAD_MS = 60_000; // a detector may bring a model
const PING_MS = 2000;

/** This path cannot be taken, though another may. */
export class PathFailure extends Error {}

export class Processor {
  name = "processor";
  sleepsHidden = false;
  #worker;
  #pong = () => {};

  /**
   * Start the worker and let it import the detector.
   * Raises PathFailure where it does not come to that.
   */
  static async start(detector) {
    const worker = startWorker();
    try {
      const { hasProcessor } = await ready(worker, detector);
      if (!hasProcessor && !("MediaStreamTrackProcessor" in self)) {
        throw new PathFailure("this browser has no MediaStreamTrackProcessor");
      }
    } catch (error) {
      worker.terminate();
      throw error;
    }
    return new Processor(worker);
  }

  constructor(worker) {
    this.#worker = worker;
  }

  /**
   * Hand over track and channel, and tell `session` what comes of it.
   * To be called in the turn in which the channel was made: later it cannot be moved.
   */
  attach(track, channel, session) {
    this.#worker.onerror = (event) => session.close(new PathFailure(`the worker failed: ${event.message}`));
    this.#worker.onmessage = ({ data }) => {
      if (data.type === "frame") session.looked(data.frame);
      else if (data.type === "message") session.heard(data.data);
      else if (data.type === "open") session.opened();
      else if (data.type === "closed") session.close(new Error("the server closed the connection"));
      else if (data.type === "pong") this.#pong();
      else session.close(new PathFailure(`the worker failed: ${data.reason}`));
    };
    try {
      const source = sourceOf(track);
      this.#worker.postMessage({ source, channel }, [source, channel]);
    } catch (error) {
      throw new PathFailure(`track and channel cannot be moved to a worker: ${error.message}`);
    }
  }

  /** Why no frames were looked at for a while; of `connection` is asked whether any came. */
  async whySilent(connection, begun) {
    if (!(await this.#awake())) return new Error("the detector does not return");
    if (begun || !(await decodes(connection))) return new Error("no frames come");
    return new PathFailure("the processor gives no frames");
  }

  /** Whether the worker does anything but look at one picture. */
  #awake() {
    return new Promise((resolve) => {
      this.#pong = () => resolve(true);
      setTimeout(() => resolve(false), PING_MS);
      this.#worker.postMessage({ ping: true });
    });
  }

  close() {
    this.#worker.terminate();
  }
}

/** What the worker reads frames from: their stream, or the track where only workers have the processor. */
function sourceOf(track) {
  if (!("MediaStreamTrackProcessor" in self)) return track.clone();
  return new MediaStreamTrackProcessor({ track, maxBufferSize: 1 }).readable;
}

function startWorker() {
  const url = new URL("worker.js", import.meta.url);
  try {
    if (url.origin === location.origin) return new Worker(url, { type: "module" });
    // Browsers start workers from the page's own origin alone, but such a one may import others.
    const script = new Blob([`import ${JSON.stringify(url.href)};`], { type: "text/javascript" });
    return new Worker(URL.createObjectURL(script), { type: "module" });
  } catch (error) {
    throw new PathFailure(`no worker can be started: ${error.message}`);
  }
}

function ready(worker, detector) {
  return new Promise((resolve, reject) => {
    const fail = (reason) => reject(new PathFailure(reason));
    let timer = setTimeout(() => fail("the worker did not start"), START_MS);
    worker.onerror = ({ message }) => fail(`the worker did not start${message ? `: ${message}` : ""}`);
    worker.onmessage = ({ data }) => {
      clearTimeout(timer);
      if (data.type === "started") timer = setTimeout(() => fail("the detector did not load"), LOAD_MS);
      else if (data.type === "ready") resolve(data);
      else fail(data.reason);
    };
    worker.postMessage({ detector });
  });
}

async function decodes(connection) {
  const report = await connection.getStats();
  return [...report.values()].some(({ type, framesDecoded }) => type === "inbound-rtp" && framesDecoded > 0);
}
