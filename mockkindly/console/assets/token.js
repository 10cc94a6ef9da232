// A token and what was found about it.

import { el } from "./dom.js";
import { countdown, dateTime, decodeToken } from "./format.js";
import { body, callout, facts, more, section, violations } from "./parts.js";

export const TAKEN = "Taken, but unsafe or shown wrongly";

export function report(t) {
  const broken = t.violations ?? [];
  const title = t.accepted ? "Kindly takes this token." : t.on_purpose ? "Refused on purpose: the fault is on." : "Kindly does not take this token. The chat goes on as it was.";
  return [
    callout(t.accepted ? "good" : "bad", title),
    broken.length ? section(t.accepted ? TAKEN : "What it breaks, and the way out", violations(broken)) : null,
    t.unjudged?.length ? section("What could not be judged", facts(t.unjudged.map((u) => [u.id, u.reason]))) : null,
    section("The token", claims(t.token, [["Reason", t.reason], ["Signed by", t.signed_by], ["Repeated", t.repeated ? "yes: the same token as before" : ""]])),
    t.truncated ? more("The journal's copy was cut.") : null,
  ];
}

// claims shows the header and the payload; times also in words, after the rows.
export function claims(shown, rows = []) {
  const token = decodeToken(shown);
  if (!token) return el("div", {}, facts(rows), body("As it came, without a signature", String(shown ?? "")));
  const { iat, exp } = token.payload;
  const time = (s) => (typeof s === "number" ? dateTime(s * 1000) : "");
  const life = typeof iat === "number" && typeof exp === "number" && exp > iat ? countdown((exp - iat) * 1000) + " min" : "";
  return el("div", {}, facts([...rows, ["Issued", time(iat)], ["Expires", time(exp)], ["Life", life]]),
    body("Header", JSON.stringify(token.header), { asSent: false }), body("Payload", JSON.stringify(token.payload), { asSent: false }));
}
