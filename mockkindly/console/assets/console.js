// The debug console: the journal, live, and one event in detail.

import { attr, el, frame, text, wide } from "./dom.js";
import { filter, groups, summary } from "./events.js";
import { clockTime, count, duration } from "./format.js";
import { listen } from "./keys.js";
import { List } from "./list.js";
import * as route from "./route.js";
import { Store } from "./store.js";
import { follow } from "./stream.js";
import { Detail } from "./detail.js";
import { howToBegin } from "./parts.js";
import { TopBar } from "./topbar.js";

const KEYS = [
  ["j ↓", "the next event"], ["k ↑", "the one before"], ["Enter", "open it"], ["Esc", "back to the list"],
  ["g", "to the newest"], ["/", "filter"], ["p", "pause"], ["r", "resend"], ["c", "copy as curl"],
];

const $ = (id) => document.getElementById(id);

const bar = new TopBar($("top"), KEYS);
const store = new Store();
const detail = new Detail($("detail"), { back: () => close(), open: (seq) => open(seq, true) });
let stream = "connecting";
let paused = false;
const beginning = howToBegin();
let waiting = []; // lines that came since the last frame, or since the pause
let missed = 0;
let group = "all";

// --- the list

const list = new List($("list"), {
  get length() { return store.length; },
  at: (i) => store.at(i),
  key: (line) => line.seq,
  create: () => el("div", { class: "row" }, ["at", "badge", "title", "note", "ms"].map((c) => el("span", { class: c }))),
  fill(row, line) {
    const [at, badge, title, note, ms] = row.children;
    text(at, clockTime(line.at));
    text(badge, line.badge);
    attr(badge, "data-mood", line.mood);
    text(title, line.title);
    text(note, line.note);
    attr(note, "data-token", String(line.token ?? ""));
    text(ms, line.ms === undefined ? "" : duration(line.ms));
  },
  pick: (line) => open(line.seq, true),
});

const flush = frame(() => {
  if (!paused && waiting.length) {
    const lines = waiting;
    waiting = [];
    list.grown(store.add(lines));
  }
  showFoot();
});

function showFoot() {
  const n = store.length, all = store.all.length;
  let words = n === all ? count(n, "event") : `${n.toLocaleString("en")} of ${count(all, "event")}`;
  if (paused) words += `, ${waiting.length.toLocaleString("en")} more since the pause`;
  if (missed) words += `, ${missed.toLocaleString("en")} missed`;
  text($("foot"), words);
  beginning.hidden = all > 0;
  $("list").classList.toggle("nothing", n === 0);
  attr($("list"), "data-nothing", all === 0 ? "Nothing has happened yet." : "Nothing passes the filter.");
}

follow({
  onEvent(e) {
    waiting.push(summary(e));
    if (waiting.length > 150_000) waiting.splice(0, 50_000); // a pause over night
    flush();
  },
  onHealth(health) {
    detail.canSign = health.can_sign !== false;
  },
  onMissed(n) {
    missed += n;
    flush();
  },
  onState(name) {
    stream = name;
    bar.state(paused && name === "live" ? "paused" : name);
  },
});

document.addEventListener("forgotten", () => {
  waiting = [];
  missed = 0;
  store.clear();
  flush();
  unselect(); // another event may have its number
  route.go(route.href("", "", query()), false);
  list.toTop();
});

// --- filter and pause

const search = el("input", { type: "search", placeholder: "Filter: 500 order -accepted", "aria-label": "Filter", autocomplete: "off", spellcheck: "false",
  input: () => narrow(), keydown: (e) => e.key === "Enter" && $("list").focus() });
const chips = el("div", { class: "chips", role: "group", "aria-label": "Kinds" },
  groups.map(([name, label]) => el("button", { type: "button", "data-group": name, "aria-pressed": "false", click: () => { group = name; narrow(); } }, label)));
const pauseButton = el("button", { type: "button", class: "plain pause", "aria-pressed": "false", click: () => pause() }, "Pause");
$("tools").append(el("div", { class: "line" }, search, pauseButton), chips);
$("foot").before(beginning);

function narrow(keepAddress = false) {
  const all = search.value.trim() === "" && group === "all";
  store.narrow(all ? null : filter(search.value, group));
  for (const chip of chips.children) attr(chip, "aria-pressed", String(chip.dataset.group === group));
  list.toTop();
  showFoot();
  if (keepAddress) return;
  const now = route.read();
  route.go(route.href(now.view, now.id, query()), false);
}

function query() {
  const q = new URLSearchParams();
  if (search.value.trim()) q.set("q", search.value.trim());
  if (group !== "all") q.set("kind", group);
  return q;
}

function pause() {
  paused = !paused;
  attr(pauseButton, "aria-pressed", String(paused));
  text(pauseButton, paused ? "Go on" : "Pause");
  bar.state(paused && stream === "live" ? "paused" : stream);
  flush();
}

// --- the selection

function open(seq, push) {
  list.select(seq, store.indexOf(seq));
  route.go(route.href("event", seq, query()), push);
  document.body.classList.add("opened");
  detail.show(seq);
}

function close() {
  document.body.classList.remove("opened");
  route.go(route.href("", "", query()), false);
  $("list").focus();
}

function move(step) {
  if (store.length === 0) return;
  const from = list.selected === null ? -1 : store.indexOf(list.selected);
  const i = Math.max(0, Math.min(store.length - 1, from < 0 && step !== Infinity ? 0 : from + step));
  const { seq } = store.at(i);
  if (wide.matches) open(seq, false);
  list.select(seq, i);
}

function followAddress() {
  const now = route.read();
  search.value = now.q.get("q") ?? "";
  group = groups.some(([name]) => name === now.q.get("kind")) ? now.q.get("kind") : "all";
  narrow(true);
  const seq = Number(now.id);
  if ((now.view === "event" || now.view === "delivery") && Number.isInteger(seq) && seq > 0) {
    document.body.classList.add("opened");
    list.select(seq, store.indexOf(seq));
    detail.show(seq);
  } else {
    unselect();
  }
}

function unselect() {
  document.body.classList.remove("opened");
  list.select(null);
  detail.empty();
}

addEventListener("popstate", followAddress);
addEventListener("hashchange", followAddress);
followAddress();

listen({
  j: () => move(1), ArrowDown: () => move(1), k: () => move(-1), ArrowUp: () => move(-1),
  PageDown: () => move(list.page), PageUp: () => move(-list.page), Home: () => move(-Infinity), End: () => move(Infinity),
  g: () => list.toTop(),
  Enter: () => { if (list.selected !== null) { open(list.selected, true); $("detail").focus(); } },
  Escape: () => close(),
  "/": () => search.focus(), p: pause, r: () => detail.resend(), c: () => detail.curl(), f: () => bar.faults.open(), "?": () => bar.help(),
});
