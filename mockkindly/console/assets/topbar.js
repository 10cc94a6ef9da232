// The bar at the top of all pages: where one is, whether the stream lives, which
// faults are on.

import { call, useToken } from "./api.js";
import { dialog } from "./dialog.js";
import { el, text } from "./dom.js";
import { Faults } from "./faults.js";
import { help } from "./keys.js";

const states = {
  connecting: ["Connecting…", "wait"],
  live: ["Live", "good"],
  paused: ["Paused", "warn"],
  lost: ["Not connected: trying again", "bad"],
  unauthorized: ["Needs the token", "bad"],
};

export class TopBar {
  #state = el("span", { class: "state", role: "status" });
  #faultsButton = el("button", { type: "button", class: "faults", "aria-haspopup": "dialog", hidden: true }, "Faults");
  #checksTab;
  #keys;
  faults = new Faults();

  constructor(bar, keys) {
    this.#keys = keys;
    const page = bar.dataset.page;
    const tab = (href, name, label) => el("a", { href, "aria-current": page === name ? "page" : false }, label);
    this.#checksTab = tab("/checks", "checks", "Checks");
    bar.append(
      el("span", { class: "brand" }, el("img", { src: "/assets/icon.svg", alt: "", width: "18", height: "18" }), el("b", {}, "kindlytest")),
      el("nav", { "aria-label": "Pages" }, tab("/", "console", "Console"), tab("/inbox", "inbox", "Inbox"), this.#checksTab),
      el("span", { class: "grow" }), this.#state, this.#faultsButton,
      el("button", { type: "button", class: "plain reset", click: () => this.reset() }, "Reset"),
      el("button", { type: "button", class: "plain", "aria-label": "Help", click: () => this.help() }, "?"),
    );
    this.#faultsButton.addEventListener("click", () => this.faults.open());
    this.faults.onChange = () => this.#showFaults();
    this.faults.load();
    document.addEventListener("unauthorized", () => this.#askForToken());
    document.addEventListener("authorized", () => this.faults.load());
  }

  state(name) {
    const [words, mood] = states[name];
    text(this.#state, words);
    this.#state.dataset.mood = mood;
  }

  // A mock that only watches plays nothing: it has no faults, and runs no checks.
  #showFaults() {
    document.body.classList.toggle("watches", this.faults.offered === false);
    this.#faultsButton.hidden = !this.faults.offered;
    this.#checksTab.hidden = this.faults.offered === false && !this.#checksTab.ariaCurrent;
    const on = this.faults.active();
    text(this.#faultsButton, on.length ? "Faults: " + on.join(", ") : "Faults");
    this.#faultsButton.classList.toggle("on", on.length > 0);
    this.#faultsButton.title = on.length ? "On purpose: " + on.join(", ") : "Let Kindly misbehave on purpose";
  }

  help() {
    // A phone's bar has no room for Reset.
    const reset = (e) => { e.target.closest("dialog").close(); this.reset(); };
    help([...this.#keys, ...(this.faults.offered ? [["f", "faults on purpose"]] : []), ["?", "this help"]],
      el("p", { class: "actions narrow" }, el("button", { type: "button", click: reset }, "Reset: forget everything")));
  }

  // reset asks first: what is forgotten is gone.
  reset() {
    const problem = el("p", { class: "problem", role: "alert" });
    const forget = async () => {
      try {
        await call("/mock/v1/reset", { method: "POST", body: {} });
        d.close();
      } catch (e) {
        text(problem, e.message);
      }
    };
    const d = dialog("Forget everything?",
      el("p", {}, "All chats, users and events go, and bots that were added while the mock ran."), problem,
      el("p", { class: "actions" }, el("button", { type: "button", class: "danger", click: forget }, "Forget everything"),
        el("button", { type: "button", click: () => d.close() }, "Cancel")));
    d.showModal();
  }

  #askForToken() {
    if (document.querySelector("dialog.token")) return;
    const input = el("input", { type: "password", autocomplete: "off", "aria-label": "Token", required: true });
    const submit = (e) => {
      e.preventDefault();
      useToken(input.value.trim());
      d.close();
      document.dispatchEvent(new CustomEvent("authorized"));
    };
    const d = dialog("This mock wants a token",
      el("p", {}, "It listens on an address that others can reach. The token stands where it was started; the link printed there has it already."),
      el("form", { class: "actions", submit }, input, el("button", { type: "submit" }, "Use it")));
    d.classList.add("token");
    d.showModal();
  }
}
