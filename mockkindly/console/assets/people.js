// What the inbox shows of a user, and what Kindly keeps of it.

import { el, outward } from "./dom.js";
import { nameOf } from "./chats.js";
import { more, section } from "./parts.js";

const names = { email: "E-mail", phone_number: "Phone" };

// initials stand in for the picture, which is not loaded: its address is chosen
// by whoever wrote the token, and loading it would tell them who looks.
export function initials(user) {
  const words = nameOf(user).trim().split(/[\s@.]+/).filter(Boolean);
  const letters = user ? (Array.from(words[0] ?? "?")[0] + (words.length > 1 ? Array.from(words[1])[0] : "")) : "?";
  return el("span", { class: "face", "aria-hidden": "true" }, letters.toUpperCase());
}

export function card(user, contacts = []) {
  const rows = contacts.map(contact);
  if (user?.picture) rows.push(picture(user.picture));
  return section("", el("div", { class: "card" }, initials(user),
    el("div", {}, el("h1", {}, nameOf(user)), user?.sub ? el("p", { class: "note" }, "sub ", el("code", {}, user.sub)) : null)),
  rows.length ? el("table", { class: "contacts" },
    el("thead", {}, el("tr", {}, ["", "In the token", "With the user"].map((h) => el("th", { scope: "col" }, h)))),
    el("tbody", {}, rows))
    : user && more("The token has no e-mail, phone or picture."));
}

function picture(address) {
  return el("tr", {}, el("th", { scope: "row" }, "Picture"), el("td", {}, outward(String(address))), el("td", {}, el("span", { class: "note" }, "A link: pictures are not loaded here.")));
}

function contact(c) {
  const value = c.value || "(none)";
  const verified = c.verified === undefined ? null : el("span", { class: "badge", "data-mood": c.verified ? "good" : "warn" }, c.verified ? "verified" : "not verified");
  return el("tr", {}, el("th", { scope: "row" }, names[c.field] ?? c.field), el("td", {}, value, " ", verified),
    el("td", {}, el("span", { class: "badge", "data-mood": c.stored ? "good" : "" }, c.stored ? "stored" : "not stored"),
      c.stored_value && c.stored_value !== c.value ? [" ", c.stored_value] : null, c.why ? el("span", { class: "note" }, " " + c.why) : null));
}
