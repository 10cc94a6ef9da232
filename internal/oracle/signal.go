package oracle

import (
	"maps"
	"slices"
)

// A signal is what tells valid answers from anonymous ones.
type signal struct {
	markers   []Marker // that show in a valid answer, and in no other
	constant  bool     // one of them shows in every valid answer
	valid     []part   // of every valid answer, unlike all anonymous ones
	anonymous []part   // of every anonymous answer, unlike all valid ones
}

// A part is a path by which one kind of answer can be told from another.
type part struct {
	path   string
	absent bool // the other kind never has the path
	open   bool // the text itself cannot be compared
}

// certain says whether two answers that agree in this part do so for a reason.
// A status does not change at random; a text, a flag or a button may.
func (p part) certain() bool { return !isBody(p.path) }

func (s signal) any() bool { return len(s.markers)+len(s.valid)+len(s.anonymous) > 0 }

// strong says whether the signal cannot have come about by chance.
func (s signal) strong() bool {
	return len(s.markers) > 0 || slices.ContainsFunc(s.valid, part.certain) ||
		slices.ContainsFunc(s.anonymous, part.certain)
}

// relearn computes the signal anew.
func (o *Oracle) relearn() {
	valid, anonymous := o.models[Valid], o.models[Anonymous]
	o.signal = signal{valid: tell(valid, anonymous, o.noisy), anonymous: tell(anonymous, valid, o.noisy)}
	for i, m := range o.opts.Markers {
		n := o.shown[Valid][i]
		if n > 0 && o.shown[Anonymous][i] == 0 && o.shown[Unreadable][i] == 0 {
			o.signal.markers = append(o.signal.markers, m)
			o.signal.constant = o.signal.constant || n == valid.n
		}
	}
}

// tell returns the parts that every answer of a has and none of b is like.
func tell(a, b *model, noisy func(string) bool) []part {
	var out []part
	for _, path := range slices.Sorted(maps.Keys(a.leaves)) {
		l := a.leaves[path]
		if l.seen < a.n || a.open(path) || b.open(path) {
			continue
		}
		switch {
		case b.leaves[path] == nil:
			out = append(out, part{path: path, absent: true, open: l.wild})
		case !l.wild && !noisy(path) && !slices.ContainsFunc(b.samples, func(d leaves) bool { return d.has(path) && l.matches(d[path]) }):
			out = append(out, part{path: path})
		case a.pool(path) && b.pool(path) && !slices.ContainsFunc(a.samples, func(d leaves) bool { return b.saw(path, d[path]) }):
			out = append(out, part{path: path, open: true})
		}
	}
	return out
}

// pool says whether path holds prose chosen out of few texts, most of which
// have been seen: Enough answers, and each text twice on average.
func (m *model) pool(path string) bool {
	l := m.leaves[path]
	if l == nil || !l.wild || !l.prose || l.seen < m.n || m.n < Enough {
		return false
	}
	texts := map[string]bool{}
	for _, d := range m.samples {
		texts[d[path]] = true
	}
	return 2*len(texts) <= len(m.samples)
}

// unsettled says whether path holds prose that differs from answer to answer.
func (m *model) unsettled() bool {
	for path, l := range m.leaves {
		if isBody(path) && l.wild && l.prose {
			return true
		}
	}
	return false
}
