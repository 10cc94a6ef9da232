// Making elements. Foreign text gets into the page as text only: children that
// are strings become text nodes, and there is no way here to parse markup.

// el("button", { class: "x", click: f }, "text", child): functions are listeners,
// true and false set and leave out an attribute, null children are left out.
export function el(tag, props = {}, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "function") e.addEventListener(name, value);
    else if (value === true) e.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) e.setAttribute(name, value);
  }
  append(e, children);
  return e;
}

function append(e, children) {
  for (const child of children) {
    if (Array.isArray(child)) append(e, child);
    else if (child !== null && child !== undefined && child !== false) e.append(child);
  }
}

// text writes a text only where it differs: the same text again would still
// make the browser paint.
export function text(e, value) {
  const s = String(value ?? "");
  if (e.textContent !== s) e.textContent = s;
}

export function attr(e, name, value) {
  if (e.getAttribute(name) !== value) e.setAttribute(name, value);
}

// outward is a link to a foreign address if a click on it can only go there,
// else its text.
export function outward(address, label = address) {
  try {
    const url = new URL(address);
    if (/^https?:$/.test(url.protocol)) {
      return el("a", { href: url.href, target: "_blank", rel: "noopener noreferrer", referrerpolicy: "no-referrer" }, label);
    }
  } catch {
    // no URL: its text
  }
  return el("span", {}, label);
}

// frame returns a function that calls f once in the next animation frame,
// however often it is called before.
export function frame(f) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      f();
    });
  };
}

export const wide = matchMedia("(min-width: 800px)");

// typing tells whether a key press is meant for a field.
export function typing(event) {
  const t = event.target;
  return t instanceof HTMLElement && (t.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(t.tagName) && t.type !== "checkbox");
}
