// One session, from its offer to its end.

const CONNECT_MS = 12000;
const SILENCE_MS = 3000;
const LOOK_MS = 250;

/**
 * A session; `connect` of ballstream.js gives it. The path of its frames tells it what happens, by
 * `opened`, `looked`, `heard` and `close`, and is asked why nothing does.
 */
export class Session {
  #path;
  #events;
  #call = null;
  #video = null;
  #state = "connecting"; // then "open", "playing", "over"
  #since = performance.now();
  #begin;
  #end;
  #timer = setInterval(() => this.#check(), LOOK_MS);

  constructor(path, fallback, events) {
    this.#path = path;
    this.#events = events;
    /** Why the faster path is not taken, or null. */
    this.fallback = fallback;
    /** The number by which the server shows this client. */
    this.client = null;
    /** Resolves at the end: with null after `close()`, else with the Error that says why. */
    this.closed = new Promise((resolve) => (this.#end = resolve));
    /** Resolves with the first frame that was looked at, rejects where none comes. */
    this.begun = new Promise((...ends) => (this.#begin = ends));
    this.begun.catch(() => {}); // whoever does not wait for it hears the same from `closed`
    document.addEventListener("visibilitychange", this.#forgive);
  }

  /** The way that frames go: "processor" or "callback". */
  get path() {
    return this.#path.name;
  }

  /** End the session: say goodbye, let go of worker and video. */
  close(reason = null) {
    if (this.#state === "over") return;
    this.#state = "over";
    clearInterval(this.#timer);
    document.removeEventListener("visibilitychange", this.#forgive);
    this.#path.close();
    this.#call?.close();
    if (this.#video) this.#video.srcObject = null;
    this.#begin[1](reason);
    this.#end(reason);
  }

  /** The server has answered; `video` is to show what comes. */
  joined(call, video) {
    if (this.#state === "over") {
      call.close();
      return;
    }
    this.#call = call;
    this.client = call.client;
    call.connection.addEventListener("connectionstatechange", () => {
      if (call.connection.connectionState === "failed") this.close(new Error("the network path broke"));
    });
    if (!video) return;
    this.#video = video;
    video.srcObject = call.stream;
    video.play().catch(() => {}); // muted, so that no browser minds; if it does, frames lack
  }

  opened() {
    if (this.#state === "connecting") this.#state = "open";
    this.#since = performance.now();
  }

  looked(frame) {
    if (this.#state === "over") return;
    tell(this.#events.onFrame, frame);
    if (this.#state === "connecting") return; // nothing can be answered yet
    this.#state = "playing";
    this.#since = performance.now();
    this.#begin[0]();
  }

  heard(text) {
    const message = parsed(text);
    if (message?.type === "feedback") tell(this.#events.onFeedback, message);
  }

  /** A page that was hidden has seen nothing meanwhile. */
  #forgive = () => (this.#since = performance.now());

  #check() {
    const waited = performance.now() - this.#since;
    if (this.#state === "connecting") {
      if (waited > CONNECT_MS) this.#explainNoChannel();
    } else if (waited > SILENCE_MS && !(this.#path.sleepsHidden && document.hidden)) {
      this.#explainSilence();
    }
  }

  /** The channel's opening is heard by whoever looks at the frames, which may begin before it. */
  async #explainNoChannel() {
    clearInterval(this.#timer);
    const { connection } = this.#call;
    const isThere = connection.connectionState === "connected";
    this.close(isThere ? await this.#path.whySilent(connection, true) : new Error("no path for the video: is UDP blocked?"));
  }

  async #explainSilence() {
    clearInterval(this.#timer);
    this.close(await this.#path.whySilent(this.#call.connection, this.#state === "playing"));
  }
}

/** Call a handler of somebody else's: what it raises is said in the console, and ends nothing here. */
function tell(handler, value) {
  try {
    handler?.(value);
  } catch (error) {
    reportError(error);
  }
}

/** A message of the server's, or null where it is none that can be read. */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
