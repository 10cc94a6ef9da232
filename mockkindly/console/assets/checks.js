// The checks of kindlytest run: what was found, live, and running them again.

import { ApiError, call } from "./api.js";
import { attr, el, frame, text, wide } from "./dom.js";
import { count, duration } from "./format.js";
import { listen } from "./keys.js";
import { List } from "./list.js";
import { causeKey, GROUPS, lines, merged, verdictMood, verdictWord } from "./results.js";
import { asked, causeView, checkView, resultView } from "./resultview.js";
import * as route from "./route.js";
import { followChecks } from "./stream.js";
import { TopBar } from "./topbar.js";

const KEYS = [
  ["j ↓", "the next result"], ["k ↑", "the one before"], ["Enter", "open it"], ["Esc", "back to the list"], ["/", "filter"],
  ["a", "run what is chosen above"], ["r", "run the shown one again"], ["s", "stop the run"],
];
const FAILED = "failed"; // the choice of what failed
const NONE = [];

const $ = (id) => document.getElementById(id);

const bar = new TopBar($("top"), KEYS);
let offer = null; // what can be checked
let rules = []; // of all checks, in the order of a report
let runs = []; // the newest first
let run = null; // the newest
let live = []; // its rows
let report = null; // what is known
let reported = ""; // the run that the report is as new as
let old = false; // since which the mock was restarted
let past = null; // an earlier run that is shown, with its report
let group = "all";
let shown = []; // the list's lines
let rows = new Map();
let skew = 0; // the mock's clock minus ours, ms

const isRunning = () => run?.state === "running";
const nameOf = (r) => (r ? r.id + " " + r.started : "");

// --- what is known

async function load() {
  const got = await call("/mock/v1/checks");
  offer = got;
  rules = (offer.areas ?? []).flatMap((a) => a.checks.map((c) => ({ ...c, area: a.id })));
  runs = offer.runs ?? [];
  run = runs[0] ?? null;
  offerChoices();
  await loadReport();
}

// loadReport keeps what was known, if another mock knows nothing yet.
async function loadReport() {
  reported = nameOf(run);
  try {
    report = await call("/mock/v1/checks/report");
    old = false;
  } catch (e) {
    if (e.status !== 404) throw e;
    old = report !== null;
  }
  refresh();
}

// rest tells what could not be done; the stream comes back by itself.
const rest = (e) => { if (e.status !== 401) say(e instanceof ApiError ? e.message : String(e)); };

function begin() {
  followChecks({
    onBegin(r) {
      if (nameOf(r) === nameOf(run)) live = [];
      else {
        [run, live] = [r, []];
        if (r.state === "running") say(`A run has begun: ${asked(r)}.`);
      }
      remember(r);
    },
    onCheck(row) {
      live.push(row);
      refresh();
    },
    onRun(r) {
      const ended = isRunning() && r.state !== "running";
      run = r;
      remember(r);
      if (ended) say(r.state === "stopped" ? "The run was stopped." : `${r.verdict}. ${r.sentence}`);
      if (ended || (r.state !== "running" && reported !== nameOf(r))) loadReport().catch(rest);
    },
    onHealth(health) {
      skew = Date.parse(health.now) - Date.now() || 0;
    },
    onState(name) {
      bar.state(name);
      if (name === "live" && !offer) load().then(followAddress).catch(rest);
    },
  });
}

function remember(r) {
  const i = runs.findIndex((known) => known.id === r.id);
  if (i < 0) runs = [r, ...runs].slice(0, 10);
  else runs[i] = r;
  refresh();
}

document.addEventListener("forgotten", () => {
  // Another mock, or the same one after a reset, which forgets no run.
  const wasRunning = isRunning();
  past = null;
  load().then(() => {
    if (run === null) live = [];
    if (wasRunning && run === null) say("The mock was restarted, and the run is gone.");
    draw(true);
  }).catch(rest);
});

// say tells those who don't see the page.
function say(words) {
  text($("said"), words);
}

// --- running

async function start(only) {
  if (isRunning()) return;
  try {
    await call("/mock/v1/checks/runs", { method: "POST", body: { only } });
    text(problem, "");
    past = null;
  } catch (e) {
    text(problem, "Not begun. " + e.message);
  }
}

