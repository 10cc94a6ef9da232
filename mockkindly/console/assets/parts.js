// Parts of which details are made.

import { checkID } from "./advice.js";
import { el } from "./dom.js";
import { bytes, decodeToken, utf8Length } from "./format.js";
import { highlighted } from "./json.js";

export function section(title, ...children) {
  return el("section", {}, title ? el("h2", {}, title) : null, ...children);
}

// facts is a list of names and values; those without a value are left out.
export function facts(rows) {
  return el("dl", { class: "facts" }, rows.filter(([, v]) => v !== undefined && v !== null && v !== "")
    .map(([name, value]) => [el("dt", {}, name), el("dd", {}, value instanceof Node ? value : String(value))]));
}

export const more = (words) => el("p", { class: "note" }, words);

export function callout(mood, title, ...children) {
  return el("div", { class: "callout", "data-mood": mood }, el("strong", {}, title), ...children);
}

// A header's token is short, with its claims one click away.
function headerValue({ name, value }) {
  const [scheme, shown] = String(value).split(" ");
  const token = name.toLowerCase() === "authorization" && decodeToken(shown);
  if (!token) return value;
  return el("details", {}, el("summary", {}, `${scheme} ${shown.slice(0, 16)}… <signature removed>`),
    el("pre", {}, ...highlighted(JSON.stringify(token.header) + "\n" + JSON.stringify(token.payload, null, 2))));
}

export function headers(rows) {
  if (!rows?.length) return more("No headers.");
  return el("table", { class: "headers" }, el("tbody", {}, rows.map((row) =>
    el("tr", {}, el("th", { scope: "row" }, row.name), el("td", {}, headerValue(row))))));
}

// body shows a text; JSON in lines, with the text as it was on the wire one click away.
export function body(title, content, { truncated = false, asSent = true } = {}) {
  const size = bytes(utf8Length(content)) + (truncated ? ", cut" : "");
  if (content === "") return el("div", { class: "body" }, el("h3", {}, title), more("Empty."));
  const pretty = prettyJSON(content);
  const pre = el("pre", { tabindex: "0", "aria-label": title });
  const show = (raw) => pre.replaceChildren(...(pretty && !raw ? highlighted(pretty) : [content]));
  show(false);
  const raw = asSent && pretty && pretty !== content && el("button", { type: "button", class: "plain", "aria-pressed": "false", click: () => {
    const on = raw.getAttribute("aria-pressed") !== "true";
    raw.setAttribute("aria-pressed", String(on));
    show(on);
  } }, "As sent");
  return el("div", { class: "body" }, el("h3", {}, title, el("small", {}, size), raw || null), pre);
}

function prettyJSON(content) {
  if (!/^\s*[[{]/.test(content)) return "";
  try {
    return JSON.stringify(JSON.parse(content), null, 2);
  } catch {
    return "";
  }
}

// violations are the rules that a token or an answer breaks, with the way out.
export function violations(list) {
  return el("ul", { class: "violations" }, list.map((v) => el("li", { "data-level": v.level },
    el("p", {}, checkID(v.id), " ", el("span", { class: "level" }, v.level), v.fidelity ? el("span", { class: "level quiet" }, v.fidelity) : null, v.refused ? el("span", { class: "level" }, "refused") : null,
      v.path ? [" ", el("code", {}, v.path)] : null, " ", v.requirement ?? ""),
    facts([["Expected", v.expected], ["Found", v.actual], ["Mistake", v.diagnosis?.title], ["Fix", v.fix]]))));
}

// howToBegin shows what is needed for something to happen here: a page with the chat,
// or, where the mock only watches, Kindly.
export function howToBegin() {
  const tag = `<script id="kindly-chat" src="${location.origin}/kindly-chat.js" data-bot-key="YOUR-BOT-KEY" defer></script>`;
  return el("div", { class: "begin" },
    el("div", { class: "playing" }, el("p", {}, "In your page, in place of Kindly's script:"), el("pre", { tabindex: "0", "aria-label": "The script tag" }, tag)),
    el("p", { class: "watching" }, "Let your tunnel lead to the address that kindlytest listen shows, and give its public URL to Kindly as the webhook's. What Kindly sends then is shown here."));
}
