// What the console keeps of each event: one line, in few bytes. The whole event
// is asked for when somebody opens it.

import { clip, decodeToken } from "./format.js";

const HAY = 600; // characters that the filter sees

export const groups = [
  ["all", "All"],
  ["webhook", "Webhooks"],
  ["token", "Tokens"],
  ["message", "Messages"],
  ["page", "Page"],
];

const asText = (v) => (typeof v === "string" ? v : v === undefined || v === null ? "" : String(v));

// deliveryMood is good, warn or bad.
export function deliveryMood(d) {
  if (!d.status || d.status !== 200 || d.answer_error) return "bad";
  if (d.heard && signatureMood(d.heard.signature) === "bad") return "bad";
  return d.problems?.length || d.context_error ? "warn" : "good";
}

// signatureMood is that of what the real Kindly has sent.
export function signatureMood(signature) {
  return { right: "good", unjudged: "" }[signature?.verdict] ?? "bad";
}

const readers = {
  "webhook.delivered": delivery,
  "webhook.failed": delivery,
  "token.accepted": (e) => {
    const claims = decodeToken(e.token?.token)?.payload ?? {};
    const who = [claims.name, claims.email, claims.sub].find((v) => typeof v === "string" && v !== "");
    const repeated = e.token?.repeated ? "the same token as before" : e.token?.reason;
    const marks = (e.token?.violations ?? []).filter((v) => v.level === "MUST").map((v) => v.id).join(" ");
    return { group: "token", badge: "token", mood: marks ? "warn" : "good", title: "Accepted" + (who ? ": " + who : ""), note: marks || asText(repeated) };
  },
  "token.refused": (e) => {
    const ids = (e.token?.violations ?? []).filter((v) => v.refused).map((v) => v.id).join(" ");
    const why = e.token?.on_purpose ? "the fault is on" : "its signature could not be judged";
    return { group: "token", badge: "token", mood: "bad", title: "Refused" + (e.token?.on_purpose ? " on purpose" : ""), note: ids || why };
  },
  "message.received": (e) => ({ group: "message", badge: "message", mood: "", title: asText(e.message?.text) || "(no text)", note: "" }),
  "dialogue.matched": (e) => ({ group: "message", badge: "dialogue", mood: "", title: asText(e.dialogue?.slug) || "(none)", note: "by " + asText(e.dialogue?.by) }),
  "callback.called": (e) => ({ group: "page", badge: "page", mood: "", title: "getAuthToken called", note: asText(e.callback?.reason) }),
  "callback.settled": (e) => {
    const c = e.callback ?? {};
    const mood = c.outcome === "token" ? "good" : c.outcome === "empty" || c.outcome === "undefined" ? "" : "bad";
    return { group: "page", badge: "page", mood, title: "getAuthToken: " + asText(c.outcome), note: asText(c.error), ms: c.elapsed_ms };
  },
  "client.started": (e) => {
    const page = asText(e.client?.page_url);
    if (e.client?.bot_key === "") return { group: "page", badge: "page", mood: "bad", title: "No chat: the script has no data-bot-key", note: page };
    return { group: "page", badge: "page", mood: "", title: "The client was loaded", note: page };
  },
  "chat.created": () => ({ group: "page", badge: "page", mood: "", title: "Chat created", note: "" }),
};

// OUTCOMES are what a call of getAuthToken may come to.
export const OUTCOMES = {
  token: "a token", empty: "nothing (null, undefined or an empty string)", "not-a-string": "something that is no string", threw: "nothing: it threw",
  rejected: "nothing: its promise was rejected", undefined: "nothing: there is no such function",
};

// What a request was sent again with; it comes first, for the end of a line is cut off.
const RESENT = new Map([["none", "without a token · "], ["expired", "expired token · "], ["other-chat", "other chat's token · "]]);

function delivery(e) {
  const d = e.delivery ?? {};
  const again = d.resend_of ? `${RESENT.get(d.token_state) ?? ""}resent #${d.resend_of} · ` : "";
  return {
    group: "webhook", badge: asText(d.status || "failed"), mood: deliveryMood(d), title: asText(d.webhook), ms: d.duration_ms,
    note: again + (d.heard && d.heard.signature?.verdict !== "right" ? `signature ${asText(d.heard.signature?.verdict)} · ` : "") + (d.error ? asText(d.error) : (d.with_token ? "with token" : "no token: " + asText(d.reason))),
    url: asText(d.url), token: d.with_token === true,
  };
}

// summary is one line of the list.
export function summary(e) {
  const read = readers[e.kind]?.(e) ?? { group: "page", badge: "other", mood: "", title: asText(e.kind), note: "" };
  if (e.breaks?.length) {
    read.note = e.breaks.join(" ") + (read.note ? " · " + read.note : "");
    if (read.mood !== "bad") read.mood = "warn";
  }
  const line = { ...read, seq: e.seq, at: Date.parse(e.at), kind: asText(e.kind), chat: asText(e.chat) };
  line.title = clip(line.title, 200);
  line.note = clip(line.note, 200);
  line.hay = clip(`#${line.seq} ${line.kind} ${line.badge} ${line.title} ${line.note} ${line.url ?? ""} ${line.chat}`, HAY).toLowerCase();
  return line;
}

// filter returns a function that tells whether a line has all the words, and is
// of the group. A word with - before it must not be there.
export function filter(words, group) {
  const parts = words.toLowerCase().split(/\s+/).filter(Boolean);
  const want = parts.filter((w) => !w.startsWith("-") || w === "-");
  const not = parts.filter((w) => w.startsWith("-") && w !== "-").map((w) => w.slice(1));
  const any = group === "all" || group === "";
  return (line) => (any || line.group === group) && want.every((w) => line.hay.includes(w)) && !not.some((w) => line.hay.includes(w));
}
