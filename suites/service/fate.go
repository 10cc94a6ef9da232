package service

import (
	"errors"

	"github.com/kindlytest/kindlytest/internal/wire"
)

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
// the check; and such a request fares as the one of its kind that was sent.
func (v *service) spared(x sending, d Death) Evidence {
	plainly := v.diesPlainly(x)
	if !plainly {
		x.running.kills(d)
	}
	ev := v.unsent(x, errSpared)
	if plainly && x.plain {
		ev.Exchange = d.Evidence.Exchange
		ev.Exchange.Request = x.request
	}
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
