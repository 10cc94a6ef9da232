// JSON in colours, as elements.

import { el } from "./dom.js";

const MAX = 60_000; // characters; more would make the page slow
const piece = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/g;

// highlighted returns the nodes of a JSON text.
export function highlighted(json) {
  if (json.length > MAX) return [json];
  const out = [];
  let end = 0;
  for (const m of json.matchAll(piece)) {
    if (m.index > end) out.push(json.slice(end, m.index));
    if (m[1] !== undefined) {
      out.push(el("span", { class: m[2] ? "j-name" : "j-string" }, m[1]));
      if (m[2]) out.push(m[2]);
    } else out.push(el("span", { class: m[3] ? "j-word" : "j-number" }, m[0]));
    end = m.index + m[0].length;
  }
  out.push(json.slice(end));
  return out;
}
