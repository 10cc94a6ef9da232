package subject

import (
	"errors"
	"testing"
)

func TestAPanicIsNotRememberedAsAFact(t *testing.T) {
	var m Memo[string]
	func() {
		defer func() { recover() }()
		m.Get(func() (string, error) { panic("once") })
	}()
	if got, err := m.Get(func() (string, error) { return "found", nil }); got != "found" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestAnErrorIsFinalOnlyIfItLiesInTheTarget(t *testing.T) {
	for name, row := range map[string]struct {
		err  error
		want int // how often the fact is looked for in five tries
	}{
		"something passing": {errors.New("connection reset"), mostTries},
		"a missing need":    {MissingError("no page was given"), 1},
		"nobody there":      {settledError{errors.New("connection refused")}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var m Memo[string]
			tries := 0
			for range 5 {
				if _, err := m.Get(func() (string, error) { tries++; return "", row.err }); !errors.Is(err, row.err) {
					t.Errorf("got %v", err)
				}
			}
			if tries != row.want {
				t.Errorf("looked for it %d times, want %d", tries, row.want)
			}
		})
	}
	var m Memo[string]
	m.Get(func() (string, error) { return "", errors.New("once") })
	if got, err := m.Get(func() (string, error) { return "found", nil }); got != "found" || err != nil {
		t.Errorf("after something passing: %q, %v", got, err)
	}
}
