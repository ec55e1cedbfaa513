// A WHEP player (draft-ietf-wish-whep) that opens its datachannel in the same offer.

const GATHERING_MS = 2000;

/** The server said no. */
export class Refused extends Error {
  /**
   * @param {number} status as in HTTP
   * @param {string} detail in the server's words
   * @param {number|null} retryAfter seconds after which to try again, if it says so
   */
  constructor(status, detail, retryAfter = null) {
    super(detail);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/**
 * Post an offer to `endpoint`. `attach` gets the video's track and the channel `coordinates` in the
 * turn in which they are made. Gives the connection, the video's stream, the number by which the
 * server shows us, and `close`.
 */
export async function play(endpoint, token, signal, attach) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const options = await fetch(endpoint, { method: "OPTIONS", headers, signal });
  const connection = new RTCPeerConnection({ iceServers: iceServers(options.headers.get("Link")) });
  try {
    const { receiver } = connection.addTransceiver("video", { direction: "recvonly" });
    receiver.jitterBufferTarget = 0; // the newest frame counts, not a smooth picture
    // Before the offer: what is there when it is made is settled with it.
    const channel = connection.createDataChannel("coordinates", {
      ordered: false,
      maxRetransmits: 0,
      protocol: "ballstream.v1",
    });
    attach(receiver.track, channel);
    await connection.setLocalDescription();
    await gathered(connection);
    signal?.throwIfAborted();
    // Not ended by the signal: the session that the server makes would be one that nobody can end.
    const response = await fetch(endpoint, {
      method: "POST",
      headers: { ...headers, "Content-Type": "application/sdp" },
      body: connection.localDescription.sdp,
    });
    if (response.status !== 201) throw await refusal(response);
    const session = new URL(response.headers.get("Location"), response.url);
    /** Say goodbye; `keepalive`, so that it also goes out from a page that is being left. */
    const close = () => {
      fetch(session, { method: "DELETE", headers, keepalive: true })
        .catch(() => {})
        .finally(() => connection.close());
    };
    try {
      await connection.setRemoteDescription({ type: "answer", sdp: await response.text() });
    } catch (error) {
      close();
      throw error;
    }
    return {
      connection,
      stream: new MediaStream([receiver.track]),
      client: Number(response.headers.get("Ballstream-Client")),
      close,
    };
  } catch (error) {
    connection.close();
    throw error;
  }
}

async function refusal(response) {
  const { detail } = await response.json().catch(() => ({}));
  const retryAfter = Number(response.headers.get("Retry-After")) || null;
  return new Refused(response.status, detail ?? response.statusText, retryAfter);
}

function gathered(connection) {
  return new Promise((resolve) => {
    const check = () => connection.iceGatheringState === "complete" && resolve();
    connection.addEventListener("icegatheringstatechange", check);
    setTimeout(resolve, GATHERING_MS); // with what there is by then
    check();
  });
}

/** The servers in `Link` header fields (RFC 8288) with the relation `ice-server`. */
function iceServers(links) {
  return [...(links ?? "").matchAll(/<([^>]*)>((?:\s*;\s*[\w-]+="(?:[^"\\]|\\.)*")*)/g)]
    .map(([, urls, rest]) => {
      const parameters = Object.fromEntries(
        [...rest.matchAll(/([\w-]+)="((?:[^"\\]|\\.)*)"/g)].map(([, name, value]) => [
          name,
          value.replace(/\\(.)/g, "$1"),
        ]),
      );
      return { urls, ...parameters };
    })
    .filter(({ rel }) => rel === "ice-server")
    .map(({ urls, username, credential }) => (username ? { urls, username, credential } : { urls }));
}
