// What a message looks like: text, buttons, a carousel. No innerHTML, no inline
// styles.

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

const NEW_TAB = { target: "_blank", rel: "noopener noreferrer" };
const LINK_PREFIX = { link: "", email: "mailto:", phone: "tel:" };

// buttonElement: act is what a click may do: say(text), trigger(slug).
function buttonElement(act, button) {
  const label = String(button.label ?? "");
  if (Object.hasOwn(LINK_PREFIX, button.button_type)) {
    const href = safeLink(LINK_PREFIX[button.button_type] + button.value);
    if (href) return el("a", { href, ...NEW_TAB }, label);
  }
  const b = el("button", { type: "button" }, label);
  if (button.button_type === "quick_reply") b.addEventListener("click", () => act.say(String(button.value ?? label)));
  else if (button.button_type === "dialogue_trigger") b.addEventListener("click", () => act.trigger(button.value));
  else {
    b.disabled = true; // the mock has no inbox behind it to hand over to
    b.title = "The mock does not act out this button";
  }
  return b;
}

function slide(image) {
  const src = safeLink(image.imageUrl, /^https?:$/);
  const title = String(image.title ?? image.altText ?? "");
  const href = (image.linkUrl && safeLink(image.linkUrl, /^https?:$/)) || src;
  const item = el("li", { class: "kindly-slide" }, href ? el("a", { href, ...NEW_TAB }, title || src) : title);
  if (image.description) item.append(el("p", {}, String(image.description)));
  const show = () => src && item.prepend(el("img", { src, alt: String(image.altText ?? image.title ?? ""), referrerpolicy: "no-referrer" }));
  return { item, show };
}

// carouselElements shows the pictures only on a click: whether they may load is the
// matter of the page's CSP, and what that forbids would look like the page's fault.
function carouselElements(images) {
  const slides = images.map(slide);
  const list = el("ul", { class: "kindly-carousel", "aria-label": "Pictures", tabindex: "0" }, ...slides.map((s) => s.item));
  const button = el("button", { type: "button", class: "kindly-pictures" }, images.length === 1 ? "Show the picture" : "Show the pictures");
  button.addEventListener("click", () => {
    button.remove();
    for (const s of slides) s.show();
    list.focus();
  });
  return [list, button];
}

function messageElements(act, message) {
  const out = [];
  if (message.message !== "") {
    // Only a bot writes markup; what the user typed is shown as it was typed.
    const content = message.sender === "BOT" ? markup(message.message) : [message.message];
    out.push(el("div", { class: "kindly-message", "data-sender": message.sender }, ...content));
  }
  if (message.images?.length) out.push(...carouselElements(message.images));
  const buttons = (message.buttons ?? []).map((b) => buttonElement(act, b));
  if (buttons.length > 0) out.push(el("div", { class: "kindly-buttons" }, ...buttons));
  return out;
}
