// The keyboard, and the dialog that explains it.

import { el, typing } from "./dom.js";
import { dialog } from "./dialog.js";

// listen calls actions[key]() for a key that is not meant for a field.
export function listen(actions) {
  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.isComposing || document.querySelector("dialog[open]")) return;
    if (typing(e)) {
      if (e.key === "Escape") e.target.blur();
      return;
    }
    // A button or link that has the focus keeps Enter and the space bar.
    if ((e.key === "Enter" || e.key === " ") && e.target.closest?.("a, button, summary, input")) return;
    if (scrolls(e)) return;
    const action = actions[e.key];
    if (!action) return;
    e.preventDefault();
    action();
  });
}

// scrolls: within the detail the arrows scroll it.
const scrolls = (e) => e.key !== "Escape" && !/^[a-z?/]$/i.test(e.key) && e.target.closest?.(".detail") && true;

// help explains the keys; more is shown below them.
export function help(rows, more) {
  const d = dialog("Keyboard",
    el("dl", { class: "keys" }, rows.map(([keys, what]) => [
      el("dt", {}, keys.split(" ").map((k) => el("kbd", {}, k))),
      el("dd", {}, what),
    ])), more);
  d.showModal();
}
