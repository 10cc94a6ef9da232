// How the chat looks. A constructable style sheet: no inline style, which a
// strict Content-Security-Policy would forbid.

const CSS = `
#kindly-chat-api, :host { all: initial; }
.kindly-root { --k-bg: #fff; --k-fg: #1b1b1f; --k-soft: #5b5b69; --k-line: #dcdce4; --k-bot: #f0f0f5; --k-brand: #3d4bb8; --k-on: #fff; --k-link: #3d4bb8;
  --k-good: #7fe0a0; --k-off: #c6c8dd; --k-bad: #a3231a;
  color-scheme: light dark; position: fixed; right: 1rem; bottom: 1rem; z-index: 2147483000; color: var(--k-fg);
  font: 400 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; display: flex; flex-direction: column; align-items: flex-end; gap: .75rem; }
@media (prefers-color-scheme: dark) { .kindly-root { --k-bg: #1d1e24; --k-fg: #e8e8ee; --k-soft: #a4a5b3; --k-line: #363843; --k-bot: #2b2d36; --k-link: #aab3ff; --k-bad: #ff9a91; } }
.kindly-root[data-position="left"] { right: auto; left: 1rem; align-items: flex-start; }
.kindly-root * { box-sizing: border-box; font: inherit; }
.kindly-root [hidden] { display: none; }
.kindly-root button, .kindly-root input { margin: 0; letter-spacing: normal; text-transform: none; }
.kindly-root :focus-visible { outline: 3px solid #f5a623; outline-offset: 1px; }

.kindly-bubble { width: 3.5rem; height: 3.5rem; border: 0; border-radius: 50%; background: var(--k-brand); color: var(--k-on);
  cursor: pointer; box-shadow: 0 2px 12px #0005; padding: 0; display: grid; place-items: center; }
.kindly-panel { width: min(23rem, calc(100vw - 2rem)); height: min(34rem, calc(100vh - 7rem)); display: flex; flex-direction: column;
  background: var(--k-bg); border-radius: .9rem; box-shadow: 0 6px 32px #0005; overflow: hidden; }
.kindly-head { background: var(--k-brand); color: var(--k-on); padding: .75rem 1rem; display: grid; grid-template-columns: 1fr auto; gap: 0 .5rem; }
.kindly-head h2 { margin: 0; font-weight: 600; font-size: 1rem; overflow-wrap: anywhere; }
.kindly-close { grid-row: span 3; align-self: start; border: 0; background: none; color: inherit; font-size: 1.1rem; line-height: 1; padding: .4rem; cursor: pointer; border-radius: .4rem; }
.kindly-status, .kindly-why { margin: 0; font-size: .85rem; overflow-wrap: anywhere; }
.kindly-status::before { content: ""; display: inline-block; width: .55rem; height: .55rem; border-radius: 50%; margin-right: .4rem; background: var(--k-off); }
.kindly-status[data-state="authenticated"]::before { background: var(--k-good); }
.kindly-why { opacity: .85; }
.kindly-why:empty { display: none; }

.kindly-log { flex: 1; overflow-y: auto; padding: 1rem; display: flex; flex-direction: column; gap: .5rem; overscroll-behavior: contain; }
.kindly-log:empty::before { content: "Write a message: it goes to the webhooks."; color: var(--k-soft); margin: auto; text-align: center; }
.kindly-message { margin: 0; padding: .5rem .8rem; border-radius: .25rem 1rem 1rem; background: var(--k-bot); max-width: 85%;
  align-self: flex-start; overflow-wrap: anywhere; white-space: pre-wrap; }
.kindly-message[data-sender="USER"] { align-self: flex-end; background: var(--k-brand); color: var(--k-on); border-radius: 1rem .25rem 1rem 1rem; }
.kindly-message[data-sender="NOTE"] { align-self: center; background: none; color: var(--k-bad); font-size: .85rem; }
.kindly-message::before { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.kindly-message[data-sender="BOT"]::before { content: "Kindly: "; }
.kindly-message[data-sender="USER"]::before { content: "You: "; }
.kindly-message b, .kindly-message strong { font-weight: 600; }
.kindly-message i, .kindly-message em { font-style: italic; }
.kindly-message p, .kindly-message ul, .kindly-message ol { margin: 0 0 .4rem; white-space: normal; }
.kindly-message > :last-child { margin-bottom: 0; }
.kindly-message ul, .kindly-message ol { padding-left: 1.3rem; }
.kindly-message a { color: var(--k-link); text-decoration: underline; }

.kindly-buttons { display: flex; flex-wrap: wrap; gap: .4rem; }
.kindly-buttons > *, .kindly-pictures { border: 1px solid var(--k-link); border-radius: 1rem; padding: .25rem .8rem; background: var(--k-bg);
  color: var(--k-link); text-decoration: none; cursor: pointer; overflow-wrap: anywhere; }
.kindly-buttons > :disabled { border-color: var(--k-line); color: var(--k-soft); cursor: not-allowed; }
.kindly-pictures { align-self: flex-start; font-size: .85rem; }
.kindly-carousel { display: flex; flex: none; gap: .5rem; margin: 0; padding: 0 0 .4rem; list-style: none; overflow-x: auto; scroll-snap-type: x proximity; }
.kindly-slide { flex: 0 0 12rem; scroll-snap-align: start; border: 1px solid var(--k-line); border-radius: .75rem; padding: .6rem .8rem; overflow-wrap: anywhere; }
.kindly-slide img { display: block; width: calc(100% + 1.6rem); height: 7.5rem; object-fit: cover; margin: -.6rem -.8rem .6rem; border-radius: .7rem .7rem 0 0; background: var(--k-bot); }
.kindly-slide a { color: var(--k-link); font-weight: 600; }
.kindly-slide p { margin: .2rem 0 0; font-size: .85rem; color: var(--k-soft); }

.kindly-typing { align-self: flex-start; display: flex; gap: .3rem; padding: .75rem .8rem; border-radius: .25rem 1rem 1rem; background: var(--k-bot); }
.kindly-typing i { width: .4rem; height: .4rem; border-radius: 50%; background: var(--k-soft); }
@media (prefers-reduced-motion: no-preference) {
  .kindly-typing i { animation: kindly-typing 1.2s infinite; }
  .kindly-typing i:nth-child(2) { animation-delay: .15s; }
  .kindly-typing i:nth-child(3) { animation-delay: .3s; }
}
@keyframes kindly-typing { 0%, 60%, 100% { opacity: .35; } 30% { opacity: 1; } }

.kindly-form { display: flex; gap: .5rem; padding: .75rem; border-top: 1px solid var(--k-line); }
.kindly-form input { flex: 1; min-width: 0; border: 1px solid #767680; border-radius: .5rem; padding: .5rem .7rem; background: var(--k-bg); color: var(--k-fg); }
.kindly-form button { border: 0; border-radius: .5rem; padding: .5rem .9rem; background: var(--k-brand); color: var(--k-on); cursor: pointer; }
`;

// adoptStyles styles a document or shadow root, and returns how to undo it.
function adoptStyles(root) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(CSS);
  root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
  return () => {
    root.adoptedStyleSheets = root.adoptedStyleSheets.filter((s) => s !== sheet);
  };
}
