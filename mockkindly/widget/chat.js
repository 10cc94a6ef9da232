// One chat: its id, its user, its messages, and the wire to the mock.

class Chat {
  #api;
  #option; // option(name) of the page
  #queue = Promise.resolve(); // reports go out one after another, in order
  #unsent = 0; // of those
  #timer = 0;
  #ending = 0; // timer of the token's end
  #lastExpiry = 0;
  #again = 0; // renewals that brought no later end
  #callTwice = false; // a fault of the mock, on purpose
  #unanswered = 0; // messages
  #shown = Promise.resolve(); // when all that was sent so far has its replies in the log
  #repeated = 0; // calls after one that gave no token
  #stopped = false;
  #connected; // promise of the chat's id
  #returning = null; // promise of another chat, while one is made
  #listeners = [];

  id = "";
  user = null;
  state = "connecting"; // "anonymous", "authenticated", "offline"
  why = ""; // more about the state, for people
  log = [];

  constructor(api, botKey, option) {
    this.#api = api;
    this.botKey = botKey;
    this.#option = option;
  }

  // subscribe calls listener("state"), listener("message", message),
  // listener("trouble", text) where a webhook has no answer for the user, or
  // listener("unanswered", n) with how many messages wait for their answer.
  subscribe(listener) {
    this.#listeners.push(listener);
  }

  #tell(what, detail) {
    for (const listener of this.#listeners) listener(what, detail);
  }

  #become(state, why = "", user = null) {
    if (this.#stopped) return;
    clearTimeout(this.#ending);
    this.state = state;
    this.why = why;
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
    advise(data);
    return { ok: answer.ok, status: answer.status, data };
  }

  // #enqueue is #post, after all that was enqueued before. Where that has gone out it does
  // at once: that the callback is called is told before what the callback asks for.
  #enqueue(path, body) {
    const sent = this.#unsent > 0 ? this.#queue.then(() => this.#post(path, body)) : this.#post(path, body);
    const done = () => { this.#unsent--; };
    this.#unsent++;
    this.#queue = sent.then(done, done);
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

  // #comeBack connects once more: a mock that was started anew, or was reset, knows no
  // chat of before.
  #comeBack() {
    this.#returning ??= (async () => {
      clearTimeout(this.#timer);
      this.#lastExpiry = this.#again = 0;
      this.#become("connecting");
      await this.connect(); // it tells of what fails
    })().finally(() => { this.#returning = null; });
    return this.#returning;
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
    this.#callTwice = answer.data.hints?.call_twice === true;
    return this.id;
  }

  #path(rest) {
    return "/mock/v1/chats/" + encodeURIComponent(this.id) + rest;
  }

  async #authenticate(reason, again = false) {
    const asked = [this.#askInTime(reason)];
    const calls = this.#callTwice ? 2 : (MANNER.calls ?? 1);
    while (!again && reason === "INITIAL_CONNECT" && asked.length < calls) asked.push(this.#ask(reason));
    const answers = await Promise.all(asked);
    const tokens = answers.map((a) => a.token).filter((token) => token !== undefined);
    if (tokens.length === 0) return this.#withoutToken(answers[0].facts, reason);
    this.#repeated = 0;
    for (const token of tokens) await this.#handOver(token, reason);
  }

  // #withoutToken goes on without a user, and asks again where Kindly's client was
  // seen to do so.
  #withoutToken(facts, reason) {
    this.#become("anonymous", whyNoToken(facts));
    const failed = facts.outcome === "threw" || facts.outcome === "rejected";
    const wait = ((failed ? MANNER.after_throw_ms : MANNER.after_empty_ms) ?? [])[this.#repeated];
    if (wait === undefined || facts.outcome === "undefined") return;
    this.#repeated++;
    this.#timer = setTimeout(() => {
      if (!this.#stopped) this.#authenticate(reason, true).catch(() => this.#become("offline"));
    }, wait);
  }

  // #askInTime is #ask, and asks once more, beside it, where Kindly's client was seen
  // to do so when it had waited long. The first token counts.
  #askInTime(reason) {
    const first = this.#ask(reason);
    const waits = MANNER.after_slow_ms ?? [];
    if (waits.length === 0) return first;
    return new Promise((resolve) => {
      let open = 1;
      let timer = 0;
      const settled = (answer) => {
        if (--open > 0 && answer.token === undefined) return;
        clearTimeout(timer);
        resolve(answer);
      };
      const later = (i) => {
        if (i === waits.length) return;
        timer = setTimeout(() => {
          open++;
          this.#ask(reason).then(settled);
          later(i + 1);
        }, waits[i]);
      };
      later(0);
      first.then(settled);
    });
  }

