package subject

import (
	"errors"
	"sync"
)

// A Memo is a fact that is found out once. Whoever asks meanwhile waits. What
// kept it from being found out is final only if it lies in the target: after a
// panic, or an error that may be gone by then, the next who asks tries again.
type Memo[T any] struct {
	mu    sync.Mutex
	known bool
	tries int
	value T
	err   error
}

// mostTries bounds how often a fact is looked for that can't be found out.
const mostTries = 3

// Get returns the fact, and finds it out where nobody has.
func (m *Memo[T]) Get(find func() (T, error)) (T, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known {
		return m.value, m.err
	}
	m.tries++
	m.value, m.err = find()
	m.known = m.err == nil || errors.Is(m.err, ErrMissing) || errors.Is(m.err, errSettled) || m.tries >= mostTries
	return m.value, m.err
}

// Replace puts a newer fact in place of the one that was found.
func (m *Memo[T]) Replace(value T) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.known, m.value, m.err = true, value, nil
}

// errSettled marks an error that another try would only repeat.
var errSettled = errors.New("settled")

// settled is err, and says that another try would only repeat it.
type settledError struct{ error }

func (e settledError) Unwrap() error        { return e.error }
func (e settledError) Is(target error) bool { return target == errSettled }
