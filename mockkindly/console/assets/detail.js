// One event, whole.

import { advice } from "./advice.js";
import { ApiError, eventBySeq } from "./api.js";
import { DeliveryView } from "./delivery.js";
import { el } from "./dom.js";
import { OUTCOMES } from "./events.js";
import { clockTime, dateTime } from "./format.js";
import { body, callout, facts, more, section } from "./parts.js";
import * as token from "./token.js";

const titles = {
  "client.started": "A page loaded the client", "chat.created": "A chat was created", "callback.called": "getAuthToken was called",
  "callback.settled": "getAuthToken settled", "token.accepted": "Token accepted", "token.refused": "Token refused",
  "message.received": "Message received", "dialogue.matched": "Dialogue", "webhook.delivered": "Webhook answered", "webhook.failed": "Webhook failed",
};

const views = {
  "client.started": ({ client: c = {} }) => [
    c.bot_key ? null : callout("bad", "There is no chat.", el("p", {}, "The script element has no data-bot-key, and Kindly's client does nothing without. Add data-bot-key=\"YOUR-BOT-KEY\" to it (PAGE-WIDGET).")),
    facts([
      ["Page", c.page_url], ["Bot key", c.bot_key || "(none)"], ["Build", c.build], ["Options", c.options], ["getAuthToken", c.callback],
      ["Script", c.script_src], ["Its id", c.script_id || "(none)"]])],
  "chat.created": () => el("p", {}, "The client got a chat. It calls getAuthToken with the chat's id next."),
  "callback.called": ({ callback: c = {} }) => facts([["Reason", c.reason]]),
  "callback.settled": ({ callback: c = {} }) => facts([
    ["Reason", c.reason], ["It gave", OUTCOMES[c.outcome] ?? c.outcome], ["Type", c.type], ["Message", c.error],
    ["Took", c.elapsed_ms === undefined ? "" : c.elapsed_ms + " ms"], ["Returned", c.sync ? "a value" : "a promise"], ["What helps", c.fix]]),
  "token.accepted": (e) => token.report(e.token ?? {}),
  "token.refused": (e) => token.report(e.token ?? {}),
  "message.received": ({ message: m = {} }) => [body("Text", m.text ?? ""), m.truncated && more("The journal's copy was cut.")],
  "dialogue.matched": ({ dialogue: d = {} }) => [
    facts([["Dialogue", d.slug], ["Found by", d.by], ["Phrase", d.phrase], ["Calls", d.calls]]), d.reply && body("Reply", d.reply)],
};

export class Detail {
  #pane;
  #actions;
  #seq = 0;
  #abort = new AbortController();
  #delivery = null;
  canSign = true; // the mock has a private key, and can make tokens

  // actions: back(), open(seq).
  constructor(pane, actions) {
    this.#pane = pane;
    this.#actions = actions;
  }

  empty() {
    this.#abort.abort();
    this.#seq = 0;
    this.#delivery = null;
    this.#pane.replaceChildren(el("p", { class: "empty" }, "Choose an event: j and k go through them, ? shows all keys."));
  }

  async show(seq) {
    if (seq === this.#seq) return;
    this.#seq = seq;
    this.#abort.abort();
    this.#abort = new AbortController();
    try {
      const event = await eventBySeq(seq, this.#abort.signal);
      if (this.#seq !== seq) return;
      if (event) this.#draw(event);
      else this.#tell(seq, "This event is no longer kept, or never was.");
    } catch (e) {
      if (e.name === "AbortError") return;
      this.#seq = 0; // so that it can be tried again
      this.#tell(seq, e instanceof ApiError ? e.message : "This event cannot be shown: " + e.message);
    }
  }

  #tell(seq, message) {
    this.#delivery = null;
    this.#pane.replaceChildren(this.#head("#" + seq), el("p", { class: "empty" }, message));
  }

  #head(title, ...rest) {
    return el("header", { class: "head" },
      el("button", { type: "button", class: "plain back", click: () => this.#actions.back() }, "← Back"), el("h1", {}, title), ...rest);
  }

  #draw(event) {
    const isDelivery = Boolean(event.delivery);
    this.#delivery = isDelivery ? new DeliveryView(event, this.#actions.open, this.canSign) : null;
    const at = Date.parse(event.at);
    const line = el("p", { class: "sub" }, `#${event.seq} · `, el("time", { datetime: event.at, title: dateTime(at) }, clockTime(at)),
      event.chat ? [" · ", el("a", { href: "/inbox#/chat/" + encodeURIComponent(event.chat) }, "chat " + event.chat.slice(0, 8))] : null,
      event.bot ? ` · bot ${event.bot}` : null);
    const parts = isDelivery ? this.#delivery.elements() : [section("", views[event.kind]?.(event) ?? body("Event", JSON.stringify(event)))];
    const says = advice(event.breaks);
    this.#pane.replaceChildren(this.#head(isDelivery ? this.#delivery.title() : (titles[event.kind] ?? event.kind), line), ...(says && !isDelivery ? [...parts, says] : says ? [parts[0], says, ...parts.slice(1)] : parts));
    this.#pane.scrollTop = 0;
  }

  // The keyboard's shortcuts, which mean a delivery.
  resend() {
    this.#delivery?.resend();
  }

  curl() {
    this.#delivery?.curl();
  }
}
