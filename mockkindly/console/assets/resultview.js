// One result, whole: that of a run, a cause, or a check.

import { el, outward, text } from "./dom.js";
import { clockTime, count, dateTime, duration } from "./format.js";
import { body, callout, facts, headers, more, section } from "./parts.js";
import { href } from "./route.js";
import { causeKey, heading, moodOf, sentence, severityMood, verdictMood, verdictWord, wordOf } from "./results.js";

const badge = (word, mood) => el("span", { class: "badge", "data-mood": mood }, word);
const link = (id, ...children) => el("a", { href: href("check", id) }, ...children);

// head is the title of a result, with the way back and what can be done.
function head(back, title, ...rest) {
  return el("header", { class: "head" },
    el("button", { type: "button", class: "plain back", click: back }, "← Back"), el("h1", {}, ...title), ...rest);
}

// command is a line for a shell, to copy.
function command(line) {
  if (!line) return "";
  const told = el("span", { class: "note", role: "status" });
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(line);
      text(told, "copied");
    } catch {
      text(told, "the browser does not let the page copy");
    }
  };
  return el("span", { class: "command" }, el("code", {}, line), el("button", { type: "button", class: "plain", click: copy }, "Copy"), told);
}

const plain = /^[a-z0-9-]+$/i;

// explained is the command that tells more.
function explained(id, sample) {
  if (!plain.test(id)) return "";
  return "kindlytest explain " + id + (sample && plain.test(sample.stack ?? "") ? " --stack " + sample.stack : "");
}

function fix(words, sample) {
  if (!words && !sample) return null;
  return section("What to change", words ? el("p", { class: "fix" }, words) : null,
    sample ? body(`${sample.title} (${sample.stack})`, sample.code ?? "", { asSent: false }) : null);
}

function exchanges(list) {
  if (!list?.length) return null;
  return section("What was exchanged", list.map((e, i) => el("details", { class: "exchange", open: i === 0 && list.length < 3 },
    el("summary", {}, e.title || "An exchange", el("span", { class: "note" }, e.response?.status ? ` · ${e.response.status}` : "", ` · ${clockTime(Date.parse(e.at))}`, e.duration_ms ? ` · ${duration(e.duration_ms)}` : "")),
    e.request ? el("div", {}, el("h3", {}, "Request"), el("p", { class: "wire" }, el("b", {}, e.request.method), " ", e.request.url), headers(e.request.headers), body("Body", e.request.body ?? "")) : null,
    e.response ? el("div", {}, el("h3", {}, "Response"), el("p", { class: "wire" }, el("b", {}, String(e.response.status ?? e.response.error ?? ""))),
      e.response.status ? [headers(e.response.headers), body("Body", e.response.body ?? "")] : null) : null)));
}

// checkView is a check. actions: back(), run(ids), and busy, whether a run is under way.
export function checkView(row, causes, actions) {
  const judged = row.outcome !== "" && row.outcome !== "running";
  const wrong = row.outcome === "failed" || row.outcome === "warned";
  const told = row.outcome === "expected" ? row.broken || row.requirement : sentence(row);
  const why = causes.filter((c) => (c.explains ?? []).includes(row.id));
  return [
    head(actions.back, [badge(wordOf(row.outcome), moodOf(row.outcome)), " ", row.id], el("p", { class: "sub" }, [row.level, row.fidelity, judged ? duration(row.duration_ms) : "",
      row.as_of ? "of " + dateTime(Date.parse(row.as_of)) : ""].filter(Boolean).join(" · "))),
    el("div", { class: "toolbar" }, el("button", { type: "button", class: "again", disabled: actions.busy, click: () => actions.run([row.id]) }, judged ? "Run again" : "Run this check")),
    el("p", { class: "then" }, told),
    wrong && row.consequence ? callout(moodOf(row.outcome), "", row.consequence) : null,
    why.length ? section("The mistake behind it", el("ul", { class: "symptoms" }, why.map((c) => el("li", {}, el("a", { href: href("cause", causeKey(c).slice("cause/".length)) }, heading(c)))))) : null,
    wrong && !why.length ? fix(row.fix, row.sample) : null,
    section("", facts([
      ["Listed for", row.outcome === "expected" ? row.reason : ""], ["Required", told === row.requirement ? "" : row.requirement], ["Expected", row.expected], ["Found", row.actual],
      ["Seen", row.repeats ? `${row.repeats.seen} of ${row.repeats.of} times` : ""], ["Token", row.witness],
      ["Weak", row.weak ? "It passed, but proves less than it should." : ""],
      [wrong ? "" : "If it fails", wrong || row.outcome === "passed" ? "" : row.help],
      ["Repeat", command(row.repeat)], ["Explain", command(explained(row.id, row.sample))], ["Known from", row.source ? outward(row.source) : ""]])),
    row.evidence?.length ? exchanges(row.evidence) : judged ? null : more("It has not been judged yet."),
  ];
}

