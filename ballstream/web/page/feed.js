// What the server tells of all clients: a line of JSON a few times a second.

/** Call `onLine` with each line's content until the feed ends or `signal` aborts it. */
export async function readFeed(url, token, signal, onLine) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const response = await fetch(url, { headers, signal });
  if (!response.ok) throw new Error(`the feed is not there (${response.status})`);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) onLine(JSON.parse(line));
  }
}