async function stop() {
  if (!isRunning()) return;
  try {
    await call(`/mock/v1/checks/runs/${encodeURIComponent(run.id)}/stop`, { method: "POST", body: {} });
  } catch (e) {
    text(problem, "Not stopped. " + e.message);
  }
}

// again are what failed, and what could not be judged, or proves less, because of it: its
// reason points there.
function again() {
  const ids = unmended();
  const waits = (c) => (c.outcome === "skipped" && !c.deselected || c.weak) &&
    [...(c.reason ?? "").matchAll(/\(see ([A-Z0-9-]+(?:, [A-Z0-9-]+)*)\)/g)].some((m) => m[1].split(", ").some((id) => ids.includes(id)));
  return [...ids, ...(report?.checks ?? []).filter(waits).map((c) => c.id).filter((id) => !ids.includes(id))];
}

const unmended = () => (report?.checks ?? []).filter((c) => c.outcome === "failed" || c.outcome === "errored" || (report.strict && c.outcome === "warned")).map((c) => c.id);

function chosen() {
  if (scope.value === FAILED) return again();
  return scope.value === "" ? [] : [scope.value];
}

const scope = el("select", { "aria-label": "What to run, and to show", change: () => { past = null; narrow(); } });
const go = el("button", { type: "button", class: "go", click: () => start(chosen()) }, "Run");
const halt = el("button", { type: "button", hidden: true, click: stop }, "Stop");
const problem = el("p", { class: "problem", role: "alert" });
const bar2 = el("progress", { max: "1", value: "0", "aria-label": "Checks that have ended" });
const far = el("span", {});
const meter = el("div", { class: "meter", hidden: true }, bar2, far);
const search = el("input", { type: "search", placeholder: "Filter: token, hmac, HOOK-…", "aria-label": "Filter", autocomplete: "off", spellcheck: "false",
  input: () => narrow(), keydown: (e) => e.key === "Enter" && $("list").focus() });
const chips = el("div", { class: "chips", role: "group", "aria-label": "Outcomes" },
  GROUPS.map(([name, label]) => el("button", { type: "button", "data-group": name, "aria-pressed": "false", click: () => { group = name; narrow(); } }, label)));
$("tools").append(el("div", { class: "line" }, scope, go, halt), meter, problem, el("div", { class: "line" }, search), chips);

// offerChoices keeps the one that is chosen.
function offerChoices() {
  const was = scope.options.length ? scope.value : (route.read().q.get("of") ?? "");
  scope.replaceChildren(el("option", { value: "" }, "All checks"), el("option", { value: FAILED }, "What failed"),
    ...(offer.areas ?? []).map((a) => el("option", { value: a.id }, a.name)));
  scope.value = was;
  if (scope.selectedIndex < 0) scope.value = "";
}

// --- the list

const list = new List($("list"), {
  get length() { return shown.length; },
  at: (i) => shown[i],
  key: (line) => line.key,
  create: () => el("div", { class: "row" }, ["badge", "title", "note", "more"].map((c) => el("span", { class: c }))),
  fill(row, line) {
    const [badge, title, note, more] = row.children;
    attr(row, "data-kind", line.kind);
    text(badge, line.badge);
    attr(badge, "data-mood", line.mood);
    text(title, line.title);
    text(note, line.note);
    text(more, line.more);
  },
  pick: (line) => open(line.key, true),
});

const tally = (s) => [s.failed && `${s.failed} failed`, s.warned && count(s.warned, "warning"), s.errored && `${s.errored} not run`, s.passed && `${s.passed} passed`].filter(Boolean).slice(0, 2).join(", ");

// headLine is the first of the list: how it went, or how it goes.
function headLine() {
  const line = { kind: "result", key: "result", hay: "", note: "", more: "" };
  const s = run?.summary ?? {};
  if (past) return { ...line, badge: verdictWord(past.run), mood: verdictMood(past.run.verdict), title: tally(past.run.summary ?? {}), note: past.run.sentence ?? "" };
  if (isRunning()) return { ...line, badge: "running", mood: "", title: s.failed ? `${s.failed} failed so far` : "Nothing failed so far", note: (run.running ?? []).join(", ") };
  if (run?.state === "stopped") return { ...line, badge: "stopped", mood: "", title: "The run was stopped", note: report ? "Below is what was known before." : "" };
  if (run) return { ...line, badge: verdictWord(run), mood: verdictMood(run.verdict), title: tally(s), note: run.sentence ?? "" };
  if (old) return { ...line, badge: "before", mood: "warn", title: "The mock was restarted", note: "Below is what was known before." };
  return { ...line, badge: "not yet", mood: "", title: "Nothing was checked yet", note: offer?.lacks?.length ? "What to add, to judge more" : "" };
}

