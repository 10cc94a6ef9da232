// What there is to see: a bubble, and a panel with the chat.

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

// speechBubble is drawn: not every computer has the character.
function speechBubble() {
  const make = (tag, attributes) => {
    const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, value);
    return e;
  };
  const svg = make("svg", { viewBox: "0 0 24 24", width: "26", height: "26", fill: "currentColor", "aria-hidden": "true" });
  svg.append(make("path", { d: "M5 3h14a3 3 0 0 1 3 3v9a3 3 0 0 1-3 3h-7l-5 4v-4H5a3 3 0 0 1-3-3V6a3 3 0 0 1 3-3z" }));
  return svg;
}

// panelElements are the parts of the panel that change, and the panel.
function panelElements(chat, name) {
  const close = el("button", { type: "button", class: "kindly-close", "aria-label": "Close " + name }, "✕");
  const status = el("p", { class: "kindly-status", role: "status" });
  const why = el("p", { class: "kindly-why" });
  const log = el("div", { class: "kindly-log", role: "log", "aria-label": "Messages", tabindex: "0" });
  const input = el("input", { type: "text", "aria-label": "Your message", placeholder: "Your message", autocomplete: "off", maxlength: "4000" });
  const form = el("form", { class: "kindly-form" }, input, el("button", { type: "submit" }, "Send"));
  const typing = el("div", { class: "kindly-typing", role: "img", "aria-label": "Kindly is writing" }, el("i", {}), el("i", {}), el("i", {}));
  const panel = el("section", { id: "kindly-chat-panel", class: "kindly-panel", role: "dialog", "aria-label": name },
    el("header", { class: "kindly-head" }, el("h2", {}, name), close, status, why), log, form);
  return { close, status, why, log, input, form, typing, panel };
}

// MAX_SHOWN is how many elements of messages stay in the panel, the newest.
const MAX_SHOWN = 1000;

function createView(chat, { option, shadow }) {
  const name = String(option("name").value ?? "Kindly Chat (mock)");
  const bubble = el("button", { type: "button", class: "kindly-bubble", "aria-label": "Open " + name,
    "aria-expanded": "false", "aria-controls": "kindly-chat-panel" }, speechBubble());
  const { close, status, why, log, input, form, typing, panel } = panelElements(chat, name);
  panel.hidden = true;
  const root = el("div", { class: "kindly-root", "data-position": String(option("position").value ?? "right") }, panel, bubble);
  const element = el("div", { id: "kindly-chat-api" });
  const styled = shadow ? element.attachShadow({ mode: "open" }) : document;
  (shadow ? styled : element).append(root);
  const unstyle = adoptStyles(styled);

  let scrolling = false;
  const show = (...elements) => {
    log.append(...elements);
    if (typing.isConnected) log.append(typing); // stays last
    while (log.childElementCount > MAX_SHOWN) log.firstElementChild.remove();
    if (scrolling) return;
    scrolling = true;
    // Once for all that comes at a time: to look at the height lays the page out.
    queueMicrotask(() => {
      scrolling = false;
      log.scrollTop = log.scrollHeight;
    });
  };
  const note = (text) => show(el("div", { class: "kindly-message", "data-sender": "NOTE" }, text));
  const failed = () => note("The message was not delivered.");
  const act = { say: (text) => chat.send(text).catch(failed), trigger: (slug) => chat.trigger(slug).catch(failed) };
  const showState = () => {
    status.textContent = statusText(chat);
    status.dataset.state = chat.state;
    why.textContent = chat.why;
  };
  const toggle = (open) => {
    if (panel.hidden !== open) return;
    panel.hidden = !open;
    bubble.setAttribute("aria-expanded", String(open));
    bubble.setAttribute("aria-label", (open ? "Close " : "Open ") + name);
    log.scrollTop = log.scrollHeight;
    (open ? input : bubble).focus();
  };

  showState();
  bubble.addEventListener("click", () => toggle(panel.hidden));
  close.addEventListener("click", () => toggle(false));
  panel.addEventListener("keydown", (e) => e.key === "Escape" && toggle(false));
  form.addEventListener("submit", (e) => {
    e.preventDefault();
    act.say(input.value);
    input.value = "";
  });
  chat.subscribe((what, detail) => {
    if (what === "state") showState();
    else if (what === "message") show(...messageElements(act, detail));
    else if (what === "trouble") note(detail);
    else if (detail > 0 && !typing.isConnected) show(typing);
    else if (detail === 0) typing.remove();
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
