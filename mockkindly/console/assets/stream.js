// The journal as it happens: Server-Sent Events, read with fetch, because
// EventSource cannot send an Authorization header.

import { hear } from "./advice.js";
import { ask, open } from "./api.js";
import { isCurrent, see, stateOf } from "./state.js";

const SILENCE = 45_000; // the mock sends a heartbeat every 15 s

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

// keep reads a stream for ever, again when it breaks off. path(health, isOther) names
// it; isOther when another mock has taken the old one's place. It calls
// onOpen(state), onMessage(name, id, data), onState("connecting" | "live" | "lost" |
// "unauthorized"), and onHealth(health).
async function keep({ path, onOpen = () => {}, onMessage, onState, onHealth = () => {} }) {
  let boot;
  let pause = 250;
  for (;;) {
    onState("connecting");
    try {
      const { value: health, state } = await ask("/mock/v1/health");
      hear(health);
      onHealth(health);
      const at = path(health, state.boot !== boot);
      boot = state.boot;
      await read(at, (...message) => {
        pause = 250;
        onMessage(...message);
      }, (state) => {
        onOpen(state);
        if (state.boot === boot) onState("live");
        return state.boot === boot;
      });
      onState("lost");
    } catch (e) {
      onState(e.status === 401 ? "unauthorized" : "lost");
      if (e.status === 401) await new Promise((go) => document.addEventListener("authorized", go, { once: true }));
    }
    await sleep(pause);
    pause = Math.min(pause * 2, 5000);
  }
}

// follow reads the journal for ever: from its beginning, or from the present if
// tail is set; again so when another mock takes the old one's place. It calls
// onEvent(event), onChat(chat) before the events of a chat, onMissed(n), and what
// keep calls.
export function follow({ tail = false, onEvent, onChat, onMissed, onState, onHealth }) {
  let last = 0;
  let of = null; // the state that what comes belongs to
  return keep({
    path(health, isOther) {
      if (isOther) last = tail ? health.events : 0;
      return `/mock/v1/stream?after=${last}${onChat ? "&chats=true" : ""}`;
    },
    onOpen(state) { of = state; },
    onMessage(name, id, data) {
      if (name === "reset") of = see(data?.state ?? "");
      else if (!isCurrent(of)) return; // on its way when all was forgotten
      else if (name === "gap") onMissed(data?.dropped ?? 0);
      else if (name === "chat" && data) onChat?.(data);
      else if (name === "message" && data) onEvent(data);
      if (id > last) last = id;
    },
    onState, onHealth,
  });
}

// followChecks reads how the newest run of checks gets on: onBegin(run), onCheck(row)
// for each of its rows from the first on, onRun(run) when it has changed.
export function followChecks({ onBegin, onCheck, onRun, onState, onHealth }) {
  return keep({
    path: () => "/mock/v1/checks/stream",
    onMessage(name, id, data) {
      if (!data) return;
      if (name === "begin") onBegin(data);
      else if (name === "check") onCheck(data);
      else if (name === "run") onRun(data);
    },
    onState, onHealth,
  });
}

// read calls onOpen with the state of the answer, and goes on if that says so.
async function read(path, onMessage, onOpen) {
  const abort = new AbortController();
  let watch;
  const alive = () => {
    clearTimeout(watch);
    watch = setTimeout(() => abort.abort(), SILENCE);
  };
  alive();
  try {
    const answer = await open(path, { signal: abort.signal });
    if (!onOpen(stateOf(answer))) return;
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
