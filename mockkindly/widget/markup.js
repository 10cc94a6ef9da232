// A webhook's reply may hold simple HTML. What comes out are new elements of the
// kinds below, whatever went in: nothing of the parsed document gets into the page.

const ALLOWED = { B: "b", I: "i", EM: "em", STRONG: "strong", BR: "br", P: "p", UL: "ul", OL: "ol", LI: "li", A: "a" };

// Their content is no text for people.
const DROPPED = new Set(["SCRIPT", "STYLE", "TEMPLATE", "NOSCRIPT", "IFRAME", "OBJECT", "EMBED", "SVG", "MATH", "TEXTAREA", "SELECT", "TITLE", "HEAD", "XMP", "NOEMBED", "NOFRAMES", "PLAINTEXT"]);

const MAX_DEPTH = 20;
const MAX_NODES = 2000;

// parse reads HTML into a document of its own, in which nothing runs or loads.
// Document.parseHTML is no matter for Trusted Types; where there is only
// DOMParser, a page that forbids it gets null.
let parse = (html) => {
  const f = typeof Document.parseHTML === "function"
    ? (text) => Document.parseHTML(text)
    : (text) => new DOMParser().parseFromString(text, "text/html");
  parse = (text) => {
    try {
      return f(text);
    } catch {
      parse = () => null; // once refused, always refused
      return null;
    }
  };
  return parse(html);
};

// markup returns the nodes that show a reply.
function markup(text) {
  if (!/[<&]/.test(text)) return [text];
  const body = parse(text)?.body;
  if (!body) return [text.replace(/<[^>]*>/g, "")];
  const budget = { nodes: MAX_NODES };
  return [...body.childNodes].flatMap((n) => allowed(n, MAX_DEPTH, budget));
}

// allowed rebuilds a node. Of an element that is not allowed, what is in it stays.
function allowed(node, depth, budget) {
  if (budget.nodes-- <= 0) return [];
  // A form's properties may be its fields ("DOM clobbering"): it is not asked.
  if (node instanceof HTMLFormElement) return [];
  if (node.nodeType === Node.TEXT_NODE) return betweenBlocks(node) ? [] : [node.data];
  if (node.nodeType !== Node.ELEMENT_NODE || DROPPED.has(node.nodeName.toUpperCase())) return [];
  if (depth === 0) return [node.textContent];
  const inner = [...node.childNodes].flatMap((n) => allowed(n, depth - 1, budget));
  // By its own table only: an element of another namespace is none of ours.
  const tag = node.namespaceURI === "http://www.w3.org/1999/xhtml" && Object.hasOwn(ALLOWED, node.nodeName) ? ALLOWED[node.nodeName] : "";
  if (tag === "") return inner;
  if (tag !== "a") return [el(tag, {}, ...inner)];
  const address = node.getAttribute("href");
  const href = address && safeLink(address);
  return href ? [el("a", { href, target: "_blank", rel: "noopener noreferrer nofollow" }, ...inner)] : inner;
}

// betweenBlocks tells white space that only lays out the source: line ends are
// shown elsewhere.
function betweenBlocks(text) {
  const block = (n) => n !== null && /^(P|UL|OL|LI)$/.test(n.nodeName);
  return text.data.trim() === "" && (block(text.previousSibling) || block(text.nextSibling));
}
