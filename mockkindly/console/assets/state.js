// Which state of the mock this page shows. Each answer tells its own, in a header:
// BOOT.RESETS.VERSION. Answers overtake each other; what is older than what the
// page knows must not take its place.

let known = null;
const gone = new Set(); // boots of mocks that others have replaced

function parse(text) {
  const [boot, resets, version] = (text ?? "").split(".");
  return { boot, resets: Number(resets) || 0, version: Number(version) || 0 };
}

export const stateOf = (answer) => parse(answer.headers.get("Kindlytest-State"));

// isCurrent tells whether nothing was forgotten since that state.
export const isCurrent = (state) => known === null || (state.boot === known.boot && state.resets === known.resets);

// see learns of a state that came, as text or parsed. It tells the document
// "forgotten" when the mock has been reset or another has taken its place: all
// that the page knows is to be asked for again.
export function see(text) {
  const state = typeof text === "string" ? parse(text) : text;
  if (!state.boot) return state; // a refusal does not tell
  const same = state.boot === known?.boot;
  if (gone.has(state.boot) || (same && state.resets <= known.resets)) return state;
  const isFirst = known === null;
  if (!isFirst && !same) gone.add(known.boot);
  known = state;
  if (!isFirst) document.dispatchEvent(new CustomEvent("forgotten"));
  return state;
}
