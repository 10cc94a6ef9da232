package service

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// A Death is one time that a process of the target died.
type Death struct {
	Address string
	Check   string   // whose request did it; "" if nobody knows
	Title   string   // of that request
	Like    string   // it was not sent: the check that says what request of the same kind did it
	Last    []string // what was sent last, where nobody knows
	Times   int      // how often the request did it
	Of      int      // of how many tries
	// Late: it was answered, and the process died after that.
	Late     bool
	Gone     bool // it did not come back
	Silent   bool // what is gone takes connections still, and answers none
	Failing  bool // what is gone answers all with an error, also what it answered well at first
	Evidence Evidence
	found    *sending // what found it dead, where nobody knows of what
}

// Blamed says whether it is known which request did it.
func (d Death) Blamed() bool { return d.Check != "" || d.Times > 0 }

// alike says whether a death was caused by the same check at the same place: several
// webhooks may share a process.
func (d Death) alike(x sending) bool {
	return d.Check != "" && d.Check == x.running.Rule.ID && place(d.Evidence.Exchange.Request) == place(x.request)
}

// like is the death that x would cause.
func (d Death) like(x sending) *Death {
	d.Title, d.Check, d.Like = x.title, x.running.Rule.ID, cmp.Or(d.Check, "LIVE-PROCESS")
	return &d
}

func place(r wire.Request) string {
	before, _, _ := strings.Cut(r.URL, "?")
	return before
}

// String says what killed the service: half a sentence.
func (d Death) String() string {
	switch {
	case d.Like != "":
		return fmt.Sprintf("%q is of a kind that kills it (see %s), and was not sent", d.Title, d.Like)
	case d.Check == "" && d.Blamed(): // what every probe begins with
		return fmt.Sprintf("%q kills it, %d of %d times", d.Title, d.Times, d.Of)
	case d.Check == "" && d.Silent:
		return "it no longer answers: it hangs, or serves one connection at a time and is held by another" + d.lately()
	case d.Check == "" && d.Failing:
		return "by now plain requests fail with an error, which were answered at first" + d.lately()
	case d.Check == "" && d.Gone:
		return "it died and did not come back" + d.lately()
	case d.Check == "":
		return "it died once and came back, and nothing that was sent did it again" + d.lately()
	case d.Silent:
		return fmt.Sprintf("since %q (%s) it no longer answers", d.Title, d.Check)
	case d.Gone:
		return fmt.Sprintf("%q (%s) killed it, and it did not come back", d.Title, d.Check)
	case d.Late:
		return fmt.Sprintf("%q (%s) kills it after it has answered, %d of %d times", d.Title, d.Check, d.Times, d.Of)
	}
	return fmt.Sprintf("%q (%s) kills it, %d of %d times", d.Title, d.Check, d.Times, d.Of)
}

// lately are the last requests, where nobody knows more.
func (d Death) lately() string {
	if len(d.Last) == 0 {
		return ", and nothing had been sent just before"
	}
	return "; the last requests were " + strings.Join(d.Last, ", ")
}

// A diedError says that a service is down for good.
type diedError struct{ death Death }

func (e *diedError) Error() string {
	return "the service at " + e.death.Address + " is down: " + e.death.String()
}

// IsDown says whether an error is that of a service that died for good.
func IsDown(err error) bool {
	var d *diedError
	return errors.As(err, &d)
}
