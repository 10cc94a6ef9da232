// One chat: who it is, how long the token lives, what was refused, what was said.

import { advice } from "./advice.js";
import { call } from "./api.js";
import { el, outward, text } from "./dom.js";
import { deliveryMood, OUTCOMES } from "./events.js";
import { clockTime, countdown, dateTime } from "./format.js";
import { body, callout, facts, more, section, violations } from "./parts.js";
import { card } from "./people.js";
import { claims, TAKEN } from "./token.js";

const SHOWN = 200; // of the chat's events, the newest

// Life is the time that a token has left, kept up to date by tick.
class Life {
  #bar = el("progress", { max: "1", value: "0", "aria-label": "How much of the token's life is left" });
  #left = el("strong", { class: "left" });
  element;

  constructor(issued, expires) {
    this.issued = issued;
    this.expires = expires;
    this.element = el("div", { class: "life" }, this.#left, this.#bar,
      facts([["Issued", dateTime(issued)], ["Expires", dateTime(expires)], ["Life", countdown(expires - issued) + " min"]]));
  }

  tick(now) {
    const left = this.expires - now;
    const span = this.expires - this.issued;
    this.#bar.value = span > 0 ? Math.min(1, Math.max(0, left / span)) : 0;
    text(this.#left, left > 0 ? countdown(left) + " left" : `expired ${countdown(-left)} ago: it is no longer sent to webhooks`);
    this.element.dataset.mood = left <= 0 ? "bad" : left < 30_000 ? "warn" : "good";
  }
}

export class ChatView {
  life = null;

  // parts returns the elements for a chat and its events.
  parts(chat, events) {
    this.life = null;
    return [
      card(chat.authenticated ? chat.user : null, chat.contacts),
      ...this.#token(chat, events), ...this.#refusals(chat),
      section("Conversation", this.#conversation(events)),
      section("The chat", facts([
        ["Chat", el("code", {}, chat.id)], ["Visitor", el("code", {}, chat.user_id ?? "")], ["Bot", chat.bot_key], ["Created", dateTime(Date.parse(chat.created))],
        ["Page", chat.web_url ? outward(chat.web_url) : ""], ["Source", chat.source]]), body("Context", JSON.stringify(chat.context ?? {}), { asSent: false })),
    ];
  }

  #token(chat, events) {
    if (!chat.authenticated) {
      const settled = events.findLast((e) => e.kind === "callback.settled");
      const call = settled?.callback;
      if (!chat.refused && call?.fix) return [callout("", "Not authenticated. ", `getAuthToken gave ${OUTCOMES[call.outcome] ?? call.outcome}. ${call.fix}`), advice(settled.breaks)].filter(Boolean);
      return [callout("", "Not authenticated. ", chat.refused ? "The page gave a token that Kindly does not take: see below." : "The page gave no token yet.")];
    }
    const issued = Date.parse(chat.token_life?.issued ?? ""), expires = Date.parse(chat.token_life?.expires ?? chat.expires ?? "");
    if (Number.isFinite(issued) && Number.isFinite(expires)) this.life = new Life(issued, expires);
    const domains = chat.webhook_domains?.length ? chat.webhook_domains.join(", ") : "none: no webhook gets the token";
    return [section("Token", this.life?.element, facts([["Webhook domains", domains]]),
      chat.token ? el("details", {}, el("summary", {}, "Claims"), claims(chat.token)) : null),
    ...(chat.marks?.length ? [section(TAKEN, violations(chat.marks))] : [])];
  }

  #refusals(chat) {
    if (!chat.refusals?.length) return [];
    return [section(`Refused tokens (${chat.refused ?? chat.refusals.length})`, chat.refusals.map((r, i) => el("details", { class: "refusal", open: i === 0 },
      el("summary", {}, clockTime(Date.parse(r.at)), " · ", r.reason ?? "", " · ", r.on_purpose ? "refused on purpose" : (r.violations ?? []).map((v) => v.id).join(", ")),
      r.violations?.length ? violations(r.violations) : null,
      r.unjudged?.length ? facts(r.unjudged.map((u) => [u.id, u.reason])) : null)))];
  }

  #conversation(events) {
    const steps = events.map(step).filter(Boolean);
    if (steps.length === 0) return more("Nothing was said yet.");
    return el("div", { class: "talk" }, events.length >= SHOWN ? more("Older ones are in the console.") : null, steps);
  }
}

const toEvent = (e, ...children) => el("a", { href: "/#/event/" + e.seq, class: "step" }, clockTime(Date.parse(e.at)), " ", ...children);

// step is one line of the conversation, or null.
function step(e) {
  switch (e.kind) {
    case "message.received":
      return el("div", { class: "turn", "data-from": "visitor" }, el("p", { class: "said" }, e.message?.text || "(no text)"), toEvent(e, "message"));
    case "webhook.delivered":
    case "webhook.failed": {
      const d = e.delivery ?? {};
      return el("div", { class: "turn", "data-from": "bot" }, (d.bubbles ?? []).map((b) => el("p", { class: "said" }, b)),
        toEvent(e, el("span", { class: "badge", "data-mood": deliveryMood(d) }, String(d.status || "failed")), ` ${d.webhook}, ${d.with_token ? "with" : "without"} the token`, (e.breaks ?? []).map((id) => " · " + id)));
    }
    case "dialogue.matched":
      return el("div", { class: "turn", "data-from": "bot" }, (e.dialogue?.bubbles ?? []).map((b) => el("p", { class: "said" }, b)), toEvent(e, "dialogue " + (e.dialogue?.slug ?? "")));
    case "token.accepted":
      return el("div", { class: "turn", "data-from": "mock" }, toEvent(e, "token accepted"));
    case "token.refused":
      return el("div", { class: "turn", "data-from": "mock" }, toEvent(e, "token refused"));
    default:
      return null;
  }
}

// eventsOf are the newest events of a chat, oldest first.
export async function eventsOf(id, signal) {
  const page = await call(`/mock/v1/journal?chat=${encodeURIComponent(id)}&before=0&limit=${SHOWN}`, { signal });
  return page.events ?? [];
}
