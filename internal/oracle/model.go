package oracle

import (
	"slices"
)

// maxSamples bounds the answers that a model remembers; what it has learned
// from older ones stays.
const maxSamples = 16

// A model is what the answers of one kind have in common.
type model struct {
	n       int // answers seen
	samples []leaves
	leaves  map[string]*leaf
}

// A leaf is what one path held.
type leaf struct {
	seen    int // in how many answers
	pattern pattern
	longest int  // words of the longest text
	wild    bool // the texts have too little in common to be compared
	prose   bool // some text was more than one word
}

func (m *model) learn(d leaves) {
	if m.leaves == nil {
		m.leaves = map[string]*leaf{}
	}
	m.n++
	if len(m.samples) == maxSamples {
		m.samples = slices.Delete(m.samples, 0, 1)
	}
	m.samples = append(m.samples, d)
	for path, text := range d {
		l := m.leaves[path]
		if l == nil {
			if len(m.leaves) >= 2*maxLeaves {
				continue
			}
			l = &leaf{}
			m.leaves[path] = l
		}
		l.learn(text)
	}
}

func (l *leaf) learn(text string) {
	ts := tokens(text)
	l.seen++
	l.longest = max(l.longest, words(ts))
	l.prose = l.prose || words(ts) > 1
	switch {
	case l.wild:
	case l.seen == 1:
		l.pattern = tidy(ts)
	default:
		l.pattern = l.pattern.merge(ts)
	}
	// Texts that share less than half of their words are different texts.
	if l.pattern.gaps() && (2*words(l.pattern) < l.longest || words(l.pattern) == 0) {
		l.wild, l.pattern = true, pattern{anyone}
	}
}

func (l *leaf) matches(text string) bool { return l.wild || l.pattern.matches(text) }

// always says whether every answer had exactly this text at path.
func (m *model) always(path, text string) bool {
	l := m.leaves[path]
	return l != nil && l.seen == m.n && !l.pattern.gaps() && l.pattern.matches(text)
}

// A likeness says how an answer compares with a model.
type likeness struct {
	like  bool
	loose bool // it has prose that can not be compared, and was not seen before
}

// likens compares an answer with the model; noisy says which paths are noise
// for another kind of answer, and so for this one.
func (m *model) likens(d leaves, noisy func(path string) bool) likeness {
	if m.n == 0 {
		return likeness{}
	}
	for path, l := range m.leaves {
		if l.seen == m.n && !d.has(path) && !m.open(path) {
			return likeness{}
		}
	}
	out := likeness{like: true}
	for path, text := range d {
		l := m.leaves[path]
		if m.open(path) || l != nil && noisy(path) {
			continue
		}
		if l == nil || !l.matches(text) {
			return likeness{}
		}
		if l.wild && l.prose && !m.saw(path, text) {
			out.loose = true
		}
	}
	return out
}

// open says whether path is within a list whose length varies, or within
// something that is not always there: nothing can be said about it.
func (m *model) open(path string) bool {
	for i := len(path) - 1; i > 0; i-- {
		if path[i] != '.' && path[i] != '[' {
			continue
		}
		if l := m.leaves[path[:i]+":list"]; l != nil && (l.wild || l.seen < m.n) {
			return true
		}
		if l := m.leaves[path[:i]+":object"]; l != nil && l.seen < m.n {
			return true
		}
	}
	return false
}

// saw says whether a remembered answer had this text at path.
func (m *model) saw(path, text string) bool {
	return slices.ContainsFunc(m.samples, func(d leaves) bool { return d.has(path) && d[path] == text })
}
