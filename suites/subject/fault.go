package subject

import (
	"github.com/kindlytest/kindlytest/internal/wire"
)

// A Fault is why the valid request is not accepted. One check speaks of it; all
// others can't tell.
type Fault struct {
	Check string   // that speaks of it
	Cause string   // the cause's ID; "" where nobody knows
	What  string   // "the valid request gets status 401"
	Seen  Evidence // the answer
	// Instead is what is accepted in its place, where that was found, and yet can't
	// stand for the valid request in other checks.
	Instead *Mended
	Fix     string // "" where the cause says it
	// Beside is what an experiment showed of it: "sent 8 times, it is accepted 4 times".
	Beside string
	// Who answers in the webhook's place; "" where it may be itself.
	Who string
	// Inferred: the cause is concluded from what the answer says, or from its status.
	Inferred bool
	// Lacks is what would tell whether the webhook is at fault, or the token that was
	// made with the private key alone; "" where that is plain.
	Lacks string
}

// Verdict is what the check that speaks of it says.
func (f Fault) Verdict(expected, actual string) Verdict {
	if f.Who != "" {
		actual += ", from " + f.Who
	}
	if ex := f.Seen.Exchange; ex.Kind() == wire.KindOther {
		actual += ": " + Bound(ex.Err.Error(), 200)
	}
	v := Violated(expected, actual).Because(f.Cause).Inferring(f.Inferred).Fix(f.Fix)
	if f.Beside != "" {
		v.Actual += "; " + f.Beside
	}
	if m := f.Instead; m != nil {
		v.Actual += "; it accepts " + m.Name
		v = v.Fix(m.Fix).With(m.Seen)
	}
	return v.With(f.Seen)
}

// A Mended mistake is one that was confirmed by an experiment: the request that
// makes it is accepted.
type Mended struct {
	Cause string // the cause's ID
	Name  string // what the webhook expects
	Fix   string
	Seen  Evidence // the answer
}
