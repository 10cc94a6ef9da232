// How the page's callback is called, and what became of it.

const MAX_ERROR = 300;

// MAX_TOKEN is how long a token may be to be handed over: some hundred times what
// gets through a webhook's server. What is longer is told by its length.
const MAX_TOKEN = 1_000_000;

// kind is typeof, but tells null from an object.
function kind(value) {
  return value === null ? "null" : typeof value;
}

// describe is the message of whatever was thrown, bounded, with anything that
// looks like a token left out.
function describe(thrown) {
  let text = "";
  try {
    text = String(thrown instanceof Error ? thrown.message : thrown);
  } catch {
    text = "(cannot be printed)";
  }
  return text.slice(0, 10 * MAX_ERROR).replace(/eyJ[\w-]*(\.[\w-]*)+/g, "(token)").slice(0, MAX_ERROR);
}

function classify(value) {
  if (typeof value === "string" && value !== "") return "token";
  if (value === null || value === undefined || value === "") return "empty";
  return "not-a-string";
}

// argumentsFor is what getAuthToken is called with.
function argumentsFor(chatId) {
  const example = (kind) => {
    const members = /^object\{(.*)\}$/.exec(kind);
    if (members) return Object.fromEntries(members[1].split(",").filter(Boolean).map((name) => [name, /chat_?id/i.test(name) ? chatId : ""]));
    return { uuid: chatId, number: 0, boolean: false, object: {}, null: null, string: "", function: () => {} }[kind];
  };
  return (MANNER.arguments ?? ["uuid"]).map(example);
}

// callForToken calls getAuthToken(chatId), which may be missing, return a token
// or a promise of one, throw, reject, or take any time. It never throws; value
// is the token or undefined, report is what may be told about the call.
async function callForToken(getAuthToken, chatId) {
  if (typeof getAuthToken !== "function") {
    return { report: { outcome: "undefined", sync: true, elapsed_ms: 0, type: kind(getAuthToken), error: "" } };
  }
  const began = performance.now();
  const done = (outcome, sync, value, error) => ({
    value: outcome === "token" && value.length <= MAX_TOKEN ? value : undefined,
    report: {
      outcome, sync, elapsed_ms: Math.max(0, Math.round(performance.now() - began)), type: kind(value), error,
      ...(outcome === "token" ? { length: value.length } : {}),
    },
  });
  let answer, then;
  try {
    answer = getAuthToken(...argumentsFor(chatId));
    then = answer?.then;
  } catch (e) {
    return done("threw", true, e, describe(e));
  }
  if (typeof then !== "function") return done(classify(answer), true, answer, "");
  try {
    const value = await answer;
    return done(classify(value), false, value, "");
  } catch (e) {
    return done("rejected", false, e, describe(e));
  }
}

// MARGIN is how long before its end a token is renewed.
const MARGIN = MANNER.renew_before_ms ?? 30_000;

// renewalTime is when a token that came at `now` and ends at `expires` (both in
// ms) is due for renewal: 30 s before its end, but not before half its life, so
// that a short-lived token is not asked for without pause.
function renewalTime(now, expires) {
  return Math.max(expires - MARGIN, now + Math.max(1000, (expires - now) / 2));
}
