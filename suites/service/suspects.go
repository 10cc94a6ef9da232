package service

import (
	"errors"
	"slices"
	"time"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// suspectsOf are the requests that may have broken the service, the likeliest
// first: x and what else got no answer, then what had ended at most so long before, and
// about so many. Plain ones are the last that one would think of, and only where they were
// cut off. Who found nobody there has not done it.
func (v *service) suspectsOf(x *sending, before time.Duration, most int) []*sending {
	v.mu.Lock()
	defer v.mu.Unlock()
	since, noticed := x.began.Add(-before), x.ended
	if x.ev.Exchange.Kind() == wire.KindTimeout {
		noticed = x.began
	}
	var silent, answered, plain []*sending
	if !x.plain {
		silent = append(silent, x)
	}
	lately := v.process.lately
	for i := len(lately) - 1; i >= 0 && len(silent)+len(answered) < most; i-- {
		y := lately[i]
		y.lag = min(max(0, noticed.Sub(y.ended)), v.t.Patience.Latest)
		switch {
		case y.began.After(x.ended) || y.ended.Before(since):
		case y == x || y.again != nil || y.outlived > y.lag: // it is known what it does
		case y.plain && blame(y) == 3:
			plain = append(plain, y)
		case y.plain:
		case y.ev.Exchange.Err != nil || Gateway(y.ev.Exchange.Status()) || y.ev.StandIn:
			silent = append(silent, y)
		default:
			answered = append(answered, y)
		}
	}
	if x.plain {
		plain = append(plain, x)
	}
	for _, some := range [][]*sending{silent, plain} {
		slices.SortStableFunc(some, func(a, b *sending) int { return blame(b) - blame(a) })
	}
	return slices.DeleteFunc(slices.Concat(silent, answered, plain), func(y *sending) bool { return blame(y) == 0 })
}

// triedBefore are the requests that had no answer and were sent again when that was looked
// into, and after which the service was not watched for as long as it may have taken to break.
func (v *service) triedBefore(x *sending, before time.Duration) []*sending {
	v.mu.Lock()
	defer v.mu.Unlock()
	var found []*sending
	for _, y := range slices.Backward(v.process.lately) {
		if y == x || y.again == nil || y.again.Killed != nil || y.again.Exchange.Kind() == wire.KindTimeout ||
			y.plain && !cutOff(*y.again) || y.began.After(x.ended) || y.ended.Before(x.began.Add(-before)) {
			continue
		}
		if y.lag = min(max(0, x.ended.Sub(y.ended)), v.t.Patience.Latest); y.outlived <= y.lag && len(found) < maxSuspects {
			found = append(found, y)
		}
	}
	return found
}

// blame ranks how a request ended by how likely it is that it broke the service.
func blame(x *sending) int {
	if errors.Is(x.ev.Exchange.Err, errGone) {
		return 0
	}
	switch x.ev.Exchange.Kind() {
	case wire.KindReset, wire.KindOther:
		return 3
	case wire.KindTimeout:
		return 2
	case wire.KindUnreachable:
		return 0
	}
	return 1
}

// answered says whether a request was, and by the service itself.
func answered(x *sending) bool { return hasAnswer(x.ev) }

func hasAnswer(ev Evidence) bool {
	return ev.Exchange.Response != nil && !Gateway(ev.Exchange.Status()) && !ev.StandIn
}

// cutOff says whether the connection was closed in place of an answer, or something else
// than HTTP came.
func cutOff(ev Evidence) bool {
	kind := ev.Exchange.Kind()
	return kind == wire.KindReset || kind == wire.KindOther
}

// lookedInto says whether it is known of what the service has died that x found dead, or that
// nobody knows.
func (v *service) lookedInto(x *sending) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.explained(x) || slices.ContainsFunc(v.process.serves, func(o *service) bool {
		return slices.ContainsFunc(o.deaths, func(d Death) bool { return d.found != nil && v.lived(d.found).Equal(v.lived(x)) })
	})
}

// explained says whether what is known to have killed the service was under way when it was
// last seen alive before x, or just before that; mu is held by the caller.
func (v *service) explained(x *sending) bool {
	since := v.lived(x).Add(-2 * v.lateness())
	return slices.ContainsFunc(v.process.lately, func(y *sending) bool {
		return y.again != nil && y.again.Killed != nil && !y.ended.Before(since) && !y.began.After(x.ended)
	})
}

// lived is when the process was last seen alive before x was sent, as far as is known; mu is
// held by the caller.
func (v *service) lived(x *sending) (last time.Time) {
	if back := v.process.back; back.Before(x.began) {
		last = back
	}
	for _, y := range v.process.lately {
		if y != x && answered(y) && !y.ended.After(x.began) && y.ended.After(last) {
			last = y.ended
		}
	}
	if last.IsZero() {
		return x.began
	}
	return last
}
