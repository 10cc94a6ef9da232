// The chats that the inbox knows, in the order of their last event.

import { call } from "./api.js";
import { decodeToken } from "./format.js";

const PAGE = 500;
export const MAX = 20_000;

export class Chats {
  #byID = new Map(); // in the order of their last event, the newest last
  all = []; // the same, as an array
  #version = 0;

  // load reads all chats, page by page, and calls onPage after each.
  async load(onPage) {
    let before = "";
    const found = [];
    for (;;) {
      const page = await call(`/mock/v1/chats?limit=${PAGE}` + (before && "&before=" + encodeURIComponent(before)));
      const chats = page.chats ?? [];
      found.push(...chats);
      this.#prepend(chats);
      onPage();
      if (!page.more || chats.length === 0 || found.length >= MAX) return;
      before = chats.at(-1).id;
    }
  }

  // #prepend puts older chats behind those that are known.
  #prepend(chats) {
    const older = new Map();
    for (const c of chats.toReversed()) if (!this.#byID.has(c.id)) older.set(c.id, this.#line(c));
    this.#byID = new Map([...older, ...this.#byID]);
  }

  #line(c) {
    const line = { id: c.id, bot: c.bot_key, at: Date.parse(c.created), page: c.web_url ?? "", user: c.user ?? null, authenticated: c.authenticated === true,
      expires: Date.parse(c.expires ?? ""), refused: c.refused ?? 0, marked: c.marked === true, preview: "" };
    return this.#touched(line);
  }

  #touched(line) {
    line.version = ++this.#version;
    const u = line.user ?? {};
    line.hay = [line.id, u.name, u.email, u.phone_number, u.sub, line.bot, line.page, line.authenticated ? "authenticated" : "anonymous", line.refused ? "refused" : "", line.marked ? "marked" : ""]
      .join(" ").slice(0, 600).toLowerCase();
    return line;
  }

  // take learns from an event. It returns the chat's id if it has one.
  take(e) {
    if (!e.chat) return "";
    const line = this.#byID.get(e.chat) ?? this.#line({ id: e.chat, bot_key: e.bot, created: e.at });
    line.at = Date.parse(e.at);
    if (e.kind === "token.refused") line.refused++;
    else if (e.kind === "message.received") line.preview = String(e.message?.text ?? "").slice(0, 120);
    else if (e.kind === "token.accepted") this.#accept(line, e.token);
    this.#byID.delete(e.chat);
    this.#byID.set(e.chat, this.#touched(line));
    if (this.#byID.size > MAX) this.#byID.delete(this.#byID.keys().next().value);
    return e.chat;
  }

  #accept(line, token) {
    const claims = decodeToken(token?.token)?.payload ?? {};
    const string = (v) => (typeof v === "string" ? v : "");
    line.authenticated = true;
    line.marked = (token?.violations ?? []).some((v) => v?.level === "MUST");
    line.expires = typeof claims.exp === "number" ? claims.exp * 1000 : NaN;
    line.user = { sub: string(claims.sub), name: string(claims.name), email: string(claims.email), phone_number: string(claims.phone_number) };
  }

  clear() {
    this.#byID.clear();
  }

  // snapshot is an array of the chats that pass, the newest first.
  snapshot(words) {
    const parts = words.toLowerCase().split(/\s+/).filter(Boolean);
    const out = [];
    for (const line of this.#byID.values()) if (parts.every((w) => line.hay.includes(w))) out.push(line);
    return out.reverse();
  }

  get size() {
    return this.#byID.size;
  }
}

// nameOf is what a user is called.
export function nameOf(user) {
  return user?.name || user?.email || user?.sub || "Anonymous visitor";
}
