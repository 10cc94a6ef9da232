// Package oracle says whether a webhook believed a token. A status proves
// nothing: many webhooks answer 200 to everyone and put the difference in the
// text. So the oracle learns from controls how the webhook answers the valid
// token and no token, and compares.
//
//	o, err := oracle.Learn(oracle.Controls{Valid: valid, Anonymous: anonymous},
//		oracle.Options{Markers: []oracle.Marker{{Claim: "name", Value: "Ada"}}})
//	for o.WantsMore() { // texts that may have agreed by chance
//		o.Observe(oracle.Valid, send(withToken))
//		o.Observe(oracle.Anonymous, send(withoutToken))
//	}
//	j := o.Judge(oracle.Probe{Exchange: ex, Canaries: forged.Canaries})
//	if !j.Class.Passes() { … } // believed, an error, or unknown
//
// What differs between two equal requests is noise, and is not compared. An
// accusation needs evidence: a canary of the forged token, a marker of the
// page's user, or an answer that is like the valid one in something that tells
// it from the anonymous one. Everything else is Unknown.
package oracle

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// A Kind is a kind of control.
type Kind uint8

const (
	Valid     Kind = iota // with the page's valid token
	Anonymous             // without a token
	// Unreadable is a token that holds no identity ("kindlytest"). Nobody can
	// believe it, so an answer like the one it gets is a refusal. Optional:
	// webhooks that refuse politely, and not as they answer strangers, are
	// recognised by it.
	Unreadable
	kinds
)

func (k Kind) String() string {
	return [...]string{"valid", "anonymous", "unreadable", "unknown"}[min(k, kinds)]
}

// Controls are the answers to equal requests; two or more of each kind that is
// given. Valid and Anonymous are required.
type Controls struct {
	Valid, Anonymous, Unreadable []wire.Exchange
}

// Options are what is known before anything is sent.
type Options struct {
	// Markers are claims of the page's token that may show in an answer.
	Markers []Marker
	// Authenticated and Refused say how the target answers; they outrank
	// every comparison. Nil means that the oracle finds out.
	Authenticated, Refused *Expectation
}

// Enough is the number of answers of one kind after which it is unlikely that
// texts chosen at random have agreed by chance (1 in 32 for two texts).
const Enough = 6

// An Oracle judges the answers of one webhook to one kind of request. It is
// safe for concurrent use.
type Oracle struct {
	opts Options

	mu     sync.RWMutex
	models [kinds]*model
	shown  [kinds][]int // for each marker, how many controls showed it
	signal signal
	// open says that strangers get what is expected of an authenticated user: then
	// it tells nothing of who was believed.
	open bool
}

// Learn returns an oracle that knows the controls. It fails where a control
// has no answer, or an expectation says nothing.
func Learn(c Controls, o Options) (*Oracle, error) {
	for name, e := range map[string]*Expectation{"authenticated": o.Authenticated, "refused": o.Refused} {
		if err := e.validate(); err != nil {
			return nil, fmt.Errorf("the expectation %q: %w", name, err)
		}
	}
	out := &Oracle{opts: o}
	for i := range out.models {
		out.models[i] = &model{}
		out.shown[i] = make([]int, len(o.Markers))
	}
	for kind, samples := range [kinds][]wire.Exchange{c.Valid, c.Anonymous, c.Unreadable} {
		if n := len(samples); n < 2 && (n == 1 || Kind(kind) != Unreadable) {
			return nil, fmt.Errorf("%d %s controls: at least two are needed to tell noise from signal", n, Kind(kind))
		}
		for _, ex := range samples {
			if err := out.observe(Kind(kind), ex); err != nil {
				return nil, err
			}
		}
	}
	out.relearn()
	return out, nil
}

// Observe adds one more control. It fails, and learns nothing, where the
// control has no answer.
func (o *Oracle) Observe(kind Kind, ex wire.Exchange) error {
	if kind >= kinds {
		return errors.New("there is no such kind of control")
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.observe(kind, ex); err != nil {
		return err
	}
	o.relearn()
	return nil
}

func (o *Oracle) observe(kind Kind, ex wire.Exchange) error {
	if ex.Response == nil {
		return fmt.Errorf("the %s control has no answer: %w", kind, errOf(ex))
	}
	o.open = o.open || kind == Anonymous && o.opts.Authenticated.matches(ex)
	o.models[kind].learn(digest(ex, o.opts.Markers))
	seen := look(ex)
	for i, m := range o.opts.Markers {
		if m.usable() && seen.showWord(m.Value) {
			o.shown[kind][i]++
		}
	}
	return nil
}

func errOf(ex wire.Exchange) error {
	if ex.Err != nil {
		return ex.Err
	}
	return errors.New("neither answer nor error")
}

// Signal says whether the answers with and without the token differ, beyond
// noise. Where they don't, only canaries and statuses speak.
func (o *Oracle) Signal() bool {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return o.signal.any()
}

// Apart says whether valid answers lack what all anonymous ones have in common, or have
// what none of these has. Where each anonymous answer is another text, one more is no sign.
func (o *Oracle) Apart() bool {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return len(o.signal.anonymous) > 0 || slices.ContainsFunc(o.signal.valid, func(p part) bool { return p.absent || p.certain() })
}

// Distance says how much the answers with and without the token differ: 0 where
// there is no signal. That an answer names the user tells more than any number of
// parts, and a part that can't have changed by chance more than one that can.
func (o *Oracle) Distance() int {
	o.mu.RLock()
	defer o.mu.RUnlock()
	d := 0
	for _, p := range append(slices.Clone(o.signal.valid), o.signal.anonymous...) {
		if d++; p.certain() {
			d += 100
		}
	}
	if len(o.signal.markers) > 0 {
		d += 10_000
	}
	return d
}

// Named says whether valid answers show who the user is, and others don't: then
// it is the token that makes the difference.
func (o *Oracle) Named() bool {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return len(o.signal.markers) > 0
}

// Nameless is about the share of valid answers that don't show who the user is.
func (o *Oracle) Nameless() float64 {
	o.mu.RLock()
	defer o.mu.RUnlock()
	most, n := 0, o.models[Valid].n
	for i, m := range o.opts.Markers {
		if slices.Contains(o.signal.markers, m) {
			most = max(most, o.shown[Valid][i])
		}
	}
	return float64(n-most+1) / float64(n+1)
}

// Seen says how many controls of a kind were seen.
func (o *Oracle) Seen(kind Kind) int {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return o.models[kind].n
}

// Few says that so few valid answers were seen that what they have in common another one may
// lack by chance: of four texts, three may name the user.
func (o *Oracle) Few() bool {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return o.few()
}

// few is Few for who holds o.mu.
func (o *Oracle) few() bool { return o.models[Valid].n < 2*Enough }

// WantsMore says that more controls would tell more: the answers differ in
// texts alone, or change at random, and were seen so seldom that texts may have
// agreed, or differed, by chance. Until it is content, likeness to the valid
// answer is no accusation, but Unknown. It is content after Enough of both
// kinds at the latest.
func (o *Oracle) WantsMore() bool {
	o.mu.RLock()
	defer o.mu.RUnlock()
	valid, anonymous := o.models[Valid], o.models[Anonymous]
	few := valid.n < Enough || anonymous.n < Enough
	unclear := o.signal.any() || valid.unsettled() || anonymous.unsettled()
	return few && unclear && !o.signal.strong() && o.opts.Authenticated == nil
}
