// One request to a webhook and its answer, and what can be done with it.

import { call, open as fetchPath } from "./api.js";
import { el, outward, text } from "./dom.js";
import { deliveryMood, signatureMood } from "./events.js";
import { clockTime, duration } from "./format.js";
import { body, callout, facts, headers, more, section, violations } from "./parts.js";

const STATES = [
  ["same", "with the same token"],
  ["none", "without a token"],
  ["expired", "with an expired token"],
  ["other-chat", "with another chat's token"],
];

const DIFFERENCES = {
  new: (d) => `new: ${d.seen}, which nobody documents`,
  missing: (d) => `missing: documented as ${d.contract}`,
  type: (d) => `${d.seen}, documented as ${d.contract}`,
};

export class DeliveryView {
  #event;
  #open;
  #d;
  #state = el("select", { "aria-label": "Token of the resent request" }, STATES.map(([value, label]) => el("option", { value }, label)));
  #withToken = el("input", { type: "checkbox" });
  #told = el("p", { class: "told", role: "status" });
  #fallback = el("pre", { tabindex: "0", hidden: true, "aria-label": "curl command" });

  // open(seq) shows another event.
  constructor(event, open, canSign) {
    this.#event = event;
    const expired = [...this.#state.options].find((o) => o.value === "expired");
    expired.disabled = !canSign;
    if (!canSign) expired.textContent += " (needs --private-key)";
    this.#d = event.delivery;
    this.#open = open;
  }

  title() {
    const d = this.#d;
    return el("span", {}, el("span", { class: "badge", "data-mood": deliveryMood(d) }, String(d.status || "failed")), " ", d.webhook);
  }

  elements() {
    const d = this.#d;
    return [this.#actions(), this.#facts(), ...this.#heard(), this.#token(), ...this.#answer(), ...this.#exchange()];
  }

  #actions() {
    return el("div", { class: "toolbar" },
      el("button", { type: "button", class: "resend", click: () => this.resend() }, "Resend"), this.#state,
      el("span", { class: "gap" }),
      el("button", { type: "button", class: "curl", click: () => this.curl() }, "Copy as curl"),
      el("label", { class: "check", title: "The token is a credential: whoever has the command is the user, until it expires." }, this.#withToken, "with the token"),
      el("button", { type: "button", class: "plain", click: () => this.#copy(location.href, "The link is copied.") }, "Copy link"),
      this.#told, this.#fallback);
  }

  #facts() {
    const d = this.#d;
    const sent = Date.parse(d.at);
    const again = d.resend_of && el("a", { href: "#/event/" + d.resend_of }, `#${d.resend_of}`, d.token_state ? ` (token: ${d.token_state})` : "");
    return facts([
      ["To", outward((d.heard && d.request?.url) || d.url)], [d.heard ? "Passed on to" : "Really to", d.request?.connect_to], ["Sent", Number.isNaN(sent) ? "" : clockTime(sent)], ["Took", duration(d.duration_ms)],
      ["Resent from", again], ["Dialogue", d.dialogue], ["Signed", d.rotated_secret ? "with another secret, on purpose" : ""],
    ]);
  }

  // heard is what the real Kindly has sent, beside what is documented.
  #heard() {
    const h = this.#d.heard;
    if (!h) return [];
    const signature = h.signature ?? {};
    const out = [callout(signatureMood(signature), `Signature: ${signature.verdict}. `, signature.text ?? "", signature.fix ? el("p", {}, signature.fix) : null)];
    if (h.given_up) out.push(callout("bad", "Kindly hung up ", "before the answer was whole."));
    if (h.body_error) out.push(callout("bad", "The payload cannot be compared. ", h.body_error));
    if (h.differences?.length) out.push(el("h3", {}, "Payload beside the documentation"), facts(h.differences.map((d) => [d.path, DIFFERENCES[d.kind]?.(d) ?? d.kind])));
    else if (!h.body_error) out.push(more("The payload is as documented."));
    return [section(`From Kindly, by ${h.protocol}`, ...out)];
  }

  #token() {
    const d = this.#d, decision = d.decision ?? {};
    return section("Token and allowlist", callout(d.with_token ? "good" : "", d.heard ? "" : d.with_token ? "The token went along." : "The token did not go along.", " ", d.reason ?? ""),
      facts([
        ["Allowlist", d.heard ? "" : !decision.reason ? "was not asked" : decision.allowed ? "allows this address" : "does not allow this address"], ["Because", decision.reason === d.reason ? "" : decision.reason], ["Pattern", decision.pattern],
        ["Ambiguous", decision.ambiguous], ["Shared host", decision.shared_tenant],
      ]));
  }

  #answer() {
    const d = this.#d, out = [];
    if (d.error) out.push(callout("bad", "No answer. ", d.error));
    if (d.answer_error) out.push(callout("bad", "Kindly cannot read the answer. ", d.answer_error));
    if (d.context_error) out.push(callout("warn", "", d.context_error));
    if (d.status && d.status !== 200) out.push(callout("bad", `The status is ${d.status}; Kindly reads answers of status 200. `));
    if (d.problems?.length) out.push(section("What Kindly would not take", violations(d.problems)));
    const seen = this.#seen();
    if (seen) out.push(section("What Kindly reads", seen));
    return out;
  }

  #seen() {
    const d = this.#d;
    const parts = [
      ...(d.bubbles ?? []).map((b) => el("p", { class: "said" }, b)),
      d.buttons?.length && el("ul", { class: "offers" }, d.buttons.map((b) => el("li", {}, b.label, el("small", {}, ` ${b.button_type} ${b.value ?? ""}`)))),
      d.image_carousel?.length && el("ul", { class: "offers" }, d.image_carousel.map((i) => el("li", {}, i.title || "(no title)", " ", outward(i.imageUrl, el("small", {}, i.imageUrl))))),
      d.exchange_slug && el("p", {}, "Dialogue ", el("code", {}, d.exchange_slug)),
    ].filter(Boolean);
    return parts.length ? el("div", { class: "seen" }, parts) : null;
  }