// causeView is a mistake, with what shows it.
export function causeView(cause, rows, actions) {
  const symptoms = (cause.explains ?? []).map((id) => rows.get(id)).filter(Boolean);
  const own = cause.evidence?.length ? cause.evidence : symptoms.find((s) => s.evidence?.length)?.evidence;
  const sample = cause.sample ?? symptoms.find((s) => s.sample)?.sample;
  return [
    head(actions.back, [heading(cause)], el("p", { class: "sub" }, badge(cause.severity ?? "", severityMood(cause.severity)), " ",
      [cause.owner, cause.confirmed ? "confirmed" : "inferred from the answers", cause.id].filter(Boolean).join(" · "))),
    el("div", { class: "toolbar" }, el("button", { type: "button", class: "again", disabled: actions.busy || symptoms.length === 0, click: () => actions.run(symptoms.map((s) => s.id)) },
      "Run again what shows it")),
    cause.consequence ? callout(severityMood(cause.severity), "", cause.consequence) : null,
    fix(cause.fix, sample),
    section("", facts([["Seen", cause.seen], ["Repeat", command(cause.repeat)], ["Explain", command(explained(cause.id, sample))]])),
    symptoms.length ? section(`It explains ${count(symptoms.length, "check")}`, el("ul", { class: "symptoms" },
      symptoms.map((s) => el("li", {}, badge(wordOf(s.outcome), moodOf(s.outcome)), " ", link(s.id, el("code", {}, s.id), " ", el("span", {}, sentence(s))))))) : null,
    exchanges(own),
  ];
}

// resultView is a run as a whole: its verdict, what is lacking, and those before it.
// state: report, run, runs, offer, old (the mock was restarted since), past (an
// earlier run that was chosen).
export function resultView({ report, run, runs, offer, old, past }, actions) {
  const running = run?.state === "running";
  const of = past ?? (running ? null : run);
  const title = of ? [badge(verdictWord(of), of.state === "stopped" ? "" : verdictMood(of.verdict)), " ", of.sentence || "The result"]
    : running ? ["A run is under way"] : report ? ["The result of before"] : ["Nothing was checked yet"];
  const t = report?.target ?? offer.target ?? {};
  const s = report?.summary ?? {};
  return [
    head(actions.back, title, el("p", { class: "sub" }, of ? `${asked(of)} · ${dateTime(Date.parse(of.started))} · ${duration(of.duration_ms)}` : "")),
    old ? callout("warn", "The mock was restarted. ", "This is what was known before; run it again.") : null,
    past ? callout("", "An earlier run. ", el("a", { href: "#/" }, "Show what is known now")) : null,
    report?.problem ? callout("warn", "Not all could be judged. ", report.problem, report.hint ? el("p", {}, report.hint) : null) : null,
    !of && !running && !report ? el("p", { class: "then" }, "These are the checks of kindlytest run, on what serve was told of. Choose what to run, and press Run.") : null,
    report ? section("", facts([["Failed", s.failed || ""], ["Warnings", s.warned || ""], ["Not run", s.errored || ""], ["Known failures", s.expected || ""], ["Passed", s.passed || ""], ["Skipped", s.skipped || ""],
      ["Died", s.deaths ? `a process of the target, ${count(s.deaths, "time")}` : ""]])) : null,
    lacks(offer),
    section("What is checked", facts([["Page", t.page ? outward(t.page) : ""], ["Auth endpoint", t.endpoint],
      ...(t.webhooks ?? []).map((w) => ["Webhook" + (w.name ? " " + w.name : ""), w.url + (w.connect_to ? " through " + w.connect_to : "")]),
      ["Stack", t.stack ? t.stack + (t.stack_signs?.length ? ` (${t.stack_signs.join(", ")})` : "") : ""]])),
    report?.notes?.length ? section("To know", report.notes.map((n) => callout(moodOf(n.level), "", n.text))) : null,
    runs.length ? section("Runs", el("table", { class: "past" }, el("tbody", {}, runs.map((r) => el("tr", {},
      el("td", {}, r.state === "running" ? clockTime(Date.parse(r.started)).slice(0, 8) : el("a", { href: href("run", r.id) }, clockTime(Date.parse(r.started)).slice(0, 8))),
      el("td", {}, asked(r)),
      el("td", {}, badge(verdictWord(r), r.state === "done" ? verdictMood(r.verdict) : ""))))))) : null,
  ];
}

// asked is what a run was asked for.
export function asked(run) {
  const only = run.only ?? [];
  return only.length === 0 ? "all checks" : only.length <= 3 ? only.join(", ") : count(only.length, "check");
}

function lacks(offer) {
  if (!offer.lacks?.length) return null;
  return section("What to add, to judge more", el("ul", { class: "lacks" }, offer.lacks.map((l) => el("li", {}, el("details", {},
    el("summary", {}, l.hint.slice(0, 1).toUpperCase() + l.hint.slice(1), " ", el("span", { class: "note" }, count(l.checks.length, "check"))),
    el("p", { class: "note" }, l.checks.flatMap((id, i) => [i ? ", " : "", link(id, id)])))))));
}
