// What there is to see: a bubble, and a panel with the chat. No inline styles, no
// innerHTML: a strict Content-Security-Policy and Trusted Types have no say in it.

const CSS = `
#kindly-chat-api, :host { all: initial; }
.kindly-root { position: fixed; right: 1rem; bottom: 1rem; z-index: 2147483000; color: #1b1b1f;
  font: 400 15px/1.45 system-ui, sans-serif; display: flex; flex-direction: column; align-items: flex-end; gap: .75rem; }
.kindly-root[data-position="left"] { right: auto; left: 1rem; align-items: flex-start; }
.kindly-root * { box-sizing: border-box; font: inherit; }
.kindly-root [hidden] { display: none; }
.kindly-bubble { width: 3.5rem; height: 3.5rem; border: 0; border-radius: 50%; background: #2b2f77; color: #fff;
  font-size: 1.5rem; cursor: pointer; box-shadow: 0 2px 12px #0004; padding: 0; }
.kindly-panel { width: min(22rem, calc(100vw - 2rem)); height: min(32rem, calc(100vh - 7rem)); display: flex;
  flex-direction: column; background: #fff; border-radius: .75rem; box-shadow: 0 4px 24px #0004; overflow: hidden; }
.kindly-head { background: #2b2f77; color: #fff; padding: .75rem 1rem; }
.kindly-head h2 { margin: 0; font-weight: 600; font-size: 1rem; }
.kindly-status { margin: 0; font-size: .85rem; }
.kindly-log { flex: 1; overflow-y: auto; padding: 1rem; display: flex; flex-direction: column; gap: .5rem; }
.kindly-message { margin: 0; padding: .5rem .75rem; border-radius: .75rem; background: #eef; max-width: 85%;
  align-self: flex-start; overflow-wrap: anywhere; white-space: pre-wrap; }
.kindly-message[data-sender="USER"] { align-self: flex-end; background: #2b2f77; color: #fff; }
.kindly-message[data-sender="NOTE"] { align-self: center; background: none; color: #8a1f11; font-size: .85rem; }
.kindly-buttons { display: flex; flex-wrap: wrap; gap: .5rem; }
.kindly-buttons > * { border: 1px solid #2b2f77; border-radius: 1rem; padding: .25rem .75rem; background: #fff;
  color: #2b2f77; text-decoration: none; cursor: pointer; }
.kindly-form { display: flex; gap: .5rem; padding: .75rem; border-top: 1px solid #ddd; }
.kindly-form input { flex: 1; min-width: 0; border: 1px solid #767680; border-radius: .5rem; padding: .5rem; }
.kindly-form button { border: 0; border-radius: .5rem; padding: .5rem .9rem; background: #2b2f77; color: #fff; cursor: pointer; }
.kindly-root :focus-visible { outline: 3px solid #f5a623; outline-offset: 1px; }
`;

// el makes an element: el("p", {id: "x"}, "text", child).
function el(tag, attributes, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, value);
  e.append(...children);
  return e;
}

// safeLink is the URL if a click on it can only go somewhere, else "".
function safeLink(value, schemes = /^(https?|mailto|tel):$/) {
  try {
    const url = new URL(String(value), location.href);
    return schemes.test(url.protocol) ? url.href : "";
  } catch {
    return "";
  }
}

const LINK_PREFIX = { link: "", email: "mailto:", phone: "tel:" };

function buttonElement(chat, say, button) {
  const label = String(button.label ?? "");
  if (button.button_type in LINK_PREFIX) {
    const href = safeLink(LINK_PREFIX[button.button_type] + button.value);
    if (href) return el("a", { href, target: "_blank", rel: "noopener noreferrer" }, label);
  }
  const b = el("button", { type: "button" }, label);
  if (button.button_type === "quick_reply") b.addEventListener("click", () => say(String(button.value ?? label)));
  else if (button.button_type === "dialogue_trigger") b.addEventListener("click", () => chat.trigger(button.value).catch(() => {}));
  else b.disabled = true; // the mock has no inbox behind it to hand over to
  return b;
}

