// The start: where the script came from, what the page wants, one client a page.

const INSTANCE = Symbol.for("kindlytest.widget");

// currentScript is null in modules, and the element of another script never is
// ours: the page's own element comes next.
const script =
  document.currentScript ?? document.getElementById("kindly-chat") ?? document.querySelector("script[data-bot-key]");

// apiOrigin is Kindly's API for Kindly's script, else the script's own origin.
function apiOrigin(src) {
  try {
    const url = new URL(src, location.href);
    const kindlys = /(^|\.)(kindlycdn\.com|kindly\.ai)$/.test(url.hostname);
    if (!kindlys && /^https?:$/.test(url.protocol)) return url.origin;
  } catch {
    // no URL: as if it were Kindly's
  }
  return "https://bot.kindly.ai";
}

// readOptions takes the page's options as they are now: the documentation wants
// them set before the client loads. Each is looked for in kindlyOptions first.
function readOptions() {
  const isObject = (o) => o !== null && (typeof o === "object" || typeof o === "function");
  const options = isObject(window.kindlyOptions) ? window.kindlyOptions : null;
  const settings = isObject(window.kindlySettings) ? window.kindlySettings : null;
  const name = options && settings ? "both" : options ? "kindlyOptions" : settings ? "kindlySettings" : "none";
  const option = (key) => {
    const owner = options?.[key] !== undefined && options[key] !== null ? options : (settings ?? options);
    return { owner, value: owner?.[key] };
  };
  return { name, option };
}

// publish offers window.kindlyChat.
function publish(chat, view) {
  window.kindlyChat = {
    openChat: () => view.open(),
    closeChat: () => view.close(),
    showBubble: () => view.showBubble(),
    hideBubble: () => view.hideBubble(),
    triggerDialogue: (idOrSlug) => chat.trigger(idOrSlug).catch(() => {}),
    sendMessage: (text) => chat.send(text),
    getContext: () => chat.context(),
  };
  for (const name of MANNER.methods ?? []) window.kindlyChat[name] ??= () => {};
}

// whenBody calls f as soon as there is a body to put elements into.
function whenBody(f) {
  if (document.body) f();
  else document.addEventListener("DOMContentLoaded", f, { once: true });
}

function start() {
  const before = window[INSTANCE];
  const botKey = script?.dataset.botKey ?? "";
  const { name, option } = readOptions();
  const chat = new Chat(apiOrigin(script?.src || "https://chat.kindlycdn.com/"), botKey, option);
  chat.announce({
    build: BUILD,
    script_id: script?.id ?? "",
    script_src: script?.src ?? "",
    options: name,
    callback: kind(option("getAuthToken").value),
    page_url: location.href,
  });
  if (before?.alive()) return; // loaded twice: told, and that is all
  before?.stop();
  if (botKey === "") return;

  const view = createView(chat, { option, shadow: script?.dataset.shadowDom === "1" });
  const watch = new MutationObserver(() => instance.alive() || instance.stop());
  const instance = {
    mounted: false,
    // A page unmounts the client by removing its element.
    alive: () => !instance.mounted || view.element.isConnected,
    stop: () => {
      watch.disconnect();
      chat.stop();
      view.stop();
    },
  };
  Object.defineProperty(window, INSTANCE, { value: instance, configurable: true, writable: true });
  publish(chat, view);
  chat.connect();
  probeNeeds();
  whenBody(() => {
    document.body.append(view.element);
    instance.mounted = true;
    watch.observe(document.documentElement, { childList: true, subtree: true });
    const { owner, value: onLoad } = option("onLoad");
    if (typeof onLoad === "function") guard(() => onLoad.call(owner, window.kindlyChat));
    document.dispatchEvent(new CustomEvent("kindly:load"));
    for (const name of MANNER.events ?? []) document.dispatchEvent(new CustomEvent(name));
  });
}

start();
