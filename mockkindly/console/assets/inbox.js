// The inbox: chats and users, as a team sees them in Kindly.

import { ApiError, call } from "./api.js";
import { attr, el, frame, text, wide } from "./dom.js";
import { Chats, nameOf } from "./chats.js";
import { ChatView, eventsOf } from "./chatview.js";
import { ago, count } from "./format.js";
import { listen } from "./keys.js";
import { List } from "./list.js";
import { card } from "./people.js";
import { howToBegin, section } from "./parts.js";
import * as route from "./route.js";
import { follow } from "./stream.js";
import { TopBar } from "./topbar.js";

const KEYS = [["j ↓", "the next"], ["k ↑", "the one before"], ["Enter", "open it"], ["Esc", "back to the list"], ["/", "filter"], ["u", "chats or users"]];

const $ = (id) => document.getElementById(id);

const bar = new TopBar($("top"), KEYS);
const chats = new Chats();
const view = new ChatView();
let users = [];
let tab = "chat"; // or "user"
let shown = [];
let skew = 0; // the mock's clock minus ours, ms
let current = { view: "", id: "" };
let abort = new AbortController();

const now = () => Date.now() + skew;
const beginning = howToBegin();

// --- the list

const list = new List($("list"), {
  get length() { return shown.length; },
  at: (i) => shown[i],
  key: (line) => tab + " " + (tab === "chat" ? line.id : line.sub),
  // Time alone changes a row too.
  version: (line) => (tab === "chat" ? `${line.drawing} ${isExpired(line)} ${ago(line.at, now())}` : line),
  create: () => el("div", { class: "row" }, ["name", "badge", "when", "what"].map((c) => el("span", { class: c }))),
  fill: (row, line) => (tab === "chat" ? fillChat(row, line) : fillUser(row, line)),
  pick: (line) => open(tab, tab === "chat" ? line.id : line.sub, true),
});

const isExpired = (line) => line.authenticated && line.expires <= now();

function fillChat(row, line) {
  const [name, badge, when, what] = row.children;
  const expired = isExpired(line);
  text(name, nameOf(line.authenticated ? line.user : null));
  text(badge, line.refused && !line.authenticated ? "refused" : expired ? "expired" : line.marked ? "marked" : line.authenticated ? "authenticated" : "anonymous");
  attr(badge, "data-mood", line.refused && !line.authenticated ? "bad" : expired || line.marked ? "warn" : line.authenticated ? "good" : "");
  attr(badge, "title", line.marked ? "Kindly takes the token, but it is unsafe or shown wrongly" : "");
  text(when, ago(line.at, now()));
  text(what, (line.unread ? `${line.unread.toLocaleString("en")} new · ` : "") + (line.preview || line.page || line.id));
}

function fillUser(row, user) {
  const [name, badge, when, what] = row.children;
  text(name, nameOf(user));
  text(badge, count(user.chats ?? 0, "chat"));
  attr(badge, "data-mood", "");
  text(when, ago(Date.parse(user.last_seen), now()));
  text(what, (user.contacts ?? []).filter((c) => c.field === "email" || c.field === "phone_number").map((c) => c.value).filter(Boolean).join(", ") || user.sub);
}

const refresh = frame(() => {
  const words = search.value;
  const before = shown;
  shown = tab === "chat" ? chats.snapshot(words) : users.filter((u) => JSON.stringify(u).toLowerCase().includes(words.trim().toLowerCase()));
  list.grown(tab === "chat" ? Math.max(0, shown.length - before.length) : 0);
  const all = tab === "chat" ? chats.size : users.length;
  text($("foot"), (shown.length === all ? "" : shown.length.toLocaleString("en") + " of ") + count(all, tab));
  $("list").classList.toggle("nothing", shown.length === 0);
  beginning.hidden = chats.size > 0;
  attr($("list"), "data-nothing", all === 0 ? (tab === "chat" ? "No chats yet." : "No users yet: nobody is authenticated.") : "Nothing passes the filter.");
});

const search = el("input", { type: "search", placeholder: "Filter: name, e-mail, page, refused, marked", "aria-label": "Filter", autocomplete: "off", spellcheck: "false",
  input: () => { narrowed(); list.toTop(); }, keydown: (e) => e.key === "Enter" && $("list").focus() });
const tabs = el("div", { class: "chips", role: "group", "aria-label": "What to list" }, [["chat", "Chats"], ["user", "Users"]].map(([name, label]) =>
  el("button", { type: "button", "data-tab": name, "aria-pressed": String(name === "chat"), click: () => switchTo(name) }, label)));
$("tools").append(el("div", { class: "line" }, search), tabs);
$("foot").before(beginning);

function narrowed() {
  refresh();
  route.go(route.href(current.view, current.id, query()), false);
}

function query() {
  const q = new URLSearchParams();
  if (search.value.trim()) q.set("q", search.value.trim());
  return q;
}

function switchTo(name) {
  if (tab === name) return;
  tab = name;
  shown = [];
  for (const b of tabs.children) attr(b, "aria-pressed", String(b.dataset.tab === name));
  attr($("list"), "aria-label", name === "chat" ? "Chats, the newest first" : "Users");
  list.select(current.view === name ? name + " " + current.id : null);
  list.toTop();
  if (name === "user") loadUsers();
  refresh();
}

let usersAsked = 0;
async function loadUsers() {
  const mine = ++usersAsked;
  try {
    const answer = await call("/mock/v1/users?limit=500");
    if (mine !== usersAsked) return; // asked again meanwhile
    users = answer.users ?? [];
  } catch {
    return; // the stream's state tells
  }
  refresh();
  if (current.view === "user") show();
}

// --- what is selected

function open(kind, id, push) {
  route.go(route.href(kind, id, query()), push);
  followAddress();
}

