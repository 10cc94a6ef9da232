// What kindlytest run would say of what has happened, and the way to the checks.

import { call } from "./api.js";
import { el } from "./dom.js";
import { href } from "./route.js";

let offered = null; // a promise of the checks by their IDs
let tell;
const heard = new Promise((resolve) => { tell = resolve; });

// hear learns from the mock's health whether it offers checks.
export function hear(health) {
  document.body.classList.toggle("unchecked", health.checks !== true);
  tell(health.checks === true);
}

async function rules() {
  if (!(await heard)) return new Map();
  offered ??= call("/mock/v1/checks").then(({ areas }) => new Map((areas ?? []).flatMap((a) => a.checks.map((c) => [c.id, c]))));
  return offered.catch(() => {
    offered = null; // it may come back
    return new Map();
  });
}

// checkID is the ID of a check, which leads to it where the mock offers checks.
export function checkID(id) {
  const code = el("code", {}, id);
  rules().then((all) => {
    if (all.has(id)) code.replaceChildren(el("a", { href: "/checks" + href("check", id), title: "Check it" }, id));
  });
  return code;
}

// advice is a section about checks that would fail; null without any.
export function advice(ids) {
  if (!ids?.length) return null;
  return el("section", {}, el("h2", {}, "What kindlytest run would say"), el("ul", { class: "violations" }, ids.map((id) => {
    const item = el("li", { "data-level": "MUST" }, el("p", {}, checkID(id)), el("p", { class: "note" }, "kindlytest explain " + id));
    rules().then((all) => {
      const rule = all.get(id);
      if (!rule) return;
      item.dataset.level = rule.level;
      item.replaceChildren(
        el("p", {}, checkID(id), " ", el("span", { class: "level" }, rule.level), " ", rule.broken || rule.requirement),
        el("p", {}, rule.consequence), el("dl", { class: "facts" }, el("dt", {}, "Fix"), el("dd", {}, rule.help)));
    });
    return item;
  })));
}