  #exchange() {
    const { request: q, response: a, truncated } = this.#d;
    const out = [];
    if (q) out.push(section("Request", el("p", { class: "wire" }, el("b", {}, q.method), " ", q.url), headers(q.headers), body("Body", q.body ?? "", { truncated })));
    if (a) out.push(section("Response", el("p", { class: "wire" }, el("b", {}, String(a.status))), headers(a.headers), body("Body", a.body ?? "", { truncated: a.truncated })));
    return out;
  }

  async resend() {
    text(this.#told, "Sending…");
    try {
      const made = await call(`/mock/v1/deliveries/${this.#event.seq}/resend`, { method: "POST", body: { token: this.#state.value } });
      text(this.#told, `Sent: it is #${made.seq}.`);
      this.#open(made.seq);
    } catch (e) {
      text(this.#told, "Not sent. " + e.message);
    }
  }

  async curl() {
    try {
      const answer = await fetchPath(`/mock/v1/deliveries/${this.#event.seq}/curl${this.#withToken.checked ? "?token=1" : ""}`);
      await this.#copy(await answer.text(), this.#withToken.checked ? "Copied, with the token: keep it to yourself." : "Copied, without the token.");
    } catch (e) {
      text(this.#told, e.message);
    }
  }

  // copy falls back to showing the text: the clipboard is for https and localhost.
  async #copy(what, told) {
    try {
      await navigator.clipboard.writeText(what);
      this.#fallback.hidden = true;
      text(this.#told, told);
    } catch {
      this.#fallback.hidden = false;
      text(this.#fallback, what);
      getSelection().selectAllChildren(this.#fallback);
      text(this.#told, "The browser does not let the page copy: here it is.");
    }
  }
}
