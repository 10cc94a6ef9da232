package service

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// What a request leaves behind may break the ones after it, and no process ends of that:
// a pool whose connections are not given back, a lock that is kept, a full queue. Such a
// place fails from some time on, whatever it is asked.

// ails is why nothing can be told of the place that a request goes to: a plain request
// to it, which was answered well at first, fails for good or gets no answer.
func (v *service) ails(ctx context.Context, client *wire.Client, ev Evidence) error {
	r := ev.Exchange.Request
	if err := v.outOfOrder(r); err != nil {
		return err
	}
	at := place(r)
	patience, cancel := context.WithTimeout(ctx, v.t.Patience.Comeback)
	defer cancel()
	remade := false
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		state := v.stateAt(client, at)
		if state == failing && !remade { // it may have been another process for a while, which has no session
			v.remake()
			remade = true
			state = v.stateAt(client, at)
		}
		if state == beats {
			return nil
		}
		if Sleep(patience, pause) == nil {
			continue
		}
		if ctx.Err() != nil {
			return nil // nobody waits for it any more
		}
		err := &diedError{Death{Address: v.address, Last: titles(v.recent(at)), Gone: true, Failing: state != silent, Silent: state == silent, Evidence: ev}}
		v.note(err.death)
		whole := v.pulse(ctx, client) != beats
		v.mu.Lock()
		if whole {
			v.down = err
		}
		if v.ailing == nil {
			v.ailing = map[string]error{}
		}
		v.ailing[at] = err
		v.mu.Unlock()
		v.t.Problem(err.Error()+".", "Restart it, and see in its log what it waits for or has run out of: what a refused request takes (a connection, a lock) must be given back.")
		return err
	}
}

// speaks says whether somebody answers elsewhere at the address, be it that there is no such
// page: what has ended, or is held by a request, answers nobody.
func (v *service) speaks(client *wire.Client, but string) bool {
	for sign, r := range v.asks() {
		if place(r) != but {
			if state, _ := v.ask(client, sign, r); state == beats {
				return true
			}
		}
	}
	for _, r := range v.asks() {
		r = wire.Request{Method: http.MethodGet, URL: root(r.URL), ConnectTo: root(r.ConnectTo), Header: http.Header{}, Timeout: v.haste()}
		ex := v.send(v.t.base, client, isItAlive, r).Exchange
		return ex.Response != nil && !Gateway(ex.Status())
	}
	return false
}

// root is the URL of a server's first page; "" of none.
func root(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || raw == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host + "/"
}

// stateAt is how a plain request to a place is answered; beats where none is known.
func (v *service) stateAt(client *wire.Client, at string) pulse {
	for sign, r := range v.asks() {
		if place(r) == at {
			state, _ := v.ask(client, sign, r)
			return state
		}
	}
	return beats
}

// lookAtAll asks all places that were answered well at first.
func (v *service) lookAtAll(ctx context.Context, client *wire.Client) {
	for _, r := range v.asks() {
		v.ails(ctx, client, Evidence{Exchange: wire.Exchange{Request: r}})
	}
}

// recent are the requests to a place that were sent last, but for plain ones.
func (v *service) recent(at string) []*sending {
	v.mu.Lock()
	defer v.mu.Unlock()
	var out []*sending
	for _, x := range slices.Backward(v.process.lately) {
		if !x.plain && place(x.request) == at {
			out = append(out, x)
		}
	}
	return out
}
