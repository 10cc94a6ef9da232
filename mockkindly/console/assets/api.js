// The mock's admin API, at the page's own origin.

import { isCurrent, see, stateOf } from "./state.js";

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
  see(stateOf(answer));
  if (answer.ok) return answer;
  if (answer.status === 401) document.dispatchEvent(new CustomEvent("unauthorized"));
  throw new ApiError(answer.status, await answer.json().catch(() => null));
}

// ask is open for JSON: the value, null where the answer has no body, and the
// state that it shows. An answer that was overtaken by a reset is an error.
export async function ask(path, options) {
  const answer = await open(path, options);
  const value = answer.status === 204 ? null : await answer.json();
  const state = stateOf(answer);
  if (!isCurrent(state)) throw new ApiError(0, { detail: "The mock has forgotten this meanwhile." });
  return { value, state };
}

// call is ask for those who want the value only.
export const call = async (path, options) => (await ask(path, options)).value;

// eventBySeq is one event of the journal, or null if it is no longer kept.
export async function eventBySeq(seq, signal) {
  const page = await call(`/mock/v1/journal?after=${seq - 1}&limit=1`, { signal });
  const found = page.events?.[0];
  return found?.seq === seq ? found : null;
}
