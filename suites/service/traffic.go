// Package service sends a run's requests to the services of a target, and knows
// what may come between: a service dies, is slow, or limits how often it is
// called. None of that is a verdict on whoever asked at that moment. An answer
// that tells nothing of its request is not returned; it is asked for again when
// that is over. What kills a service is found out, and told as its [Death].
package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// Options say how traffic goes out, and who is told of what.
type Options struct {
	Client      *wire.Client // bounded by --rate
	Unbounded   *wire.Client // unbounded: for many requests at once
	Concurrency int          // requests under way, to all services together; 0: each service has a bound of its own
	Patience    Patience
	Now         func() time.Time
	// Kind names what requests have in common that meet the same code of a service:
	// where each of them kills it that was sent, no more are. Nil: none have.
	Kind    func(wire.Request) string
	Seen    func(wire.Exchange)     // told of each exchange
	Problem func(text, hint string) // told of what keeps the run from checking all
}

// Traffic is all that one run sends to the services of its target. It is safe for
// concurrent use.
type Traffic struct {
	Options
	base    context.Context     // outlives single probes
	bounded *semaphore.Weighted // nil where each service has its own bound
	sent    atomic.Int64        // requests of checks
	died    atomic.Int64        // deaths that were noted

	state    sync.Mutex // of all services
	mu       sync.Mutex
	services map[string]*service // by address
	replaced map[string]string   // credentials that no longer count, and those that do
}

// NewTraffic sends nothing yet. What looks after the services ends with ctx, or
// with [Traffic.Close].
func NewTraffic(ctx context.Context, o Options) *Traffic {
	t := &Traffic{Options: o, base: ctx, services: map[string]*service{}}
	if o.Concurrency > 0 {
		t.bounded = semaphore.NewWeighted(int64(o.Concurrency))
	}
	return t
}

// Close ends what looks after the services. The clients stay open.
func (t *Traffic) Close() {
	for _, v := range t.all() {
		v.close()
	}
}

// InOrder says whether one thing is to be done after another, so that a seed
// gives the same requests in the same order.
func (t *Traffic) InOrder() bool { return t.Concurrency == 1 }

// to returns the service that a request goes to.
func (t *Traffic) to(r wire.Request) *service {
	address := Address(cmp.Or(r.ConnectTo, r.URL))
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.services[address] == nil {
		v := &service{t: t, mu: &t.state, address: address, inFlight: inFlight{most: usualInFlight}, limit: limit{now: time.Now}}
		v.process = &process{serves: []*service{v}}
		t.services[address] = v
	}
	return t.services[address]
}

// Address is where a URL is served, by which services are told apart.
func Address(raw string) string {
	address := raw
	if u, err := url.Parse(raw); err == nil {
		port := u.Port()
		if port == "" {
			port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
		}
		host := strings.ToLower(u.Hostname())
		if host == "localhost" {
			host = "127.0.0.1"
		}
		address = host + ":" + port
	}
	return address
}

// all services, in the order of their addresses.
func (t *Traffic) all() []*service {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []*service
	for _, address := range slices.Sorted(maps.Keys(t.services)) {
		out = append(out, t.services[address])
	}
	return out
}

// Do sends r politely and returns it as evidence: when its service can take it,
// and again where the answer was due to a limit, or to damage that was not its
// own. A long request whose connection broke is sent again, too: who refuses it for its
// length says so, but that may be lost with the connection.
func (t *Traffic) Do(ctx context.Context, title string, r wire.Request) Evidence {
	ev := t.deliver(ctx, sending{title: title, request: r})
	for try := 1; try < longTries && ev.Exchange.ClosedForLength() && ev.Killed == nil; try++ {
		ev = t.deliver(ctx, sending{title: title, request: r})
	}
	return ev
}

// longTries is how often a long request is sent until it is answered. Of Node's answers one
// in nine is lost.
const longTries = 4

func (t *Traffic) deliver(ctx context.Context, x sending) Evidence {
	running := RunningOf(ctx)
	x.running, x.plain = running, running.Rule.ID == ""
	if !x.plain {
		t.sent.Add(1)
	}
	if t.Kind != nil {
		x.kind = t.Kind(x.request)
	}
	v := t.to(x.request)
	ev := v.do(ctx, t.Client, x)
	running.sent(ev)
	switch {
	case v.limited(ev), errors.Is(ev.Exchange.Err, ErrLimited):
		running.hindered.Store(&ErrLimited)
		t.tooOften()
	case errors.Is(ev.Exchange.Err, wire.ErrNotSent), IsDown(ev.Exchange.Err):
		err := ev.Exchange.Err
		running.hindered.Store(&err)
	}
	return ev
}

