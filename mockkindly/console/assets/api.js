// The mock's admin API, at the page's own origin.

const STORED = "kindlytest.token";

let bearer = takeToken();

// takeToken reads the token of #token=… into the tab's memory, and takes it out
// of the address bar and the history.
function takeToken() {
  const found = /^#token=([^&]*)&?(.*)$/.exec(location.hash);
  if (found) {
    history.replaceState(null, "", location.pathname + location.search + (found[2] ? "#" + found[2] : ""));
    remember(decode(found[1]));
  }
  try {
    return sessionStorage.getItem(STORED) ?? "";
  } catch {
    return found ? decode(found[1]) : ""; // storage is forbidden: this page only
  }
}

function decode(s) {
  try {
    return decodeURIComponent(s);
  } catch {
    return s;
  }
}

function remember(token) {
  try {
    sessionStorage.setItem(STORED, token);
  } catch {
    // the page's memory will do
  }
}

export function useToken(token) {
  bearer = token;
  remember(token);
}

// An ApiError is an answer that is no success; its message is the problem's.
export class ApiError extends Error {
  constructor(status, problem) {
    super(problem?.detail || problem?.title || (status ? "The mock answered " + status : "The mock cannot be reached"));
    this.status = status;
    this.problem = problem;
  }
}

// open sends a request and returns the response if it is a success. It tells
// the document "unauthorized" when the mock wants a token.
export async function open(path, { method = "GET", body, signal } = {}) {
  const headers = {};
  if (bearer) headers.Authorization = "Bearer " + bearer;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, { method, headers, signal, cache: "no-store", body: body === undefined ? undefined : JSON.stringify(body) });
  } catch (e) {
    if (e.name === "AbortError") throw e;
    throw new ApiError(0);
  }
  if (answer.ok) return answer;
  if (answer.status === 401) document.dispatchEvent(new CustomEvent("unauthorized"));
  throw new ApiError(answer.status, await answer.json().catch(() => null));
}

// call is open for JSON; null where the answer has no body.
export async function call(path, options) {
  const answer = await open(path, options);
  return answer.status === 204 ? null : answer.json();
}

// eventBySeq is one event of the journal, or null if it is no longer kept.
export async function eventBySeq(seq, signal) {
  const page = await call(`/mock/v1/journal?after=${seq - 1}&limit=1`, { signal });
  const found = page.events?.[0];
  return found?.seq === seq ? found : null;
}