const refresh = frame(() => {
  if (!offer) return;
  const running = isRunning() && !past;
  const base = past ? past.report : report;
  const narrowed = running && (run.only ?? []).length > 0;
  rows = merged(rules, running && !narrowed ? [] : base?.checks ?? [], running ? live : [], running ? run.running ?? [] : []);
  const areas = scope.value === "" || scope.value === FAILED ? null : new Set([scope.value]);
  shown = lines(headLine(), causes(), rows, { group, areas, words: search.value });
  list.render();
  showRun();
  showFoot();
  draw();
});

// causes are those that are known of; a run tells its own at its end.
function causes() {
  if (past) return past.report?.causes ?? NONE;
  return isRunning() ? NONE : report?.causes ?? NONE;
}

function showRun() {
  const running = isRunning();
  const failed = unmended().length;
  const choice = scope.selectedOptions[0];
  text([...scope.options].find((o) => o.value === FAILED), failed ? `What failed (${failed})` : "What failed: nothing");
  text(go, scope.value === "" ? "Run all" : "Run");
  attr(go, "title", choice?.textContent ?? "");
  go.disabled = running || (scope.value === FAILED && failed === 0);
  go.hidden = running;
  halt.hidden = !running;
  meter.hidden = !running;
  if (!running) return;
  const s = run.summary ?? {};
  const done = ["passed", "failed", "warned", "info", "skipped", "errored", "expected"].reduce((n, k) => n + (s[k] ?? 0), 0);
  bar2.value = run.planned ? done / run.planned : 0;
  bar2.classList.toggle("failing", (s.failed ?? 0) > 0);
  text(far, `${done} of ${run.planned || rules.length} · ${duration(Math.max(0, Math.round((Date.now() + skew - Date.parse(run.started)) / 100) * 100))}`);
}

setInterval(() => isRunning() && showRun(), 500);

function showFoot() {
  const checks = shown.filter((l) => l.kind === "check").length;
  text($("foot"), checks === rows.size ? count(checks, "check") : `${checks} of ${count(rows.size, "check")}`);
  const none = shown.length <= 1 && rows.size > 0 && checks === 0;
  $("list").classList.toggle("nothing", false);
  if (none) text($("foot"), "Nothing passes the filter.");
}

function narrow(keepAddress = false) {
  for (const chip of chips.children) attr(chip, "aria-pressed", String(chip.dataset.group === group));
  list.toTop();
  refresh();
  if (keepAddress) return;
  const now = route.read();
  route.go(route.href(now.view, now.id, query()), false);
}

function query() {
  const q = new URLSearchParams();
  if (search.value.trim()) q.set("q", search.value.trim());
  if (group !== "all") q.set("show", group);
  if (scope.value) q.set("of", scope.value);
  return q;
}

// --- the selection

const detail = $("detail");
let drawn = null; // what the detail was drawn from
const actions = { back: () => close(), run: (ids) => start(ids), get busy() { return isRunning(); } };

// draw shows what is selected, anew only if it has changed: who reads has opened
// some of it.
function draw(anew = false) {
  if (!offer) return;
  const key = list.selected ?? "result";
  const { sources, parts } = view(key);
  if (!anew && drawn && drawn.key === key && drawn.sources.length === sources.length && drawn.sources.every((s, i) => s === sources[i])) return;
  const top = drawn?.key === key ? detail.scrollTop : 0;
  const had = detail.contains(document.activeElement);
  drawn = { key, sources };
  detail.replaceChildren(...parts().flat(2).filter((p) => p instanceof Node));
  detail.scrollTop = top;
  if (had) detail.focus({ preventScroll: true });
}

