package service

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// A service is what answers at one address: endpoint, page and webhooks are
// often one process. It may die, be slow, or limit how often it is called, and
// none of that is a verdict on whoever asked at that moment.
type service struct {
	t       *Traffic
	address string

	// gate is held shared by each request, and alone by whoever must find out
	// which of several requests broke the service.
	gate sync.RWMutex
	// hangs is how many requests hung also alone, while the service lived.
	hangs atomic.Int32
	slots *semaphore.Weighted

	mu        sync.Mutex
	signs     []lifeSign
	revive    []func(context.Context) // what to do when it came back
	lately    []*sending              // under way, or ended a moment ago; oldest first
	deaths    []Death
	down      error            // it died and did not come back
	ailing    map[string]error // places whose plain requests fail by now, for good
	single    bool             // it mixes up what it is asked at the same time, or turns it away
	conflicts int              // requests that were turned away in company only
	pace      time.Duration    // of plain answers
	longest   time.Duration    // that any answer has taken
	limit     limit

	kinds    map[string]*fate
	hung     map[string]int // requests of a check at one place that hung
	settled  *sending       // the last one after which the service was seen alive
	watching *time.Timer    // until it is looked after
	closed   bool
}

// A lifeSign is a plain request that is answered while the service lives, and
// the status that it got at first.
type lifeSign struct {
	request func() (wire.Request, error)
	status  int
}

// A sending is one request on its way, and what became of it.
type sending struct {
	running      *Running
	title        string
	kind         string // of Options.Kind; "" for none
	request      wire.Request
	began, ended time.Time // ended is zero while it is under way
	plain        bool      // nothing hostile about it
	oversized    bool      // a server may answer it by hanging up
	ev           Evidence
	// again is the answer to its repetition, once somebody has looked into it.
	again *Evidence
}

// Bounds of a service's memory of what was sent to it.
const (
	maxLately   = 512
	maxSuspects = 256
)

// slowPace is from when on a service counts as slow.
const slowPace = 500 * time.Millisecond

// slow says whether a plain answer takes long.
func (v *service) slow() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.pace >= slowPace
}

// weight is what one request takes of the slots. Waiting for a slow service is
// no load on it: the slower it is, the more may wait.
func (v *service) weight() int64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case v.single && v.t.bounded != nil:
		return int64(v.t.Concurrency)
	case v.single:
		return allSlots
	case v.t.bounded != nil:
		return 1
	case v.pace >= 2*time.Second:
		return 1
	case v.pace >= slowPace || v.hangs.Load() >= fewHangs:
		return allSlots / 24
	}
	return allSlots / 8
}

// lives says by what request the service shows that it is alive. ex is how it
// was answered at first.
func (v *service) lives(ex wire.Exchange, request func() (wire.Request, error)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.signs = append(v.signs, lifeSign{request, ex.Status()})
	v.pace = max(v.pace, ex.Duration)
}

// timeout is how long the service is given to answer one request: as long as the
// user says, or longer where its plain answers take long.
func (v *service) timeout() time.Duration {
	v.mu.Lock()
	defer v.mu.Unlock()
	return min(max(v.t.Patience.Request, 4*v.pace), v.t.Patience.Longest)
}

// hasty is how long a service is waited for that leaves such requests without an answer:
// longer than its answers, plain or not, have ever taken, and no longer as if each might
// be the first to hang.
func (v *service) hasty(timeout time.Duration) time.Duration {
	v.mu.Lock()
	defer v.mu.Unlock()
	return min(timeout, max(timeout/4, 10*v.pace, 2*v.longest))
}

