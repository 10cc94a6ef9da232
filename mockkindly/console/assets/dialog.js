// A modal dialog, built on the element: it holds the focus, and Escape closes it.

import { el } from "./dom.js";

let n = 0;

export function dialog(title, ...children) {
  const id = "dialog-" + ++n;
  const d = el("dialog", { "aria-labelledby": id },
    el("header", {}, el("h2", { id }, title), el("button", { type: "button", class: "plain", "aria-label": "Close", click: () => d.close() }, "✕")),
    ...children);
  d.addEventListener("click", (e) => e.target === d && d.close()); // beside it
  d.addEventListener("close", () => d.remove());
  document.body.append(d);
  return d;
}
