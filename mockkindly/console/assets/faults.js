// Faults on purpose: what Kindly may do to its customers, switched while it runs.

import { ask } from "./api.js";
import { dialog } from "./dialog.js";
import { el, text } from "./dom.js";

// Each fault: its name in the API, what it is called, what it does, and for
// those with a number the unit and the number that switching it on gives.
const FAULTS = [
  ["slow_ms", "slow", "Kindly is slow", "Each answer to the chat waits first.", { unit: "ms", on: 2000, max: 60_000 }],
  ["refuse_tokens", "refusing tokens", "Refuse every token", "Also good ones. Pages must go on without."],
  ["call_twice", "calling twice", "Call getAuthToken twice", "In new chats, both at once. Each call must get its own token."],
  ["renew_early", "renewing early", "Ask again early", "The chat calls getAuthToken again soon after, as it does near a token's end."],
  ["clock_forward_minutes", "clock forward", "Clock forward", "Kindly's clock is ahead: tokens end sooner.", { unit: "min", on: 16, max: 525_600 }],
  ["rotate_secret", "another secret", "Another signing secret", "Webhooks are signed with a secret that the customer does not know (yet)."],
];

export class Faults {
  now = {};
  offered = null; // whether the mock has faults, once it is known: one that only watches has none
  onChange = () => {};
  #version = 0; // of the mock's state that now is of
  #form = null;
  #problem = null;

  constructor() {
    document.addEventListener("forgotten", () => {
      this.#version = 0;
      this.load();
    });
  }

  async load() {
    await this.#ask().catch((e) => {
      if (e.status !== 404) return; // the stream's state tells
      this.offered = false;
      this.onChange();
    });
  }

  async #ask(options) {
    const { value, state } = await ask("/mock/v1/faults", options);
    if (state.version < this.#version) return; // overtaken by a newer answer
    this.#version = state.version;
    this.offered = true;
    this.now = value ?? {};
    this.#draw();
  }

  // active names the faults that are on.
  active() {
    return FAULTS.filter(([name]) => this.now[name])
      .map(([name, short, , , number]) => (number ? `${short} ${this.now[name]} ${number.unit}` : short));
  }

  #draw() {
    for (const [name, , , , number] of FAULTS) this.#show(name, number);
    this.onChange();
  }

  #show(name, number) {
    const box = this.#form?.elements[name];
    if (!box) return;
    box.checked = Boolean(this.now[name]);
    const field = this.#form.elements[name + "-number"];
    if (number && field && document.activeElement !== field) field.value = this.now[name] || number.on;
  }

  async #set(change) {
    try {
      await this.#ask({ method: "PUT", body: change });
      text(this.#problem, "");
    } catch (e) {
      this.#draw();
      text(this.#problem, e.message);
    }
  }

  async open() {
    if (!this.offered) return;
    this.#problem = el("p", { class: "problem", role: "alert" });
    this.#form = el("form", { class: "switches", submit: (e) => e.preventDefault() }, FAULTS.map((f) => this.#row(f)));
    const off = () => this.#set(Object.fromEntries(FAULTS.map(([name, , , , number]) => [name, number ? 0 : false])));
    const d = dialog("Faults on purpose", el("p", { class: "lead" }, "They start at once, for all chats, and last until they are switched off."),
      this.#form, this.#problem, el("p", { class: "actions" }, el("button", { type: "button", click: off }, "All off")));
    d.addEventListener("close", () => { this.#form = null; });
    d.classList.add("side");
    this.#draw();
    d.showModal();
    await this.load(); // another page may have switched them
  }

  #row([name, , title, what, number]) {
    const value = () => Math.min(number.max, Math.max(1, Math.round(Number(field.value)) || number.on));
    const box = el("input", { type: "checkbox", role: "switch", name, id: "fault-" + name, "aria-describedby": "about-" + name,
      change: () => this.#set({ [name]: number ? (box.checked ? value() : 0) : box.checked }) });
    const field = number && el("input", { type: "number", name: name + "-number", min: "1", max: String(number.max), "aria-label": `${title}: ${number.unit}`,
      change: () => { field.value = value(); if (box.checked) this.#set({ [name]: value() }); } });
    return el("div", { class: "switch" }, box,
      el("div", {}, el("label", { for: "fault-" + name }, title), el("p", { id: "about-" + name }, what)),
      number && el("span", { class: "amount" }, field, " " + number.unit));
  }
}
