// What the list of the checks shows: the result, the causes, and each check, the
// worst first.

import { clip, count, duration } from "./format.js";

// ORDER is how bad an outcome is; WORDS and MOODS are how it is shown.
const ORDER = ["failed", "errored", "warned", "expected", "info", "running", "skipped", "passed", ""];
const WORDS = { failed: "failed", errored: "not run", warned: "warning", expected: "known", info: "to know", skipped: "skipped", passed: "passed", running: "running" };
const MOODS = { failed: "bad", errored: "warn", warned: "warn", passed: "good" };
const SEVERITIES = ["critical", "high", "medium", "low"];
const SEVERE = { critical: "bad", high: "bad", medium: "warn", low: "" };

const VERDICTS = { PASSED: "good", FAILED: "bad" };

export const moodOf = (outcome) => MOODS[outcome] ?? "";
export const wordOf = (outcome) => WORDS[outcome] ?? "not yet";
export const severityMood = (severity) => SEVERE[severity] ?? "";
export const verdictWord = (run) => (run.state === "stopped" ? "stopped" : { FAILED: "failed", PASSED: "passed", INCOMPLETE: "incomplete" }[run.verdict] ?? (run.verdict ? "nothing" : run.state));
export const verdictMood = (verdict) => VERDICTS[verdict] ?? "warn";

// GROUPS are what the list can be narrowed to.
export const GROUPS = [["all", "All"], ["wrong", "To mend"], ["open", "Not judged"], ["passed", "Passed"]];

const inGroup = {
  all: () => true,
  wrong: (line) => line.kind !== "check" || line.outcome === "failed" || line.outcome === "warned",
  open: (line) => line.kind === "result" || line.outcome === "skipped" || line.outcome === "errored" || line.outcome === "",
  passed: (line) => line.kind === "result" || line.outcome === "passed",
};

// sentence is what there is to say of a check in one line.
export function sentence(row) {
  if (row.outcome === "failed" || row.outcome === "warned") return row.broken || row.requirement || "";
  if (row.outcome === "skipped" || row.outcome === "errored" || row.outcome === "expected") return row.reason || row.requirement || "";
  return row.requirement ?? "";
}

export const causeKey = (c) => "cause/" + c.id + (c.where ? " at " + c.where : "");

export function heading(cause) {
  const title = cause.title || cause.id;
  return !cause.where || title.includes(cause.where) ? title : `${title.replace(/\.$/, "")} (${cause.where})`;
}

// lines are those of the list. rows are the checks by their ID, in the order of a
// report, causes those that account for them, and head is the first line.
export function lines(head, causes, rows, { group, areas, words }) {
  const all = [
    head,
    ...causes.filter((c) => areas === null || (c.explains ?? []).some((id) => areas.has(area(id)))).map(causeLine),
    ...[...rows.values()].filter((row) => areas === null || areas.has(area(row.id))).map(checkLine).sort(worse),
  ];
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  return all.filter((line) => inGroup[group](line) && (line.kind === "result" || wanted.every((w) => line.hay.includes(w))));
}

const area = (id) => id.slice(0, id.indexOf("-"));

const worse = (a, b) => ORDER.indexOf(a.outcome) - ORDER.indexOf(b.outcome) || SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity);

function causeLine(c) {
  const line = {
    kind: "cause", key: causeKey(c), badge: c.severity ?? "", mood: severityMood(c.severity), title: clip(heading(c), 200), note: clip(c.consequence ?? "", 200),
    more: count((c.explains ?? []).length, "check"), cause: c,
  };
  line.hay = `${c.id} ${line.title} ${line.note} ${c.owner}`.toLowerCase();
  return line;
}

function checkLine(row) {
  const outcome = ORDER.includes(row.outcome) && row.outcome !== undefined ? row.outcome : "";
  const line = {
    kind: "check", key: "check/" + row.id, outcome, severity: row.severity || "medium", badge: wordOf(outcome), mood: moodOf(outcome), title: row.id,
    note: clip(sentence(row), 200), more: row.duration_ms && outcome !== "running" ? duration(row.duration_ms) : "", row,
  };
  line.hay = `${row.id} ${line.badge} ${line.note} ${row.level}`.toLowerCase();
  return line;
}

// merged puts what a run has found so far into what was known: what was not asked
// for stays as it was.
export function merged(rules, known, live, running) {
  const rows = new Map(rules.map((r) => [r.id, { ...r, outcome: "" }]));
  for (const row of known) if (!row.deselected) rows.set(row.id, row);
  for (const row of live) if (!row.deselected) rows.set(row.id, row);
  for (const id of running) rows.set(id, { ...rows.get(id), id, outcome: "running", evidence: [] });
  return rows;
}
