package config

import (
	"slices"
	"strconv"
	"strings"
)

// minSecret is how long a variable's value must be to be looked for: a shorter one
// is everywhere.
const minSecret = 4

// An environment gives a file its variables, and keeps their values out of what is
// said about the file: a variable holds a secret, as like as not.
type environment struct {
	lookup func(name string) (string, bool)
	values map[string]string // by name, those that were asked for
}

func (e *environment) get(name string) (string, bool) {
	value, ok := e.lookup(name)
	if ok {
		e.values[name] = value
	}
	return value, ok
}

// scrub puts ${NAME} in the place of each value, plain or quoted as %q does.
func (e *environment) scrub(text string) string {
	var names []string
	for name, value := range e.values {
		if len(value) >= minSecret {
			names = append(names, name)
		}
	}
	// The longest first: one can be part of another.
	slices.SortFunc(names, func(a, b string) int {
		if d := len(e.values[b]) - len(e.values[a]); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	var pairs []string
	for _, name := range names {
		value := e.values[name]
		quoted := strconv.Quote(value)
		pairs = append(pairs, value, "${"+name+"}", quoted[1:len(quoted)-1], "${"+name+"}")
	}
	return strings.NewReplacer(pairs...).Replace(text)
}
