// One chat: its id, its user, its messages, and the wire to the mock.

class Chat {
  #api;
  #option; // option(name) of the page
  #queue = Promise.resolve(); // reports go out one after another, in order
  #timer = 0;
  #lastExpiry = 0;
  #stopped = false;
  #connected; // promise of the chat's id
  #listeners = [];

  id = "";
  user = null;
  state = "connecting"; // "anonymous", "authenticated", "offline"
  log = [];

  constructor(api, botKey, option) {
    this.#api = api;
    this.botKey = botKey;
    this.#option = option;
  }

  // subscribe calls listener("state") or listener("message", message).
  subscribe(listener) {
    this.#listeners.push(listener);
  }

  #tell(what, message) {
    for (const listener of this.#listeners) listener(what, message);
  }

  #become(state, user = null) {
    if (this.#stopped) return;
    this.state = state;
    this.user = user;
    this.#tell("state");
  }

  // #post sends JSON as text/plain, which needs no preflight. The answer is null
  // where there is none.
  async #post(path, body) {
    const answer = await fetch(this.#api + path, {
      method: "POST",
      body: JSON.stringify(body),
      credentials: "omit",
      cache: "no-store",
      referrerPolicy: "no-referrer",
    });
    const data = answer.status === 204 ? null : await answer.json().catch(() => null);
    return { ok: answer.ok, status: answer.status, data };
  }

  // #enqueue is #post, after all that was enqueued before.
  #enqueue(path, body) {
    const sent = this.#queue.then(() => this.#post(path, body));
    this.#queue = sent.catch(() => {});
    return sent;
  }

  // announce reports that the client was loaded.
  announce(facts) {
    this.#enqueue("/mock/v1/client", { bot_key: this.botKey, ...facts }).catch(() => {});
  }

  // connect creates the chat and then authenticates it.
  connect() {
    this.#connected = this.#create();
    return this.#connected
      .then(() => this.#authenticate("INITIAL_CONNECT"))
      .catch(() => this.#become("offline"));
  }

  async #create() {
    const answer = await this.#enqueue("/mock/v1/chats", {
      bot_key: this.botKey,
      source: "web",
      web_host: location.host,
      web_path: location.pathname,
      web_url: location.href,
    });
    if (!answer.ok || typeof answer.data?.id !== "string") throw new Error("no chat");
    this.id = answer.data.id;
    return this.id;
  }

  #path(rest) {
    return "/mock/v1/chats/" + encodeURIComponent(this.id) + rest;
  }

  async #authenticate(reason) {
    const report = (facts) => this.#enqueue(this.#path("/callbacks"), { reason, ...facts }).catch(() => {});
    const { owner, value: getAuthToken } = this.#option("getAuthToken");
    const call = typeof getAuthToken === "function" ? (id) => getAuthToken.call(owner, id) : getAuthToken;
    if (typeof getAuthToken === "function") report({ phase: "called" });
    const { value: token, report: facts } = await callForToken(call, this.id);
    if (this.#stopped) return;
    report({ phase: "settled", ...facts });
    if (token === undefined) return this.#become("anonymous");
    const answer = await this.#enqueue(this.#path("/token"), { token, reason });
    // A refused token is dropped, and not asked for again until the next connect.
    if (!answer.ok || !answer.data?.authenticated) return this.#become("anonymous");
    this.#become("authenticated", answer.data.user ?? {});
    this.#renewBefore(Date.parse(answer.data.expires));
  }

  #renewBefore(expires) {
    // The page gave the token that it had given before: another call would too.
    if (!(expires > this.#lastExpiry)) return;
    this.#lastExpiry = expires;
    const due = renewalTime(Date.now(), expires);
    const tick = () => {
      if (this.#stopped) return;
      const left = due - Date.now();
      // In steps, since timers stand still while a computer sleeps.
      if (left > 0) this.#timer = setTimeout(tick, Math.min(left, 1000));
      else this.#authenticate("EXPIRED").catch(() => this.#become("offline"));
    };
    tick();
  }

  // send puts a message into the chat and adds the replies to the log. It
  // resolves when all replies are in, and rejects when there is no way to Kindly.
  async send(text) {
    text = String(text);
    if (text.trim() === "") return;
    this.#add({ sender: "USER", message: text });
    return this.#deliver(text);
  }

  // trigger asks for a dialogue, without a word of the user in the log.
  trigger(idOrSlug) {
    return this.#deliver(String(idOrSlug));
  }

  async #deliver(text) {
    if (!this.#connected) throw new Error("Kindly Chat is not connected: the script has no data-bot-key");
    await this.#connected;
    await this.#queue; // a token on its way goes first
    const answer = await this.#post(this.#path("/messages"), { text, context: this.context() });
    if (this.#stopped) return;
    if (!answer.ok) throw new Error("Kindly answered " + answer.status);
    for (const reply of answer.data?.replies ?? []) this.#addReply(reply);
  }

  #addReply(reply) {
    const bubbles = typeof reply?.reply === "string" ? reply.reply.split("\n\n").filter((s) => s.trim() !== "") : [];
    const buttons = Array.isArray(reply?.buttons) ? reply.buttons.filter((b) => b && typeof b === "object") : [];
    const images = Array.isArray(reply?.image_carousel) ? reply.image_carousel.filter((i) => i && typeof i === "object") : [];
    if (bubbles.length === 0 && (buttons.length > 0 || images.length > 0)) bubbles.push("");
    bubbles.forEach((message, i) => {
      const last = i === bubbles.length - 1;
      this.#add({ sender: "BOT", message, buttons: last ? buttons : [], images: last ? images : [] });
    });
  }

  #add(message) {
    this.log.push({ ...message, created: new Date().toISOString() });
    const added = this.log.at(-1);
    this.#tell("message", added);
    const { owner, value: onMessage } = this.#option("onMessage");
    if (typeof onMessage === "function") guard(() => onMessage.call(owner, added, [...this.log]));
    document.dispatchEvent(new CustomEvent("kindly:message", { detail: { newMessage: added, chatLog: [...this.log] } }));
  }

  // context is the page's, as far as it can be sent.
  context() {
    try {
      return JSON.parse(JSON.stringify(this.#option("context").value ?? {}));
    } catch {
      return {};
    }
  }

  stop() {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#listeners = [];
  }
}

// guard runs a function of the page. What it throws is the page's error, and is
// reported as one.
function guard(f) {
  try {
    f();
  } catch (e) {
    reportError(e);
  }
}