// AtOnce sends requests at the same time, with nothing else going on, and
// returns the answers in order. What it breaks is known, and awaited.
func (t *Traffic) AtOnce(ctx context.Context, title string, requests []wire.Request) []Evidence {
	if len(requests) == 0 {
		return nil
	}
	answers := t.to(requests[0]).atOnce(ctx, t.Unbounded, title, requests)
	for _, ev := range answers {
		RunningOf(ctx).sent(ev)
	}
	return answers
}

// HangUp sends requests only halfway, and says whether the service outlived it.
func (t *Traffic) HangUp(ctx context.Context, title string, times int, r wire.Request) (*Death, error) {
	return t.to(r).hangUp(ctx, t.Unbounded, title, times, r)
}

// Undisturbed does something by other means that calls a service, with no other
// traffic to it: neither a limit that the harness has used up nor what it has sent
// before is the page's fault. Where it did not come to what it should, and the service
// has died of what was sent before, it is done again when that is over.
func (t *Traffic) Undisturbed(ctx context.Context, url string, do func() bool) {
	v := t.to(wire.Request{URL: url})
	v.lock()
	defer v.unlock()
	v.limit.rest(ctx, place(wire.Request{URL: url}))
	before := t.died.Load()
	if do() || ctx.Err() != nil {
		return
	}
	if v.settle(ctx, t.Client); t.died.Load() > before {
		do()
	}
}

// Outliving does something by other means that calls services, beside other traffic,
// and once more without it where one of them died meanwhile: which of them share a
// process, nobody knows. Where one mixes up what it is asked at the same time, there is
// no other traffic at once. do is told whether it is so, and says whether it came to
// what it should.
func (t *Traffic) Outliving(ctx context.Context, do func(alone bool) bool) {
	if !slices.ContainsFunc(t.all(), (*service).oneByOne) {
		before := t.died.Load()
		done := do(false)
		if !done && ctx.Err() == nil { // one may have died of what nobody has looked into yet
			t.Settle(ctx)
		}
		if t.died.Load() == before || ctx.Err() != nil {
			return
		}
	}
	t.InPeace(ctx, func() { do(true) })
}

// InPeace does something with no other traffic to any service, once nothing that was sent
// can still break one.
func (t *Traffic) InPeace(ctx context.Context, do func()) {
	defer t.lockAllSettled(ctx)()
	do()
}

// Hurt says whether an exchange that was not made by Do has suffered from the death
// of its service. It is waited for then, and what was exchanged can be tried again.
func (t *Traffic) Hurt(ctx context.Context, ev Evidence) bool {
	v := t.to(ev.Exchange.Request)
	if !v.trouble(sending{ev: ev}) {
		return false
	}
	v.lock()
	defer v.unlock()
	if v.pulse(ctx, t.Client) == gone {
		began := time.Now().Add(-ev.Exchange.Duration)
		v.foundDead(ctx, t.Client, &sending{request: ev.Exchange.Request, ended: began})
	}
	return v.isDown() == nil && ctx.Err() == nil
}

// TooMany says whether an answer turned a request away for being one too many: as
// [TooMany], or in a way that was found out.
func (t *Traffic) TooMany(ev Evidence) bool {
	return TooMany(ev) || t.to(ev.Exchange.Request).limited(ev)
}

// Rest waits as long as an answer asks that turned away what was not sent by Do, and
// says whether it may be tried again.
func (t *Traffic) Rest(ctx context.Context, ev Evidence) bool {
	if !t.TooMany(ev) {
		return false
	}
	pause, again := t.to(ev.Exchange.Request).limit.pause(ev, t.Patience.Limit)
	if !again {
		t.tooOften()
	}
	return again && Sleep(ctx, pause) == nil
}

// Limits says of each service that limits how often it is called what was learnt.
func (t *Traffic) Limits() []string {
	var out []string
	for _, v := range t.all() {
		if learnt := v.limit.learnt(); learnt != "" {
			out = append(out, fmt.Sprintf("%s %s. Lift the limit for kindlytest, and it takes less time.", v.address, learnt))
		}
	}
	return out
}

func (t *Traffic) tooOften() {
	t.Problem(ErrLimited.Error(), "--rate N makes kindlytest slower; or lift the limit for it.")
}

