package oracle

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// A Class is what an answer amounts to.
type Class string

const (
	Refusal   Class = "refusal"    // passes
	Stranger  Class = "stranger"   // passes: like the answer without a token
	Believed  Class = "believed"   // fails
	Error     Class = "error"      // fails: 5xx, reset, time-out
	Unknown   Class = "unknown"    // warns, and shows both answers
	InCompany Class = "in-company" // believed, and never when it is asked alone
)

// Passes says whether a forged token may be answered so.
func (c Class) Passes() bool { return c == Refusal || c == Stranger }

// A Probe is one answer to be judged.
type Probe struct {
	Exchange wire.Exchange
	Canaries []string // markers that only the forged token carries
}

// A Judgement is a class and what it rests on.
type Judgement struct {
	Class Class
	Why   string // half a sentence: "the canary ktname… shows in the answer"
	// Weak: it passes, but proves less than it should.
	Weak bool
	// Odd: it is unlike all valid answers, of which so many were seen that it is hardly chance.
	Odd bool
	// Neither: it is unknown for being like neither the valid nor the anonymous one.
	Neither bool
	shows   Marker // that it rests on
}

// Shows says whether it rests on that the answer shows m.
func (j Judgement) Shows(m Marker) bool { return j.shows == m }

// PassesSurely says whether it passes for more than that it happens to be unlike the few
// valid answers that were seen.
func (j Judgement) PassesSurely() bool { return j.Class.Passes() && (!j.Weak || j.Odd) }

// Judge classifies one answer, by the strongest evidence first: no answer, a
// canary, explicit expectations, the status, a marker, and then likeness.
func (o *Oracle) Judge(p Probe) Judgement {
	d := digest(p.Exchange, o.opts.Markers)
	o.mu.RLock()
	defer o.mu.RUnlock()
	ex := p.Exchange
	if ex.Response == nil {
		return unanswered(p)
	}
	seen := look(ex)
	if ex.Status() >= 500 {
		return Judgement{Class: Error, Why: fmt.Sprintf("status %d", ex.Status())}
	}
	for _, c := range p.Canaries {
		if seen.show(c) {
			return Judgement{Class: Believed, Why: fmt.Sprintf("the answer shows %q, which was made up for the forged token", c)}
		}
	}
	if j, ok := o.byExpectation(ex); ok {
		return j
	}
	if j, ok := o.byStatus(ex.Status()); ok {
		return j
	}
	for _, m := range o.signal.markers {
		if seen.showWord(m.Value) {
			return Judgement{Class: Believed, shows: m, Why: fmt.Sprintf("the user's %s shows in the answer, as with the valid token and not without", m.Claim)}
		}
	}
	return o.byLikeness(d)
}

func unanswered(p Probe) Judgement {
	kind := p.Exchange.Kind()
	if p.Exchange.ClosedForLength() {
		return Judgement{Class: Refusal, Why: "the connection was closed on an over-long request"}
	}
	if kind == wire.KindCanceled {
		return Judgement{Class: Unknown, Why: "the request was canceled"}
	}
	return Judgement{Class: Error, Why: "no answer: " + string(kind)}
}

func (o *Oracle) byExpectation(ex wire.Exchange) (Judgement, bool) {
	yes, no := !o.open && o.opts.Authenticated.matches(ex), o.opts.Refused.matches(ex)
	switch {
	case yes && no:
		return Judgement{Class: Unknown, Why: "the answer is as expected of an authenticated user and of a refusal"}, true
	case yes:
		return Judgement{Class: Believed, Why: "the answer is as expected of an authenticated user"}, true
	case no:
		return Judgement{Class: Refusal, Why: "the answer is the expected refusal"}, true
	}
	return Judgement{}, false
}