// view is what a key shows, and the values that it depends on.
function view(key) {
  const [kind, ...restOf] = key.split("/");
  const id = restOf.join("/");
  if (kind === "check") {
    const row = rows.get(id);
    if (row) return { sources: [JSON.stringify(row), isRunning(), causes()], parts: () => checkView(row, causes(), actions) };
  }
  if (kind === "cause") {
    const all = causes().length ? causes() : report?.causes ?? [];
    const cause = all.find((c) => causeKey(c) === key);
    if (cause) return { sources: [cause, isRunning()], parts: () => causeView(cause, new Map((past?.report ?? report)?.checks?.map((c) => [c.id, c]) ?? []), actions) };
  }
  if (kind !== "result" && kind !== "") {
    return { sources: [isRunning()], parts: () => [el("button", { type: "button", class: "plain back", click: close }, "← Back"),
      el("p", { class: "empty" }, isRunning() ? "The causes are told when the run has ended." : "This is not known, or no longer: it may have been mended.")] };
  }
  return { sources: [run?.id, run?.state, report, old, past, offer, runs.length],
    parts: () => resultView({ report: past ? past.report : report, run, runs, offer, old, past: past?.run }, actions) };
}

const indexOf = (key) => shown.findIndex((line) => line.key === key);

function hrefOf(key) {
  if (key === "result") return route.href("result", "", query());
  const slash = key.indexOf("/");
  return route.href(key.slice(0, slash), key.slice(slash + 1), query());
}

function open(key, push) {
  list.select(key, indexOf(key));
  route.go(hrefOf(key), push);
  document.body.classList.add("opened");
  draw();
}

function close() {
  document.body.classList.remove("opened");
  route.go(route.href("", "", query()), false);
  $("list").focus();
}

function move(step) {
  if (shown.length === 0) return;
  const from = list.selected === null ? -1 : indexOf(list.selected);
  const i = Math.max(0, Math.min(shown.length - 1, from < 0 && step !== Infinity ? 0 : from + step));
  if (wide.matches) open(shown[i].key, false);
  list.select(shown[i].key, i);
}

async function followAddress() {
  const now = route.read();
  search.value = now.q.get("q") ?? "";
  group = GROUPS.some(([name]) => name === now.q.get("show")) ? now.q.get("show") : "all";
  if (offer) {
    scope.value = now.q.get("of") ?? "";
    if (scope.selectedIndex < 0) scope.value = "";
  }
  if (now.view === "run") await showPast(now.id);
  else if (now.view !== "check" && now.view !== "cause") past = null;
  narrow(true);
  const key = now.view === "check" || now.view === "cause" ? now.view + "/" + now.id : now.view === "result" || now.view === "run" ? "result" : null;
  document.body.classList.toggle("opened", key !== null);
  list.select(key, key === null ? -1 : indexOf(key));
  draw();
}

// showPast shows an earlier run.
async function showPast(id) {
  const of = runs.find((r) => r.id === id);
  past = null;
  try {
    if (of) past = { run: of, report: await call(`/mock/v1/checks/runs/${encodeURIComponent(id)}/report`) };
  } catch (e) {
    rest(e);
  }
}

addEventListener("popstate", followAddress);
addEventListener("hashchange", followAddress);

// repeat runs again what is shown.
function repeat() {
  detail.querySelector(".again:not(:disabled)")?.click();
}

listen({
  j: () => move(1), ArrowDown: () => move(1), k: () => move(-1), ArrowUp: () => move(-1),
  PageDown: () => move(list.page), PageUp: () => move(-list.page), Home: () => move(-Infinity), End: () => move(Infinity),
  Enter: () => { if (list.selected !== null) { open(list.selected, true); detail.focus(); } },
  Escape: () => close(),
  "/": () => search.focus(), a: () => go.hidden || go.disabled || go.click(), r: repeat, s: stop, f: () => bar.faults.open(), "?": () => bar.help(),
});

// A mock that only watches offers no checks.
load().then(followAddress).then(begin).catch((e) => {
  if (e.status === 404) {
    bar.state("live");
    $("tools").hidden = true;
    detail.replaceChildren(el("p", { class: "empty" }, e.message));
    attr($("list"), "data-nothing", e.message);
    $("list").classList.add("nothing");
    return;
  }
  begin(); // it comes back with the stream
  rest(e);
});