  // #ask calls getAuthToken, and reports that.
  async #ask(reason) {
    const report = (facts) => this.#enqueue(this.#path("/callbacks"), { reason, ...facts }).catch(() => {});
    const { owner, value: getAuthToken } = this.#option("getAuthToken");
    const call = typeof getAuthToken === "function" ? (...given) => getAuthToken.call(owner, ...given) : getAuthToken;
    if (typeof getAuthToken === "function") report({ phase: "called" });
    const { value: token, report: facts } = await callForToken(call, this.id);
    if (this.#stopped) return { facts };
    report({ phase: "settled", ...facts });
    return { token, facts };
  }

  async #handOver(token, reason) {
    if (this.#stopped) return;
    const answer = await this.#enqueue(this.#path("/token"), { token, reason });
    if (isForgotten(answer) && reason !== "INITIAL_CONNECT") {
      this.#comeBack(); // not waited for: it is what asked
      return;
    }
    // A refused token is dropped, and not asked for again until the next connect.
    if (!answer.ok || !answer.data?.authenticated) return this.#become("anonymous", whyRefused(answer.data));
    const { user, expires, renew_in_ms: within } = answer.data;
    this.#become("authenticated", typeof user?.email === "string" && user.name ? user.email : "", user ?? {});
    this.#renewBefore(Date.parse(expires), within);
  }

