// What the mock advises is said where developers look.

const told = new Set();

// advise says what is wrong, once: a call that fails may be made again and again.
function advise(data) {
  const all = Array.isArray(data?.advice) ? data.advice.slice(0, 8) : [];
  for (const { id, text, fix, more } of all) {
    const words = `kindlytest: ${id}: ${text}\nFix: ${fix}\nMore: ${more} (or: kindlytest explain ${id})`;
    if (told.has(words)) continue;
    told.add(words);
    console.warn(words);
  }
}
