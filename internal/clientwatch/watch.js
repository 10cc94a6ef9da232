// Runs in the page before anything else, and tells what Kindly's client does with it:
// when it calls getAuthToken, with what kinds of arguments, and how that ended. No
// argument, no token and no claim but exp leaves the page.
(() => {
  const send = globalThis.kindlytestObserved;
  delete globalThis.kindlytestObserved;
  if (typeof send !== "function") return;
  const tell = (seen) => send(JSON.stringify({ at: Date.now(), ...seen }));
  tell({ what: "began", top: window === top });

  const kind = (value) => {
    if (typeof value === "string") return /^[\da-f]{8}-([\da-f]{4}-){3}[\da-f]{12}$/i.test(value) ? "uuid" : "string";
    if (value === null) return "null";
    if (typeof value !== "object") return typeof value;
    if (Array.isArray(value)) return "object";
    return "object{" + Object.keys(value).filter((name) => /^\w{1,40}$/.test(name)).slice(0, 10).sort().join(",") + "}";
  };
  // expOf is a token's exp in seconds, 0 if it can't be read.
  const expOf = (token) => {
    try {
      const claims = JSON.parse(atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/")));
      return Number.isFinite(claims.exp) ? Math.trunc(claims.exp) : 0;
    } catch {
      return 0;
    }
  };

  let calls = 0;
  const watched = new WeakMap();
  const watch = (callback) => {
    if (typeof callback !== "function") return callback;
    if (watched.has(callback)) return watched.get(callback);
    const wrapped = function (...args) {
      const id = ++calls;
      tell({ what: "called", id, args: args.slice(0, 8).map(kind) });
      const settled = (value) => tell(typeof value === "string" && value !== "" ? { what: "token", id, exp: expOf(value) } : { what: "empty", id });
      let answer;
      try {
        answer = callback.apply(this, args);
      } catch (e) {
        tell({ what: "threw", id });
        throw e;
      }
      if (typeof answer?.then === "function") answer.then(settled, () => tell({ what: "threw", id }));
      else settled(answer);
      return answer;
    };
    watched.set(callback, wrapped);
    return wrapped;
  };

  const hooked = new WeakSet();
  const hook = (options) => {
    if (options === null || typeof options !== "object" || hooked.has(options)) return;
    let callback = options.getAuthToken;
    try {
      Object.defineProperty(options, "getAuthToken", {
        configurable: true, enumerable: true, get: () => watch(callback), set: (f) => { callback = f; },
      });
      hooked.add(options);
    } catch {
      // it is sealed: the page runs as it is, and its callback is not seen
    }
  };
  for (const name of ["kindlyOptions", "kindlySettings"]) {
    let value = window[name];
    Object.defineProperty(window, name, {
      configurable: true, enumerable: true, get: () => value, set: (options) => { value = options; hook(options); },
    });
  }

  const dispatch = EventTarget.prototype.dispatchEvent;
  const seen = new Set();
  EventTarget.prototype.dispatchEvent = function (event) {
    const name = String(event?.type);
    if ((this === document || this === window) && /^kindly[\w:.-]{1,60}$/i.test(name) && !seen.has(name)) {
      seen.add(name);
      tell({ what: "event", name });
    }
    return dispatch.call(this, event);
  };

  let known = "";
  setInterval(() => {
    const chat = window.kindlyChat;
    if (chat === null || typeof chat !== "object") return;
    const names = new Set();
    for (let o = chat; o && o !== Object.prototype; o = Object.getPrototypeOf(o)) {
      for (const name of Object.getOwnPropertyNames(o)) {
        try {
          if (name !== "constructor" && /^\w{1,40}$/.test(name) && typeof chat[name] === "function") names.add(name);
        } catch {
          // a getter of the client's own
        }
      }
    }
    const list = [...names].slice(0, 100);
    if (list.join() !== known) tell({ what: "methods", names: list });
    known = list.join();
  }, 200);
})();
