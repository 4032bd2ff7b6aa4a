// What the worker is asked, and how it is told who asks.

import { exactly } from "./numbers.js";

const TOKEN = "ladder.token";

/** An answer that is a problem (RFC 9457). `status` is 0 when nobody answered. */
export class Problem extends Error {
  constructor(status, detail, body = {}) {
    super(detail);
    this.status = status;
    this.body = body;
  }
}

// The token lives as long as the tab: it is not written to where it would outlive it.
export const token = {
  get: () => { try { return sessionStorage.getItem(TOKEN); } catch { return null; } },
  set: (value) => { try { value ? sessionStorage.setItem(TOKEN, value) : sessionStorage.removeItem(TOKEN); } catch { /* private mode */ } },
};

function headers(more = {}) {
  const given = token.get();
  return given ? { ...more, Authorization: `Bearer ${given}` } : more;
}

async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, { ...options, headers: headers(options.headers), cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, String(error.message));
  }
  if (answer.ok) return answer;
  let body = {};
  try { body = await answer.json(); } catch { /* a proxy's own page */ }
  throw new Problem(answer.status, body.detail ?? answer.statusText, body);
}

export async function get(path, signal) {
  return exactly(await (await ask(path, { signal, headers: { Accept: "application/json" } })).text());
}

export async function getText(path) {
  return (await ask(path)).text();
}

/**
 * Server-sent events by fetch, because EventSource cannot send a token. Gives {id, event, data}
 * as they come, first of all one named "open", and ends when the worker ends the stream. Throws
 * Problem.
 */
export async function* events(path, last, signal) {
  const more = last === null ? {} : { "Last-Event-ID": last };
  const answer = await ask(path, { signal, headers: { Accept: "text/event-stream", ...more } });
  yield { event: "open" };
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let event = {};
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split(/\r\n|\n|\r/);
    rest = lines.pop();
    for (const line of lines) {
      if (line === "") {
        if (event.data !== undefined) yield event;
        event = {};
      } else if (!line.startsWith(":")) {
        const [name, text] = field(line);
        if (name === "data" && event.data !== undefined) event.data += `\n${text}`;
        else event[name] = text;
      }
    }
  }
}

function field(line) {
  const colon = line.indexOf(":");
  if (colon < 0) return [line, ""];
  return [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, "")];
}