func (o *Oracle) byStatus(status int) (Judgement, bool) {
	switch {
	case status >= 400:
		why := fmt.Sprintf("status %d", status)
		if o.models[Valid].always("status", fmt.Sprint(status)) {
			return Judgement{Class: Refusal, Weak: true, Why: why + ", which the valid token gets too"}, true
		}
		return Judgement{Class: Refusal, Why: why}, true
	case status >= 300 || status < http.StatusOK:
		return Judgement{Class: Unknown, Neither: true, Why: fmt.Sprintf("status %d is neither an answer nor a refusal", status)}, true
	}
	return Judgement{}, false
}

// byLikeness compares the answer with what was learned.
func (o *Oracle) byLikeness(d leaves) Judgement {
	if !o.signal.any() {
		return Judgement{Class: Stranger, Weak: true, Why: "no marker shows; the answers with and without a token do not differ"}
	}
	stranger := o.models[Anonymous].likens(d, o.noisy)
	if p, ok := o.proof(d, stranger); ok {
		why := "the answer is like the valid one, and unlike the anonymous one, in " + p.path
		if !p.certain() && o.models[Valid].n < Enough {
			return Judgement{Class: Unknown, Why: why + "; but too few controls were seen to rule out chance"}
		}
		return Judgement{Class: Believed, Why: why}
	}
	valid := o.models[Valid].likens(d, o.noisy)
	odd := (!valid.like || o.signal.constant) && !o.few()
	if stranger.like {
		return Judgement{Class: Stranger, Weak: stranger.loose, Odd: odd, Why: "the answer is like the one without a token"}
	}
	if l := o.unreadable(d); l.like {
		return Judgement{Class: Refusal, Weak: l.loose, Why: "the answer is like the one to a token that nobody can read"}
	}
	if o.signal.constant && (!valid.like || valid.loose) {
		return Judgement{Class: Stranger, Weak: true, Odd: odd, Why: "the answer was not seen before, and shows nothing of the user, as every valid answer does"}
	}
	return Judgement{Class: Unknown, Neither: true, Why: "the answer is like neither the valid nor the anonymous one"}
}

// unreadable compares the answer with those to unreadable tokens, unless these
// are like the valid ones.
func (o *Oracle) unreadable(d leaves) likeness {
	r := o.models[Unreadable]
	for _, sample := range o.models[Valid].samples {
		if r.likens(sample, o.noisy).like {
			return likeness{}
		}
	}
	return r.likens(d, o.noisy)
}

// noisy says whether a path holds a value that changes from answer to answer
// in any kind of answer. Prose is not noise: greetings may change for
// strangers alone.
func (o *Oracle) noisy(path string) bool {
	for _, m := range o.models {
		if l := m.leaves[path]; l != nil && l.wild && !l.prose {
			return true
		}
	}
	return false
}

// proof returns the part of an answer that shows that the token was believed.
// A text that tells is enough. A status, or something that only anonymous
// answers have, is enough where the rest of the answer was seen before, or
// where nobody who is refused gets a 2xx: otherwise a refusal may come with
// the same status as a welcome.
func (o *Oracle) proof(d leaves, stranger likeness) (part, bool) {
	valid := o.models[Valid].likens(d, o.noisy)
	if !valid.like || stranger.like && !stranger.loose {
		return part{}, false
	}
	accounted := !valid.loose || o.refusesByStatus()
	var found []part
	for _, p := range o.signal.valid {
		if d.has(p.path) && (accounted || isBody(p.path) && !p.open) {
			found = append(found, p) // valid.like: the text fits
		}
	}
	for _, p := range o.signal.anonymous {
		if accounted && p.absent && !d.has(p.path) {
			found = append(found, p)
		}
	}
	if len(found) == 0 {
		return part{}, false
	}
	if i := slices.IndexFunc(found, part.certain); i >= 0 {
		return found[i], true
	}
	return found[0], true
}

// refusesByStatus says whether all who are not known get a 4xx, so that a 2xx
// is a welcome whatever it says.
func (o *Oracle) refusesByStatus() bool {
	for _, kind := range []Kind{Anonymous, Unreadable} {
		if o.models[kind].n == 0 {
			return false
		}
		for _, d := range o.models[kind].samples {
			if !strings.HasPrefix(d["status"], "4") {
				return false
			}
		}
	}
	return true
}
