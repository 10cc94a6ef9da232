package service

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"slices"
	"time"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// A lifeSign is a plain request that is answered while the service lives, and how it
// was at first.
type lifeSign struct {
	request func() (wire.Request, error)
	status  int
	page    bool // by a page
	session bool // by a session: without it, the answer may be another one
}

// lives says by what request the service shows that it is alive. ex is how it
// was answered at first. A server that lets nobody in without a certificate was never met.
func (v *service) lives(ex wire.Exchange, request func() (wire.Request, error)) {
	if errors.Is(ex.Err, wire.ErrCertificate) {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	h := ex.Request.Header
	v.signs = append(v.signs, lifeSign{request, ex.Status(), isPage(ex), h.Get("Cookie") != "" || h.Get("Authorization") != ""})
	v.pace = max(v.pace, ex.Duration)
}

// A pulse is how a service answers a plain request.
type pulse int

const (
	beats   pulse = iota
	silent        // not in time: it may be busy, or the machine may
	failing       // with an error, which it did not at first
	gone          // nobody is there
)

// alive says whether the service answers.
func (v *service) alive(ctx context.Context, client *wire.Client) bool {
	return v.pulse(ctx, client) == beats
}

// fresh is how long a look at the service counts, if nothing is sent to it meanwhile.
const fresh = time.Second

// seenAlive says whether it was a moment ago that the service answered a plain request.
func (v *service) seenAlive() bool {
	return time.Since(time.Unix(0, v.seen.Load())) < fresh
}

// pulse is how the process is: gone, or not well, as soon as one of its services is.
func (v *service) pulse(ctx context.Context, client *wire.Client) pulse {
	state := beats
	for _, one := range v.siblings() {
		switch now := one.pulseOfOne(ctx, client); {
		case now == gone:
			return gone
		case state == beats:
			state = now
		}
	}
	return state
}

// pulseOfOne sends plain requests: the service lives if one is answered, and not by a
// gateway that says that nobody is there. What is not answered by one handler of
// it may be by another.
func (v *service) pulseOfOne(ctx context.Context, client *wire.Client) pulse {
	state := v.look(ctx, client)
	v.seen.Store(0)
	switch state {
	case beats:
		v.seen.Store(time.Now().UnixNano())
	case gone:
		v.noteGone()
	}
	return state
}

func (v *service) look(ctx context.Context, client *wire.Client) pulse {
	state := beats
	for sign, r := range v.asks() {
		if ctx.Err() != nil {
			return beats
		}
		now, ex := v.ask(client, sign, r)
		if sign.session && v.standsIn(ex) { // or it is the way to log in
			continue
		}
		if now == beats || now == silent || ex.Kind() == wire.KindUnreachable {
			return now
		}
		if state != failing { // somebody is there to say so
			state = now
		}
	}
	return state
}

// asks are the plain requests that are answered while the service lives.
func (v *service) asks() iter.Seq2[lifeSign, wire.Request] {
	v.mu.Lock()
	signs := slices.Clone(v.signs)
	v.mu.Unlock()
	return func(yield func(lifeSign, wire.Request) bool) {
		for _, sign := range signs {
			if r, err := sign.request(); err == nil && !yield(sign, r) {
				return
			}
		}
	}
}

// ask sends one of them.
func (v *service) ask(client *wire.Client, sign lifeSign, r wire.Request) (pulse, wire.Exchange) {
	r.Timeout = v.haste()
	ex := v.send(v.t.base, client, isItAlive, r).Exchange
	return v.pulseOf(ex, sign), ex
}

// isItAlive is the title of such requests.
const isItAlive = "is it alive?"

// haste is how long a plain request is given by which a service shows that it lives.
func (v *service) haste() time.Duration {
	return min(v.timeout(), max(2*time.Second, v.timeout()/2))
}

// pulseOf is what the answer to a plain request tells.
func (v *service) pulseOf(ex wire.Exchange, sign lifeSign) pulse {
	switch {
	case v.limited(Evidence{Exchange: ex}): // somebody is there to say so
		v.limit.pause(Evidence{Exchange: ex}, v.t.Patience.Limit)
		return beats
	case errors.Is(ex.Err, wire.ErrNotSent), ex.Kind() == wire.KindCanceled:
		return beats
	case ex.Kind() == wire.KindTimeout:
		return silent
	case ex.Err != nil, Gateway(ex.Status()) && ex.Status() != http.StatusServiceUnavailable && ex.Status() != sign.status:
		return gone
	case ex.Status() >= http.StatusInternalServerError && sign.status < http.StatusInternalServerError:
		return failing
	case !sign.session && v.standsIn(ex):
		return gone
	}
	return beats
}

// await waits until the service is back, on a clock of its own. What it forgot
// when it died, such as the session, is made again: a service that is back may fail
// with an error for want of it.
func (v *service) await(ctx context.Context, client *wire.Client) bool {
	return v.awaitFor(ctx, client, v.t.Patience.Comeback)
}

// staysAway waits for the service in vain. Where the run is interrupted meanwhile, nobody knows.
func (v *service) staysAway(ctx context.Context, client *wire.Client) bool {
	return !v.await(ctx, client) && ctx.Err() == nil
}

func (v *service) awaitFor(ctx context.Context, client *wire.Client, most time.Duration) bool {
	if v.isDown() != nil {
		return false
	}
	patience, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	remade := false
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 250*time.Millisecond) {
		state := v.pulse(patience, client)
		if patience.Err() != nil {
			return false
		}
		if state == failing && !remade {
			v.remake()
			remade = true
			state = v.pulse(ctx, client)
		}
		if state == beats {
			v.remake()
			return true
		}
		if Sleep(patience, pause) != nil {
			return false
		}
	}
}

// remake makes again what the service may have forgotten, on a clock of its own.
func (v *service) remake() {
	var revive []func(context.Context)
	v.mu.Lock()
	for _, one := range v.process.serves {
		revive = append(revive, one.revive...)
	}
	v.mu.Unlock()
	for _, f := range revive {
		f(v.t.base)
	}
}
