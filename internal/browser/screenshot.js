// Runs in a world of its own: the page sees neither it nor what it covers. It
// changes no element of the page: texts are covered by a highlight, fields by a
// style sheet that no document holds.
(() => {
  "use strict";
  const NODES = 20000, LENGTH = 4000, ALL = 2000000, NAME = "kindlytest-cover";
  const STYLE = `
    ::highlight(${NAME}) { color: #888 !important; background-color: #888 !important; text-shadow: none !important; }
    input:not([type=button i], [type=submit i], [type=reset i], [type=checkbox i], [type=radio i]), textarea, select, [contenteditable] {
      -webkit-text-fill-color: transparent !important; color: transparent !important; text-shadow: none !important; }
    iframe, frame, object, embed { visibility: hidden !important; }`;
  let roots = [], nodes = [], covered = new Set(), complete = true;

  function walk(root) {
    roots.push(root);
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
    for (let node = walker.currentNode; node; node = walker.nextNode()) {
      if (nodes.length >= NODES) { complete = false; return; }
      if (node.nodeType === Node.TEXT_NODE && node.data.trim() && !/^(SCRIPT|STYLE|NOSCRIPT)$/.test(node.parentNode?.nodeName)) nodes.push(node);
      if (node.shadowRoot) walk(node.shadowRoot);
    }
  }

  globalThis.shutRoots = []; // the shadow trees that only DevTools can find

  // look returns the texts of the page, and which of them are covered already.
  // What is too long to be looked through whole says so, and is covered unread.
  globalThis.look = () => {
    roots = []; nodes = []; complete = true;
    for (const root of [document, ...shutRoots]) walk(root);
    if (nodes.reduce((sum, n) => sum + Math.min(n.data.length, LENGTH), 0) > ALL) return { Complete: false, Texts: [] };
    return {
      Complete: complete,
      Texts: nodes.map((n) => ({ Text: n.data.slice(0, LENGTH), Long: n.data.length > LENGTH, Covered: covered.has(n) })),
    };
  };

  // cover covers the fields, and of the texts that look returned those that are
  // listed by their place.
  globalThis.cover = (places) => {
    covered = new Set(places.map((i) => nodes[i]));
    const highlight = new Highlight();
    for (const node of covered) {
      const range = new Range();
      range.selectNodeContents(node);
      highlight.add(range);
    }
    CSS.highlights.set(NAME, highlight);
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    const before = roots.map((root) => [root, [...root.adoptedStyleSheets]]);
    for (const [root, sheets] of before) root.adoptedStyleSheets = [...sheets, sheet];
    globalThis.uncover = () => {
      for (const [root] of before) root.adoptedStyleSheets = [...root.adoptedStyleSheets].filter((s) => s !== sheet);
      CSS.highlights.delete(NAME);
      return true;
    };
    // Two frames later it is on the screen; a tab in the background has none.
    return new Promise((done) => {
      setTimeout(() => done(true), 250);
      requestAnimationFrame(() => requestAnimationFrame(() => done(true)));
    });
  };
  return true;
})()
