// What every peer does: it offers, plays for some seconds, answers each frame, and says what it saw.

const [url, seconds] = [process.argv[2], Number(process.argv[3])];
const seen = { frames: 0, feedback: 0 };
let say = () => {};

/** The answer to an offer, and how to leave. */
export async function exchange(sdp) {
  const response = await fetch(url, { method: "POST", headers: { "Content-Type": "application/sdp" }, body: sdp });
  const body = await response.text();
  if (response.status !== 201) throw new Error(`${response.status}: ${body}`);
  const session = new URL(response.headers.get("Location"), url);
  return { sdp: body, leave: () => fetch(session, { method: "DELETE" }) };
}

/** Tell of an open channel by what sends on it. */
export function opened(send) {
  say = send;
}

/** Tell of a frame that came, and of its number if that is known. */
export function frame(number = null) {
  seen.frames += 1;
  say(JSON.stringify({ type: "estimate", frame: number, x: 1, y: 1 }));
}

/** Tell of a message of the server's. */
export function feedback() {
  seen.feedback += 1;
}

/** Play for so long, leave, and say what was seen. */
export function finish(leave) {
  setTimeout(async () => {
    await leave();
    console.log(JSON.stringify(seen));
    process.exit(0);
  }, seconds * 1000);
}