// do sends a request when the service can take it. An answer that tells nothing
// of the request (a limit, somebody else's damage) is not returned: it is sent
// again when that is over.
func (v *service) do(ctx context.Context, client *wire.Client, x sending) Evidence {
	var last Evidence
	waited := time.Duration(0)
	for rounds := 0; rounds < maxRounds; {
		if ctx.Err() != nil { // what was seen on the way tells nothing
			return v.unsent(x, context.Cause(ctx))
		}
		if err := v.outOfOrder(x.request); err != nil {
			return v.unsent(x, err)
		}
		attempt := x
		if d := v.enough(x); d != nil {
			return v.spared(x, *d)
		}
		if err := v.stuck(x); err != nil {
			ev := v.unsent(x, err)
			ev.Hung = true
			return ev
		}
		if v.convicted(x) {
			return v.guarded(ctx, client, &attempt)
		}
		var sent bool
		if last, sent = v.once(ctx, client, &attempt); !sent {
			continue // what it is known by now, it was not when it set out
		}
		if conflicts(last) && v.inCompany(&attempt) {
			last = v.byItself(ctx, client, &attempt)
		}
		switch {
		case v.limited(last):
			pause, again := v.limit.learn(last, waited, v.t.Patience.Limit)
			if !again || Sleep(ctx, pause) != nil {
				return last
			}
			waited += pause
			continue
		case !v.trouble(attempt):
			v.remember(attempt)
			v.outlived(x.kind, last)
			if !x.plain {
				v.quiet(client)
			}
			return last
		}
		if last.Exchange.Kind() == wire.KindTimeout && v.hangs.Load() >= fewHangs && v.alive(ctx, client) {
			v.hanged(x, last) // once more: nothing else need wait for a look into it
			last.Hung = true
			return last
		}
		ev, settled := v.investigate(ctx, client, &attempt)
		if settled {
			v.outlived(x.kind, ev)
			v.hanged(x, ev)
			return ev
		}
		rounds++
	}
	return last
}

// conflicts says whether a request was turned away for another one that is under way,
// as where the messages of a chat are answered one after another.
func conflicts(ev Evidence) bool {
	return ev.Exchange.Status() == http.StatusConflict || ev.Exchange.Status() == http.StatusLocked
}

// inCompany says whether others were under way when x was, or had just ended: a service
// may have something to do after it has answered.
func (v *service) inCompany(x *sending) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	since := x.began.Add(-v.t.Patience.Aftermath)
	return slices.ContainsFunc(v.lately, func(y *sending) bool {
		return y != x && y.began.Before(x.ended) && (y.ended.IsZero() || y.ended.After(since))
	})
}

// byItself sends a request with nothing else going on. Where that is answered otherwise
// than in company, again and again, all are sent one after another.
func (v *service) byItself(ctx context.Context, client *wire.Client, x *sending) Evidence {
	v.gate.Lock()
	defer v.gate.Unlock()
	if err := v.outOfOrder(x.request); err != nil {
		x.ev = v.unsent(*x, err)
		return x.ev
	}
	var ev Evidence
	for try := 0; try == 0 || try == 1 && conflicts(ev) && Sleep(ctx, v.t.Patience.Aftermath) == nil; try++ {
		if err := v.limit.wait(ctx); err != nil {
			x.ev = v.unsent(*x, err)
			return x.ev
		}
		ev = v.send(ctx, client, x.title, x.request)
	}
	x.ev = Evidence{Title: ev.Title, Exchange: ev.Exchange.Clip(maxKept)}
	v.end(x) // again: what it may break is looked for by when it ended
	v.mu.Lock()
	defer v.mu.Unlock()
	if ev.Exchange.Response != nil && !conflicts(ev) {
		if v.conflicts++; v.conflicts == fewConflicts {
			v.single = true
		}
	}
	return ev
}

// fewConflicts is after how many such requests no more are sent in company.
const fewConflicts = 2

// maxRounds bounds how often a request is sent again for the trouble of others.
const maxRounds = 6

// How often one check may kill a service at one place, whatever it sends: more often
// than any check has kinds of requests; and for who only reads answers, which those
// that kill it don't get.
const (
	enoughDeaths = 50
	enoughUnread = 2
)

// errSpared is the error of a request that was not sent for that.
var errSpared = errors.New("not sent: requests of this kind kill the service")

// A stuckError is that of a request that was not sent because the like of it gets no
// answer.
type stuckError struct{ check string }

func (e stuckError) Error() string {
	return "not sent: the like of it gets no answer (see " + e.check + ")"
}

func (e stuckError) Is(target error) bool { return target == errSpared }

// Spared says whether a request was not sent because the like of it kills the service,
// or gets no answer.
func Spared(ex wire.Exchange) bool { return errors.Is(ex.Err, errSpared) }