function messageElements(chat, say, message) {
  const out = [];
  const images = (message.images ?? []).flatMap((image) => {
    const src = safeLink(image.imageUrl, /^https?:$/);
    const alt = String(image.altText ?? image.title ?? "");
    // A link, not an img: whether a picture may load is the page's CSP's matter, not ours.
    return src ? [el("a", { href: src, target: "_blank", rel: "noopener noreferrer" }, alt || src)] : [];
  });
  if (message.message !== "") out.push(el("p", { class: "kindly-message", "data-sender": message.sender }, message.message));
  const buttons = (message.buttons ?? []).map((b) => buttonElement(chat, say, b));
  if (images.length + buttons.length > 0) out.push(el("div", { class: "kindly-buttons" }, ...images, ...buttons));
  return out;
}

function statusText(chat) {
  switch (chat.state) {
    case "authenticated": {
      const who = chat.user.name || chat.user.email || chat.user.sub || chat.user.id;
      return who ? "Authenticated as " + who : "Authenticated";
    }
    case "anonymous":
      return "Not authenticated";
    case "offline":
      return "Not connected";
    default:
      return "Connecting…";
  }
}

// adoptStyles styles a document or shadow root, and returns how to undo it.
function adoptStyles(root) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(CSS);
  root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
  return () => {
    root.adoptedStyleSheets = root.adoptedStyleSheets.filter((s) => s !== sheet);
  };
}

function createView(chat, { option, shadow }) {
  const name = String(option("name").value ?? "Kindly Chat (mock)");
  const bubble = el("button", { type: "button", class: "kindly-bubble", "aria-label": "Open " + name,
    "aria-expanded": "false", "aria-controls": "kindly-chat-panel" }, "💬");
  const status = el("p", { class: "kindly-status", role: "status" }, statusText(chat));
  const log = el("div", { class: "kindly-log", role: "log", "aria-label": "Messages", tabindex: "0" });
  const input = el("input", { type: "text", "aria-label": "Your message", autocomplete: "off", maxlength: "4000" });
  const form = el("form", { class: "kindly-form" }, input, el("button", { type: "submit" }, "Send"));
  const panel = el("section", { id: "kindly-chat-panel", class: "kindly-panel", role: "dialog", "aria-label": name },
    el("header", { class: "kindly-head" }, el("h2", {}, name), status), log, form);
  panel.hidden = true;
  const root = el("div", { class: "kindly-root", "data-position": String(option("position").value ?? "right") }, panel, bubble);
  const element = el("div", { id: "kindly-chat-api" });
  const styled = shadow ? element.attachShadow({ mode: "open" }) : document;
  (shadow ? styled : element).append(root);
  const unstyle = adoptStyles(styled);

  const show = (...elements) => {
    log.append(...elements);
    log.scrollTop = log.scrollHeight;
  };
  const say = (text) =>
    chat.send(text).catch(() => show(el("p", { class: "kindly-message", "data-sender": "NOTE" }, "The message was not delivered.")));
  const toggle = (open) => {
    if (panel.hidden !== open) return;
    panel.hidden = !open;
    bubble.setAttribute("aria-expanded", String(open));
    bubble.setAttribute("aria-label", (open ? "Close " : "Open ") + name);
    (open ? input : bubble).focus();
  };

  bubble.addEventListener("click", () => toggle(panel.hidden));
  panel.addEventListener("keydown", (e) => e.key === "Escape" && toggle(false));
  form.addEventListener("submit", (e) => {
    e.preventDefault();
    say(input.value);
    input.value = "";
  });
  chat.subscribe((what, message) => {
    if (what === "state") status.textContent = statusText(chat);
    else show(...messageElements(chat, say, message));
  });

  return {
    element,
    open: () => toggle(true),
    close: () => toggle(false),
    showBubble: () => { bubble.hidden = false; },
    hideBubble: () => { bubble.hidden = true; },
    stop: () => { unstyle(); element.remove(); },
  };
}
