package mockkindly

import "slices"

// A queue keeps values by key, up to a number and an amount of memory: the one
// put there first has to go first. It is not safe for concurrent use.
type queue[V any] struct {
	limit    int
	maxBytes int // of all values; 0 means that they are not counted
	values   map[string]V
	order    []string // keys, oldest first
	sizes    map[string]int
	bytes    int // the sum of sizes
}

func newQueue[V any](limit int) *queue[V] {
	return &queue[V]{limit: limit, values: map[string]V{}, sizes: map[string]int{}}
}

// within bounds the memory that the values take.
func (s *queue[V]) within(maxBytes int) *queue[V] {
	s.maxBytes = maxBytes
	return s
}

func (s *queue[V]) get(key string) (V, bool) {
	v, ok := s.values[key]
	return v, ok
}

// put stores v, in the place of the value that had the key. It returns whether
// there was one.
func (s *queue[V]) put(key string, v V) (replaced bool) {
	if _, ok := s.values[key]; ok {
		s.values[key] = v
		return true
	}
	if len(s.order) >= s.limit {
		s.dropOldest()
	}
	s.values[key] = v
	s.order = append(s.order, key)
	return false
}

// resize tells what the value of a key takes now, in bytes. The oldest values
// make room for it, but the newest stays whatever it takes.
func (s *queue[V]) resize(key string, bytes int) {
	if _, ok := s.values[key]; !ok || s.maxBytes == 0 {
		return
	}
	s.bytes += bytes - s.sizes[key]
	s.sizes[key] = bytes
	for s.bytes > s.maxBytes && len(s.order) > 1 {
		s.dropOldest()
	}
}

func (s *queue[V]) dropOldest() {
	oldest := s.order[0]
	s.bytes -= s.sizes[oldest]
	delete(s.values, oldest)
	delete(s.sizes, oldest)
	s.order = s.order[1:]
}

func (s *queue[V]) len() int { return len(s.order) }

// newest returns up to n values, newest first; all if n is 0.
func (s *queue[V]) newest(n int) []V {
	if n <= 0 || n > len(s.order) {
		n = len(s.order)
	}
	out := make([]V, 0, n)
	for i := len(s.order) - 1; len(out) < n; i-- {
		out = append(out, s.values[s.order[i]])
	}
	return out
}

// before returns up to n values put there before the one with the key, newest
// first; the newest of all if the key is empty or unknown.
func (s *queue[V]) before(key string, n int) []V {
	end := len(s.order)
	if _, ok := s.values[key]; ok {
		end = slices.Index(s.order, key)
	}
	var out []V
	for i := end - 1; i >= 0 && len(out) < n; i-- {
		out = append(out, s.values[s.order[i]])
	}
	return out
}
