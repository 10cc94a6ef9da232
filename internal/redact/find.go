package redact

import (
	"cmp"
	"slices"
	"strings"
	"sync"
)

// levels is how often escapes are undone: a value may stand in JSON, in a text
// in JSON, in a URL in that.
const levels = 4

// A span is a part of a text.
type span struct{ from, to int }

// A look says what is looked for, and how.
type look struct {
	depth  int  // how often escapes are undone
	cut    bool // the text goes on: the beginning of a value at its end is one
	tokens bool // also tokens that nobody told of
	values bool // only what was learnt by Learn
}

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// find returns the parts of a text that are known values, in whatever spelling,
// or signatures in an escaped token. It looks at the text as it is, and as what
// its escapes stand for.
func (r *Redactor) find(text string, l look) []span {
	if !r.holds(text, l) { // nearly always so
		return nil
	}
	var found []span
	note := func(now string, at []int, level int) {
		add := func(from, to int) {
			if at != nil {
				end := to
				for at[end] == at[to-1] { // the rest of what one escape stands for
					end++
				}
				from, to = at[from], at[end]
			}
			found = append(found, span{from, to})
		}
		r.search(fold(now), l, func(from, to int) bool { add(from, to); return true })
		if level > 0 && l.tokens {
			for _, t := range tokensIn(now) {
				add(t.End-len(t.Signature), t.End)
			}
		}
	}
	note(text, nil, 0)
	for _, outermost := range layers(text) {
		f, now, at := outermost, text, []int(nil) // at is nil while now is the text itself
		for level := 1; level <= l.depth; level++ {
			next, places, changed := unescapeAt(f, now, at, l.cut)
			if !changed {
				break
			}
			f, now, at = escapes, next, places
			note(now, at, level)
		}
	}
	return found
}

// holds is find for those who expect nothing: it does not keep where things are.
func (r *Redactor) holds(text string, l look) bool {
	if r.isIn(text, l, 0) {
		return true
	}
	spare := buffers.Get().(*[]byte)
	defer buffers.Put(spare)
	for _, outermost := range layers(text) {
		f, now := outermost, text
		for level := 1; level <= l.depth; level++ {
			next, changed := unescape(f, (*spare)[:0], nil, nil, now, l.cut)
			*spare = next
			if !changed {
				break
			}
			f, now = escapes, string(next)
			if r.isIn(now, l, level) {
				return true
			}
		}
	}
	return false
}

func (r *Redactor) isIn(text string, l look, level int) (found bool) {
	r.search(fold(text), l, func(int, int) bool { found = true; return false })
	return found || level > 0 && l.tokens && len(tokensIn(text)) > 0
}

// search calls found for the known values in a text whose pluses are spaces,
// until that returns false. What overlaps is found, too.
func (r *Redactor) search(text string, l look, found func(from, to int) bool) {
	if r == nil {
		return
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	var filled []*index
	for _, x := range []*index{&r.values, &r.tokens[0], &r.tokens[1]} {
		if x.size > 0 && (x == &r.values || !l.values) {
			filled = append(filled, x)
		}
	}
	if len(filled) == 0 {
		return
	}
	if len(text) < MinSecret {
		return
	}
	at := head(text, 0) << 8
	for i := 0; i+MinSecret <= len(text); i++ {
		at = at>>8 | uint64(text[i+MinSecret-1])<<40
		h := hash(at)
		for _, x := range filled {
			if x.bits[h/64]&(1<<(h%64)) == 0 {
				continue
			}
			p, n := x.match(at, text, i, l.cut)
			if n == 0 {
				continue
			}
			from, to := i, i+n
			if p.before && from > 0 && isBase64(text[from-1]) {
				from--
			}
			if p.after && to < len(text) && isBase64(text[to]) {
				to++
			}
			if !found(from, to) {
				return
			}
		}
	}
}

// replace puts Removed into the place of each span; those that overlap are one.
func replace(text string, spans []span) string {
	if len(spans) == 0 {
		return text
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Or(a.from-b.from, b.to-a.to) })
	var out strings.Builder
	done, end := 0, -1
	for _, s := range spans {
		if s.from < end {
			end = max(end, s.to)
			done = end
			continue
		}
		out.WriteString(text[done:s.from])
		out.WriteString(Removed)
		done, end = s.to, s.to
	}
	out.WriteString(text[done:])
	return out.String()
}
