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

// explained says whether what is known to have killed the service was under way when x was, or
// when it was first found gone as x found it, or just before.
func (v *service) explained(x *sending) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.ContainsFunc(v.process.lately, func(y *sending) bool {
		return y.again != nil && y.again.Killed != nil && v.explains(y, x)
	})
}

// explains says whether x found the service dead of y; mu is held by the caller.
func (v *service) explains(y, x *sending) bool {
	since := x.began
	if !x.gone.IsZero() && x.gone.Before(since) {
		since = x.gone
	}
	return !y.ended.Before(since.Add(-2*v.lateness())) && !y.began.After(x.ended)
}
