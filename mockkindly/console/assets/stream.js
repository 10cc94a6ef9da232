// The journal as it happens: Server-Sent Events, read with fetch, because
// EventSource cannot send an Authorization header.

import { call, open } from "./api.js";

const SILENCE = 45_000; // the mock sends a heartbeat every 15 s

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

// follow reads the journal after a number, for ever. It calls onEvent(event),
// onReset() when the mock has forgotten everything, onMissed(n), and
// onState("connecting" | "live" | "lost" | "unauthorized"), onHealth(health).
export async function follow(after, { onEvent, onReset, onMissed, onState, onHealth = () => {} }) {
  let last = after;
  let pause = 250;
  for (;;) {
    onState("connecting");
    try {
      const health = await call("/mock/v1/health");
      onHealth(health);
      if (health.events < last) {
        last = 0; // another mock has taken the old one's place
        onReset();
      }
      await read(last, (name, id, data) => {
        if (id > last) last = id;
        pause = 250;
        if (name === "reset") onReset();
        else if (name === "gap") onMissed(data?.dropped ?? 0);
        else if (name === "message" && data) onEvent(data);
      }, () => onState("live"));
      onState("lost");
    } catch (e) {
      onState(e.status === 401 ? "unauthorized" : "lost");
      if (e.status === 401) await new Promise((go) => document.addEventListener("authorized", go, { once: true }));
    }
    await sleep(pause);
    pause = Math.min(pause * 2, 5000);
  }
}

async function read(after, onMessage, onOpen) {
  const abort = new AbortController();
  let watch;
  const alive = () => {
    clearTimeout(watch);
    watch = setTimeout(() => abort.abort(), SILENCE);
  };
  alive();
  try {
    const answer = await open("/mock/v1/stream?after=" + after, { signal: abort.signal });
    onOpen();
    const parse = parser(onMessage);
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      alive();
      parse(value);
    }
  } finally {
    clearTimeout(watch);
    abort.abort();
  }
}

// parser returns a function that takes the stream piece by piece.
// Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
export function parser(onMessage) {
  let rest = "";
  let name = "", data = "", id = 0;
  const field = (line) => {
    if (line === "") {
      if (data !== "" || name !== "") onMessage(name || "message", id, decode(data));
      name = data = "";
      return;
    }
    const colon = line.indexOf(":");
    const key = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (key === "data") data += (data === "" ? "" : "\n") + value;
    else if (key === "event") name = value;
    else if (key === "id" && /^\d+$/.test(value)) id = Number(value);
  };
  return (piece) => {
    const lines = (rest + piece).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop();
    lines.forEach(field);
  };
}

function decode(data) {
  try {
    return data === "" ? null : JSON.parse(data);
  } catch {
    return null; // no event of ours
  }
}
