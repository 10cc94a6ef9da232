package subject

import (
	"errors"
	"sync"
)

// A Memo is a fact that is found out once. Whoever asks meanwhile waits. What
// kept it from being found out is final only if it lies in the target: after a
// panic, or an error that may be gone by then, the next who asks tries again.
type Memo[T any] struct {
	finding sync.Mutex // held while it is found out
	tries   int

	mu    sync.Mutex
	known bool
	value T
	err   error
}

// mostTries bounds how often a fact is looked for that can't be found out.
const mostTries = 3

// Get returns the fact, and finds it out where nobody has.
func (m *Memo[T]) Get(find func() (T, error)) (T, error) {
	m.finding.Lock()
	defer m.finding.Unlock()
	if value, known, err := m.Known(); known {
		return value, err
	}
	m.tries++
	value, err := find()
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.known { // else a newer one has come
		m.value, m.err = value, err
		m.known = err == nil || errors.Is(err, ErrMissing) || errors.Is(err, errSettled) || m.tries >= mostTries
	}
	return m.value, m.err
}

// Known is the fact if it has been found out. It does not wait for whoever is
// about to.
func (m *Memo[T]) Known() (value T, known bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.value, m.known, m.err
}

// Replace puts a newer fact in place of the one that was found. It does not wait
// either.
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
