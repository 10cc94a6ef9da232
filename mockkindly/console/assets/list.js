// A list of any length that keeps only the rows in sight in the document. A row
// stays with its item while that is in sight: when others come in above, it moves
// and nothing of it is written again, so nothing flickers.

import { attr, el } from "./dom.js";

const OVERSCAN = 6;

export class List {
  #box;
  #inner = el("div", { class: "rows", role: "presentation" });
  #rows = new Map(); // key → row in the document
  #free = [];
  #source;
  #height = 28;
  #total = 0;
  #extent = -1; // of all rows, in px
  selected = null; // a key

  // source: length, at(i), key(item), create() → element, fill(element, item),
  // version(item) if items change. pick(item) is called on a click.
  constructor(box, source) {
    this.#box = box;
    this.#source = source;
    box.append(this.#inner);
    box.addEventListener("scroll", () => this.render(), { passive: true });
    box.addEventListener("click", (e) => {
      const row = e.target.closest("[role=option]");
      const item = row && this.#find(row);
      if (item) source.pick(item);
    });
    new ResizeObserver(() => this.#measure()).observe(box);
    this.#measure();
  }

  #find(row) {
    for (const shown of this.#rows.values()) if (shown.element === row) return shown.item;
    return null;
  }

  #measure() {
    const height = parseFloat(getComputedStyle(this.#box).getPropertyValue("--row")) || 28;
    if (height !== this.#height) this.#box.scrollTop *= height / this.#height;
    this.#height = height;
    this.render();
  }

  // grown tells that n items came in at the top. Who has scrolled down keeps
  // seeing what they saw.
  grown(n) {
    const top = this.#box.scrollTop;
    if (n > 0 && top > 0) {
      this.#resize();
      this.#box.scrollTop = top + n * this.#height;
    }
    this.render();
  }

  #resize() {
    this.#total = this.#source.length;
    const extent = this.#total * this.#height;
    if (extent === this.#extent) return;
    this.#extent = extent;
    this.#inner.style.height = extent + "px";
  }

  toTop() {
    this.#box.scrollTop = 0;
    this.render();
  }

  render() {
    this.#resize();
    const first = Math.max(0, Math.floor(this.#box.scrollTop / this.#height) - OVERSCAN);
    const end = Math.min(this.#total, Math.ceil((this.#box.scrollTop + this.#box.clientHeight) / this.#height) + OVERSCAN);
    const wanted = new Map();
    for (let i = first; i < end; i++) {
      const item = this.#source.at(i);
      wanted.set(this.#source.key(item), { item, i });
    }
    for (const [key, row] of this.#rows) {
      if (wanted.has(key)) continue;
      this.#rows.delete(key);
      this.#free.push(row);
    }
    for (const [key, { item, i }] of wanted) this.#place(key, item, i);
    // What is left over is hidden, and used again.
    for (const row of this.#free) row.element.hidden = true;
    const active = this.#rows.get(this.selected)?.element.id;
    if (active) attr(this.#box, "aria-activedescendant", active);
    else this.#box.removeAttribute("aria-activedescendant");
  }

  #place(key, item, i) {
    let row = this.#rows.get(key);
    if (!row) {
      row = this.#free.pop() ?? this.#make();
      this.#rows.set(key, row);
      row.version = undefined;
      row.element.hidden = false;
    }
    const version = this.#source.version?.(item) ?? key;
    if (row.version !== version || row.item !== item) {
      row.version = version;
      row.item = item;
      this.#source.fill(row.element, item);
    }
    const top = i * this.#height;
    if (row.top !== top) {
      row.top = top;
      row.element.style.transform = `translateY(${top}px)`;
    }
    attr(row.element, "aria-posinset", String(i + 1));
    attr(row.element, "aria-setsize", String(this.#total));
    attr(row.element, "aria-selected", String(key === this.selected));
  }

  #make() {
    const element = this.#source.create();
    element.id = "row-" + ++List.made;
    element.setAttribute("role", "option");
    this.#inner.append(element);
    return { element };
  }

  static made = 0;

  // select marks an item, and scrolls to it if its place is known.
  select(key, i = -1) {
    this.selected = key;
    if (i >= 0) this.#reveal(i);
    this.render();
  }

  #reveal(i) {
    this.#resize();
    const top = i * this.#height, box = this.#box;
    if (top < box.scrollTop) box.scrollTop = top;
    else if (top + this.#height > box.scrollTop + box.clientHeight) box.scrollTop = top + this.#height - box.clientHeight;
  }

  // page is how many rows are in sight.
  get page() {
    return Math.max(1, Math.floor(this.#box.clientHeight / this.#height) - 1);
  }
}