// A fate is what became of the requests of one kind.
type fate struct {
	deaths   int // how many different ones have killed the service
	first    Death
	answered bool // one was, and the service outlived it
	hung     int  // how many got no answer in time, though the service lived
	hungBy   string
}

// sealed is of how many requests of one kind, all of them deadly or without an answer,
// no other is sent.
const sealed = 2

// enoughHangs is how many requests of one check at one place, of whatever kinds, are
// waited for in vain. Each costs its time-out, and the check has failed by then.
const enoughHangs = 16

// hanged notes that the service has not answered a request of a check in time, though
// it lives.
func (v *service) hanged(x sending, ev Evidence) {
	if x.plain || ev.Exchange.Kind() != wire.KindTimeout {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.hung == nil {
		v.hung = map[string]int{}
	}
	v.hung[x.by()]++
	if f := v.fateOf(x.kind); x.kind != "" {
		if f.hung++; f.hung == 1 {
			f.hungBy = x.running.Rule.ID
		}
	}
}

// stuck says whether so many requests like x got no answer that one more tells nothing,
// and is the error for it.
func (v *service) stuck(x sending) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	f := v.kinds[x.kind]
	switch {
	case x.plain || v.hangs.Load() == 0:
	case f != nil && !f.answered && f.hung >= sealed:
		return stuckError{f.hungBy}
	case v.hung[x.by()] >= enoughHangs:
		return stuckError{x.running.Rule.ID}
	}
	return nil
}

// by is the check that sends it, and to where.
func (x sending) by() string { return x.running.Rule.ID + " " + place(x.request) }

// outlived notes that the service has answered a request of a kind, and lives.
func (v *service) outlived(kind string, ev Evidence) {
	if kind == "" || ev.Exchange.Response == nil || ev.Killed != nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.fateOf(kind).answered = true
}

// fateOf is the fate of a kind; mu is held by the caller.
func (v *service) fateOf(kind string) *fate {
	if v.kinds == nil {
		v.kinds = map[string]*fate{}
	}
	if v.kinds[kind] == nil {
		v.kinds[kind] = &fate{}
	}
	return v.kinds[kind]
}

// enough is the death that x would cause, if so many were caused by requests of its
// kind, or by its check, that one more tells nothing; or nil. What every probe begins
// with is sent once.
func (v *service) enough(x sending) *Death {
	v.mu.Lock()
	defer v.mu.Unlock()
	f := v.kinds[x.kind]
	switch deadly := f != nil && f.deaths > 0 && !f.answered; {
	case deadly && x.plain:
		d := f.first
		return &d
	case deadly && (f.deaths >= sealed || f.first.Check == ""):
		return f.first.like(x)
	}
	n, enough := 0, enoughDeaths
	if x.running.Reads {
		enough = enoughUnread
	}
	for _, d := range v.deaths {
		if d.alike(x) {
			if n++; n == enough {
				return d.like(x)
			}
		}
	}
	return nil
}

// spared is the evidence of a request that was not sent, since it would only kill the
// service as d says. Where every probe begins with the like of it, that is no doing of
// the check.
func (v *service) spared(x sending, d Death) Evidence {
	if !v.diesPlainly(x) {
		x.running.kills(d)
	}
	ev := v.unsent(x, errSpared)
	ev.Killed = &d
	return ev
}

// diesPlainly says whether the service has died of a plain request of the kind of x.
func (v *service) diesPlainly(x sending) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	f := v.kinds[x.kind]
	return f != nil && f.deaths > 0 && f.first.Check == ""
}

// guarded sends a request of a check that is known to kill the service, with
// nothing else going on, so that no other is drawn into it.
func (v *service) guarded(ctx context.Context, client *wire.Client, x *sending) Evidence {
	v.gate.Lock()
	defer v.gate.Unlock()
	if err := v.isDown(); err != nil {
		return v.unsent(*x, err)
	}
	if d := v.enough(*x); d != nil { // by what went before it, meanwhile
		return v.spared(*x, *d)
	}
	v.settle(ctx, client)
	if err := v.limit.wait(ctx); err != nil {
		return v.unsent(*x, err)
	}
	v.begin(x)
	x.ev = v.send(ctx, client, x.title, x.request)
	v.end(x)
	if v.after(ctx, client, x.ev) == beats {
		v.outlived(x.kind, x.ev)
		return x.ev
	}
	d := Death{Title: x.title, Times: 1, Of: 1, Late: answered(x)}
	d.Gone = !v.await(ctx, client)
	ev := v.killed(x, d)
	if d.Gone {
		v.bury(*ev.Killed)
	}
	return ev
}

