// The chats that the inbox knows, in the order of their last event.

import { call } from "./api.js";

const PAGE = 500;
export const MAX = 20_000;

export class Chats {
  #byID = new Map(); // in the order of their last event, the newest last
  all = []; // the same, as an array
  #drawings = 0;

  // load reads all chats, page by page, and calls onPage after each.
  async load(onPage) {
    let before = "", read = 0;
    for (;;) {
      const page = await call(`/mock/v1/chats?limit=${PAGE}` + (before && "&before=" + encodeURIComponent(before)));
      const chats = page.chats ?? [];
      this.#prepend(chats);
      onPage();
      read += chats.length;
      if (!page.more || chats.length === 0 || read >= MAX) return;
      before = chats.at(-1).id;
    }
  }

  // #prepend puts older chats behind those that are known.
  #prepend(chats) {
    const older = new Map();
    for (const c of chats.toReversed()) if (!this.put(c, false)) older.set(c.id, this.#line(c));
    this.#byID = new Map([...older, ...this.#byID]);
  }

  // put takes over the state of a chat, unless a newer one came before. A chat
  // that is not known becomes the newest, if it may; put returns whether it is there.
  put(c, mayAdd = true) {
    const line = this.#byID.get(c.id);
    if (line && c.version > line.version) this.#draw(Object.assign(line, state(c)));
    if (!line && mayAdd) this.#append(this.#line(c));
    return Boolean(line) || mayAdd;
  }

  #line(c) {
    return this.#draw({ id: c.id, bot: c.bot_key, at: Date.parse(c.created), preview: "", unread: 0, ...state(c) });
  }

  #append(line) {
    this.#byID.delete(line.id);
    this.#byID.set(line.id, line);
    if (this.#byID.size > MAX) this.#byID.delete(this.#byID.keys().next().value);
  }

  #draw(line) {
    line.drawing = ++this.#drawings;
    const u = line.user ?? {};
    line.hay = [line.id, u.name, u.email, u.phone_number, u.sub, line.bot, line.page, line.authenticated ? "authenticated" : "anonymous", line.refused ? "refused" : "", line.marked ? "marked" : ""]
      .join(" ").slice(0, 600).toLowerCase();
    return line;
  }

  // take learns from an event when its chat was last used, and for what. The
  // chat's state comes before its events, by put; a chat that is gone has none.
  take(e, isOpen) {
    const line = this.#byID.get(e.chat);
    if (!line) return;
    line.at = Date.parse(e.at);
    if (e.kind === "message.received") {
      line.preview = previewOf(e);
      if (!isOpen) line.unread++;
    }
    this.#append(this.#draw(line));
  }

  // recall learns from what was said before the page was opened what each chat's last
  // message is; it is given the newest last.
  recall(events) {
    for (const e of events.toReversed()) {
      const line = e.kind === "message.received" && this.#byID.get(e.chat);
      if (!line || line.preview) continue;
      line.preview = previewOf(e);
      this.#draw(line);
    }
  }

  // read says that somebody looks at a chat.
  read(id) {
    const line = this.#byID.get(id);
    if (!line?.unread) return;
    line.unread = 0;
    this.#draw(line);
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

const previewOf = (e) => String(e.message?.text ?? "").slice(0, 120);

// state is what a line has of the chat's state.
function state(c) {
  return { version: c.version ?? 0, page: c.web_url ?? "", user: c.user ?? null, authenticated: c.authenticated === true, expires: Date.parse(c.expires ?? ""), refused: c.refused ?? 0, marked: c.marked === true };
}

// nameOf is what a user is called.
export function nameOf(user) {
  return user?.name || user?.email || user?.sub || "Anonymous visitor";
}