// Settle looks after all services: what they die of afterwards is found before
// anything is said of deaths.
func (t *Traffic) Settle(ctx context.Context) {
	var group sync.WaitGroup
	for _, v := range t.all() {
		if t.InOrder() {
			v.settleBeside(ctx, t.Client)
			continue
		}
		group.Go(func() { v.settleBeside(ctx, t.Client) })
	}
	group.Wait()
}

// Watch lets a service show by a plain request that it lives; first is how it was
// answered at first. Whose name nobody knows was never met, and can't die.
func (t *Traffic) Watch(first Evidence, request func() (wire.Request, error)) {
	if wire.IsUnknownName(first.Exchange.Err) {
		return
	}
	t.to(first.Exchange.Request).lives(first.Exchange, request)
}

// Ailing says whether plain requests to the place that ev comes from fail by now, or get
// no answer, which were answered well at first: then an error tells nothing of the
// request that got it.
// It is given time to recover; where it does not, nothing more is sent there.
func (t *Traffic) Ailing(ctx context.Context, ev Evidence) error {
	v := t.to(ev.Exchange.Request)
	v.lock()
	defer v.unlock()
	return v.ails(ctx, t.Client, ev)
}

// LookAtAll finds out which places that were answered well at first are not by now.
func (t *Traffic) LookAtAll(ctx context.Context) {
	for _, v := range t.all() {
		v.lock()
		v.lookAtAll(ctx, t.Client)
		v.unlock()
	}
}

// OnComeback has something done whenever the service of r is back after its
// death. It is given the way to send to it, which nothing else goes meanwhile.
func (t *Traffic) OnComeback(r wire.Request, do func(ctx context.Context, send func(title string, r wire.Request) Evidence)) {
	v := t.to(r)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.revive = append(v.revive, func(ctx context.Context) {
		do(ctx, func(title string, r wire.Request) Evidence { return v.send(ctx, t.Client, title, r) })
	})
}

// Settles takes the answer to a plain request for how its place shows from now on that
// it lives.
func (t *Traffic) Settles(ev Evidence) {
	v := t.to(ev.Exchange.Request)
	v.mu.Lock()
	defer v.mu.Unlock()
	for i, sign := range v.signs {
		if r, err := sign.request(); err == nil && place(r) == place(ev.Exchange.Request) {
			v.signs[i].status, v.signs[i].page = ev.Exchange.Status(), isPage(ev.Exchange)
		}
	}
}

// OneByOne lets the service of r get one request after another from now on: it
// mixes up what it is asked at the same time, and no answer in company tells what
// it says to one who asks alone. [Traffic.AtOnce] goes on to send at once.
func (t *Traffic) OneByOne(r wire.Request) {
	t.to(r).inFlight.one()
}

// Single says whether the service of r gets one request after another.
func (t *Traffic) Single(r wire.Request) bool {
	return t.to(r).oneByOne()
}

func (v *service) oneByOne() bool { return v.inFlight.isSingle() }

// Limiting says whether the service of r has turned requests away for being too many.
func (t *Traffic) Limiting(r wire.Request) bool { return t.to(r).limit.learnt() != "" }

// Slow says whether the service of r takes long for plain answers.
func (t *Traffic) Slow(r wire.Request) bool { return t.to(r).slow() }

// Deaths are those of all services, in the order of their addresses.
func (t *Traffic) Deaths() []Death {
	var out []Death
	for _, v := range t.all() {
		v.mu.Lock()
		out = append(out, v.deaths...)
		v.mu.Unlock()
	}
	return out
}

// Died is how many deaths were noted so far. Unlike what [Traffic.Deaths] returns, of which
// one is forgotten where it proves to be the doing of another's culprit, it never gets less.
func (t *Traffic) Died() int { return int(t.died.Load()) }

// Sent is how many requests the checks have sent so far.
func (t *Traffic) Sent() int { return int(t.sent.Load()) }

// Replace lets credentials go out instead of those that no longer count, in
// requests that were built with the old ones too.
func (t *Traffic) Replace(old, now string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.replaced == nil {
		t.replaced = map[string]string{}
	}
	t.replaced[old] = now
}

// renewed returns a copy of r with credentials that still count.
func (t *Traffic) renewed(r wire.Request) wire.Request {
	r = r.Clone()
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.replaced) == 0 {
		return r
	}
	for _, values := range r.Header {
		for i, v := range values {
			for range len(t.replaced) { // a session may have been lost more than once
				next, ok := t.replaced[v]
				if !ok {
					break
				}
				v = next
			}
			values[i] = v
		}
	}
	return r
}