// unsent is the evidence of a request that was not sent, since nobody is there.
func (v *service) unsent(x sending, err error) Evidence {
	return Evidence{Title: x.title, Exchange: wire.Exchange{At: v.t.Now(), Request: x.request, Err: err}}
}

// maxKept is how many bytes of an answer are remembered with what was sent lately.
const maxKept = 16 << 10

// once sends the request once, beside others, unless it has become known meanwhile to
// kill the service. It returns the whole answer; x keeps what is needed should the
// service break.
func (v *service) once(ctx context.Context, client *wire.Client, x *sending) (Evidence, bool) {
	weight := v.weight()
	if err := v.slots.Acquire(ctx, weight); err != nil {
		x.ev = v.unsent(*x, context.Cause(ctx))
		return x.ev, true
	}
	defer v.slots.Release(weight)
	if err := v.limit.wait(ctx); err != nil {
		x.ev = v.unsent(*x, err)
		return x.ev, true
	}
	v.gate.RLock()
	defer v.gate.RUnlock()
	if v.convicted(*x) || v.stuck(*x) != nil {
		return Evidence{}, false
	}
	v.begin(x)
	defer v.end(x)
	ev := v.send(ctx, client, x.title, x.request)
	x.ev = Evidence{Title: ev.Title, Exchange: ev.Exchange.Clip(maxKept)}
	if !v.limited(ev) {
		v.limit.serve()
	}
	return ev, true
}

// send is the way out, with the session's current credentials.
func (v *service) send(ctx context.Context, client *wire.Client, title string, r wire.Request) Evidence {
	r = v.t.renewed(r)
	if r.Timeout == 0 {
		r.Timeout = v.timeout()
		if RunningOf(ctx).Rule.ID != "" && v.hangs.Load() >= fewHangs {
			r.Timeout = v.hasty(r.Timeout)
		}
	}
	if c := RunningOf(ctx); c.Rule.ID != "" {
		r.Header[HeaderCheck] = []string{c.Rule.ID}
	}
	ex := client.Do(ctx, r)
	v.t.Seen(ex)
	return Evidence{Title: title, Exchange: ex}
}

func (v *service) begin(x *sending) {
	v.mu.Lock()
	defer v.mu.Unlock()
	x.began = time.Now()
	v.lately = append(v.lately, x)
	if len(v.lately) > maxLately {
		v.lately = slices.Delete(v.lately, 0, len(v.lately)-maxLately)
	}
}

func (v *service) end(x *sending) {
	v.mu.Lock()
	defer v.mu.Unlock()
	x.ended = time.Now()
}

// remember learns how long answers take.
func (v *service) remember(x sending) {
	if x.ev.Exchange.Response == nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.longest = max(v.longest, x.ev.Exchange.Duration)
	if x.plain {
		v.pace = max(v.pace, min(x.ev.Exchange.Duration, 2*v.pace+time.Second))
	}
}

func (v *service) isDown() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.down
}

// outOfOrder is why nothing more is sent where a request goes.
func (v *service) outOfOrder(r wire.Request) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return cmp.Or(v.down, v.ailing[place(r)])
}

// trouble says whether an answer may be somebody else's doing: there is none,
// or a gateway says that nobody is there.
func (v *service) trouble(x sending) bool {
	ex := x.ev.Exchange
	v.mu.Lock()
	known := len(v.signs) > 0
	usual := slices.ContainsFunc(v.signs, func(s lifeSign) bool { return s.status == ex.Status() })
	v.mu.Unlock()
	switch {
	case !known: // the first contact: whoever makes it says what is wrong
		return false
	case errors.Is(ex.Err, wire.ErrNotSent), ex.Kind() == wire.KindCanceled:
		return false
	case ex.Err != nil:
		return true
	}
	return Gateway(ex.Status()) && !usual
}

// Gateway says whether a status is what a proxy answers for a service that is
// not there.
func Gateway(status int) bool {
	return status == http.StatusBadGateway || status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout
}