function close() {
  route.go(route.href("", "", query()), false);
  followAddress();
  $("list").focus();
}

function followAddress() {
  const at = route.read();
  search.value = at.q.get("q") ?? "";
  const known = (at.view === "chat" || at.view === "user") && at.id !== "";
  current = known ? { view: at.view, id: at.id } : { view: "", id: "" };
  document.body.classList.toggle("opened", known);
  if (known) {
    if (at.view === "chat") chats.read(at.id);
    switchTo(at.view);
    const key = at.view + " " + at.id;
    list.select(key, shown.findIndex((line) => (tab === "chat" ? line.id : line.sub) === at.id));
  } else list.select(null);
  $("detail").scrollTop = 0;
  refresh();
  show();
}

// show draws what is selected. While it is looked at, it is drawn again when
// something happens; what was scrolled and opened stays.
async function show() {
  const { view: kind, id } = current;
  abort.abort();
  abort = new AbortController();
  const pane = $("detail");
  if (kind === "") return pane.replaceChildren(el("p", { class: "empty" }, "Choose a chat: j and k go through them, ? shows all keys."));
  const back = () => el("button", { type: "button", class: "plain back", click: close }, "← Back");
  try {
    const parts = kind === "chat" ? await chatParts(id, abort.signal) : userParts(id);
    if (current.id !== id || current.view !== kind) return;
    const top = pane.scrollTop, opened = [...pane.querySelectorAll("details")].map((d) => d.open);
    const same = pane.dataset.showing === kind + " " + id;
    pane.replaceChildren(back(), ...parts);
    pane.dataset.showing = kind + " " + id;
    if (same) [...pane.querySelectorAll("details")].forEach((d, i) => { d.open = opened[i] ?? d.open; });
    pane.scrollTop = same ? top : 0;
    view.life?.tick(now());
  } catch (e) {
    if (e.name === "AbortError") return;
    pane.replaceChildren(back(), el("p", { class: "empty" }, e instanceof ApiError ? e.message : "It cannot be shown: " + e.message));
  }
}

async function chatParts(id, signal) {
  const [chat, events] = await Promise.all([call("/mock/v1/chats/" + encodeURIComponent(id), { signal }), eventsOf(id, signal)]);
  return view.parts(chat, events);
}

function userParts(sub) {
  view.life = null;
  const user = users.find((u) => u.sub === sub);
  if (!user) return [el("p", { class: "empty" }, "There is no such user.")];
  return [card(user, user.contacts),
    section("Chats", el("p", {}, count(user.chats ?? 0, "chat") + ". ", user.last_chat ? el("a", { href: "#/chat/" + encodeURIComponent(user.last_chat) }, "The last one") : null))];
}

// --- what happens

let due = 0;
function soon() {
  if (due) return;
  due = setTimeout(() => { due = 0; show(); }, 250);
}

let usersDue = 0;
let isLoaded = false;

// load asks for all chats. Where it fails, the next connection tries again.
async function load() {
  isLoaded = true;
  try {
    await chats.load(refresh);
    const { events } = await call("/mock/v1/journal?kind=message.received&before=&limit=500");
    chats.recall(events ?? []);
    refresh();
  } catch {
    isLoaded = false;
  }
}

follow({
  tail: true,
  onChat(c) {
    chats.put(c);
    refresh();
  },
  onEvent(e) {
    chats.take(e, current.view === "chat" && e.chat === current.id);
    refresh();
    if (current.view === "chat" && e.chat === current.id) soon();
    if (e.kind === "token.accepted" && tab === "user" && !usersDue) usersDue = setTimeout(() => { usersDue = 0; loadUsers(); }, 500);
  },
  onHealth(health) {
    if (health.now) skew = Date.parse(health.now) - Date.now();
  },
  onMissed: load,
  onState(name) {
    bar.state(name);
    if (name === "live" && !isLoaded) load();
  },
});

document.addEventListener("forgotten", () => {
  chats.clear();
  users = [];
  refresh();
  load();
  if (tab === "user") loadUsers();
  show();
});

bar.faults.onChange = ((tell) => () => { tell(); readClock(); })(bar.faults.onChange);

// readClock asks for the mock's time: a fault may have moved it.
async function readClock() {
  try {
    const { now: theirs } = await call("/mock/v1/health");
    skew = theirs ? Date.parse(theirs) - Date.now() : 60_000 * (bar.faults.now.clock_forward_minutes ?? 0);
    view.life?.tick(now());
  } catch {
    // the stream's state tells
  }
}

setInterval(() => {
  view.life?.tick(now());
  list.render();
}, 1000);

function move(step) {
  if (shown.length === 0) return;
  const id = (line) => (tab === "chat" ? line.id : line.sub);
  const from = shown.findIndex((line) => list.selected === tab + " " + id(line));
  const i = Math.max(0, Math.min(shown.length - 1, from < 0 && step !== Infinity ? 0 : from + step));
  if (wide.matches) open(tab, id(shown[i]), false);
  list.select(tab + " " + id(shown[i]), i);
}

addEventListener("popstate", followAddress);
addEventListener("hashchange", followAddress);
followAddress();

listen({
  j: () => move(1), ArrowDown: () => move(1), k: () => move(-1), ArrowUp: () => move(-1),
  PageDown: () => move(list.page), PageUp: () => move(-list.page), Home: () => move(-Infinity), End: () => move(Infinity),
  Enter: () => { if (list.selected) { open(tab, list.selected.slice(tab.length + 1), true); $("detail").focus(); } },
  Escape: () => close(), "/": () => search.focus(), u: () => switchTo(tab === "chat" ? "user" : "chat"),
  f: () => bar.faults.open(), "?": () => bar.help(),
});