  // #renewBefore asks for the next token when this one is about to end, or when
  // the mock says: its faults may want it early.
  #renewBefore(expires, within) {
    if (this.#stopped) return;
    const now = Date.now();
    if (expires > now) inSteps(expires, (timer) => { this.#ending = timer; }, () => this.#become("anonymous", "The token has expired"));
    const told = typeof within === "number" && within >= 0;
    if (MANNER.never_renews && !told) return;
    if (expires > this.#lastExpiry) {
      this.#lastExpiry = expires;
      this.#again = 0;
    } else if (told ? ++this.#again > 3 : now >= expires - MARGIN) {
      return; // the page gave the token that it had given before: another call would too
    }
    this.#renewAt(told ? now + within : renewalTime(now, expires));
  }

  #renewAt(due) {
    clearTimeout(this.#timer);
    inSteps(due, (timer) => { this.#timer = timer; }, () => this.#authenticate("EXPIRED").catch(() => this.#become("offline")));
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
    return this.#deliver("", String(idOrSlug));
  }

  async #deliver(text, slug) {
    if (!this.#connected) throw new Error("Kindly Chat is not connected: the script has no data-bot-key");
    this.#tell("unanswered", ++this.#unanswered);
    const before = Promise.race([this.#shown, new Promise((done) => setTimeout(done, IN_ORDER))]);
    let shown;
    this.#shown = new Promise((done) => { shown = done; });
    try {
      const say = async () => {
        await this.#connected;
        await this.#queue; // a token on its way goes first
        return this.#post(this.#path("/messages"), { text, slug, context: this.context() });
      };
      if (this.state === "offline") await this.#comeBack();
      let answer = await say();
      if (isForgotten(answer)) {
        await this.#comeBack();
        answer = await say();
      }
      if (this.#stopped) return;
      if (!answer.ok) throw new Error("Kindly answered " + answer.status);
      const within = answer.data?.renew_in_ms; // a fault was switched on meanwhile
      if (this.state === "authenticated" && typeof within === "number") this.#renewAt(Date.now() + within);
      await before;
      if (this.#stopped) return;
      for (const reply of answer.data?.replies ?? []) this.#addReply(reply);
    } finally {
      before.then(shown);
      this.#tell("unanswered", --this.#unanswered);
    }
  }

  #addReply(reply) {
    const trouble = troubleWith(reply);
    if (trouble) this.#tell("trouble", trouble);
    const bubbles = typeof reply?.reply === "string" ? bubblesOf(reply.reply) : [];
    const objects = (list) => Array.isArray(list) ? list.filter((o) => o && typeof o === "object").slice(0, MAX_PARTS) : [];
    const buttons = objects(reply?.buttons);
    const images = objects(reply?.image_carousel);
    if (bubbles.length === 0 && (buttons.length > 0 || images.length > 0)) bubbles.push("");
    bubbles.forEach((message, i) => {
      const last = i === bubbles.length - 1;
      this.#add({ sender: "BOT", message, buttons: last ? buttons : [], images: last ? images : [] });
    });
  }

  #add(message) {
    this.log.push({ ...message, created: new Date().toISOString() });
    if (this.log.length > MAX_LOG) this.log.shift();
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
    clearTimeout(this.#ending);
    this.#listeners = [];
  }
}

// inSteps calls f when it is due: in steps, since timers stand still while a computer
// sleeps. keep gets each step's timer.
function inSteps(due, keep, f) {
  const left = due - Date.now();
  if (left > 0) keep(setTimeout(() => inSteps(due, keep, f), Math.min(left, 1000)));
  else f();
}

// isForgotten says whether the mock does not know the chat any more.
const isForgotten = (answer) => answer.status === 404 && answer.data?.type === "urn:kindlytest:problem:unknown-chat";

// IN_ORDER is how long the replies to a message wait for those to the one before, in
// milliseconds: as long as a webhook may take, and no longer for one that never ends.
const IN_ORDER = 15_000;

// A reply may be long: what comes beyond so many bubbles stands in the last of
// them, and buttons and pictures beyond so many are left out. The log is given to
// the page with each message: it keeps the newest.
const MAX_PARTS = 100;
const MAX_LOG = 500;

// bubblesOf splits a reply at its empty lines.
function bubblesOf(text) {
  const all = text.split("\n\n").filter((s) => s.trim() !== "");
  if (all.length <= MAX_PARTS) return all;
  return [...all.slice(0, MAX_PARTS - 1), all.slice(MAX_PARTS - 1).join("\n\n")];
}

// troubleWith tells developers why a webhook's reply shows nothing, or not all; ""
// if nothing is wrong. Kindly's own client says nothing.
function troubleWith(reply) {
  if (typeof reply?.webhook !== "string" || reply.webhook === "") return "";
  const who = "The webhook " + reply.webhook + " ";
  if (reply.error) return who + "did not answer: " + String(reply.error).slice(0, 300);
  if (reply.status !== 200) return who + "answered " + Number(reply.status) + ": Kindly reads answers of status 200";
  if (reply.answer_error) return who + "gave an answer that Kindly can't read: " + String(reply.answer_error).slice(0, 300);
  return "";
}

// whyNoToken and whyRefused tell people what to look at.
function whyNoToken({ outcome }) {
  const words = {
    empty: "getAuthToken gave no token",
    "not-a-string": "getAuthToken gave something that is no string",
    threw: "getAuthToken threw",
    rejected: "getAuthToken's promise was rejected",
    undefined: "The page has no getAuthToken",
    token: "getAuthToken gave a token that is too long",
  };
  return words[outcome] ?? "";
}

function whyRefused(problem) {
  const ids = Array.isArray(problem?.violations) ? problem.violations.filter((v) => v?.refused).map((v) => String(v.id)) : [];
  return "The token was refused" + (ids.length ? ": " + ids.slice(0, 3).join(", ") + (ids.length > 3 ? ` and ${ids.length - 3} more` : "") : "");
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
