// The part of the address behind #: /event/12?q=words&group=token.

export function read() {
  const [path, query] = location.hash.slice(1).split("?");
  const parts = path.split("/").filter(Boolean).map(decode);
  return { view: parts[0] ?? "", id: parts[1] ?? "", q: new URLSearchParams(query ?? "") };
}

function decode(s) {
  try {
    return decodeURIComponent(s);
  } catch {
    return s;
  }
}

export function href(view, id, q = new URLSearchParams()) {
  const query = String(q);
  const path = view ? "#/" + view + "/" + encodeURIComponent(id) : "#/";
  return query ? path + "?" + query : path;
}

// go changes the address; push adds to the history, so that Back leads here.
export function go(to, push) {
  if (to === location.hash || (to === "#/" && location.hash === "")) return;
  history[push ? "pushState" : "replaceState"](null, "", to);
}
