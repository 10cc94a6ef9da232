// The events that the console knows, oldest first, and those of them that pass
// the filter. Both are bounded.

export const MAX = 120_000;
const SLACK = 12_000; // how many go at once: moving an array costs

export class Store {
  all = [];
  shown = this.all; // the same array while nothing is filtered out
  #passes = null;
  forgotten = 0;

  // add takes lines in the order of their numbers, and returns how many of them
  // are shown. What is known already is left out.
  add(lines) {
    let last = this.all.at(-1)?.seq ?? 0;
    let n = 0;
    for (const line of lines) {
      if (!(line.seq > last)) continue;
      last = line.seq;
      this.all.push(line);
      if (this.#passes === null) n++;
      else if (this.#passes(line)) {
        this.shown.push(line);
        n++;
      }
    }
    this.#bound();
    return n;
  }

  #bound() {
    if (this.all.length <= MAX) return;
    const first = this.all[SLACK].seq;
    this.all.splice(0, SLACK);
    this.forgotten += SLACK;
    if (this.shown !== this.all) this.shown.splice(0, place(this.shown, first));
  }

  // narrow shows what passes; null shows everything.
  narrow(passes) {
    this.#passes = passes;
    this.shown = passes ? this.all.filter(passes) : this.all;
  }

  clear() {
    this.all = [];
    this.forgotten = 0;
    this.narrow(this.#passes);
  }

  get(seq) {
    const i = place(this.all, seq);
    return this.all[i]?.seq === seq ? this.all[i] : null;
  }

  // The list's side: the newest is number 0.
  get length() {
    return this.shown.length;
  }

  at(i) {
    return this.shown[this.shown.length - 1 - i];
  }

  indexOf(seq) {
    const i = place(this.shown, seq);
    return this.shown[i]?.seq === seq ? this.shown.length - 1 - i : -1;
  }
}

// place is the index of the first line whose number is at least seq.
function place(lines, seq) {
  let low = 0, high = lines.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    if (lines[mid].seq < seq) low = mid + 1;
    else high = mid;
  }
  return low;
}
