package service

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
)

// Of all that was sent, only what may have killed the service is sent again to find out.
func TestWhoIsSuspectedOfADeath(t *testing.T) {
	began := time.Now()
	sent := func(id string, from, to time.Duration, err error) *sending {
		x := &sending{running: &Running{Rule: rule.Rule{ID: id}}, title: id, began: began.Add(from), ended: began.Add(to)}
		if x.ev.Exchange.Err = err; err == nil {
			x.ev.Exchange.Response = &wire.Response{Status: http.StatusOK}
		}
		return x
	}
	const refused, reset = syscall.ECONNREFUSED, syscall.ECONNRESET
	x := sent("X", 400*ms, 410*ms, reset)
	outlived, later := sent("OUTLIVED", 350*ms, 360*ms, nil), sent("OUTLIVED FOR TOO SHORT", 360*ms, 370*ms, nil)
	outlived.outlived, later.outlived = 250*ms, 20*ms
	known := sent("KNOWN", 380*ms, 405*ms, reset)
	known.again = &Evidence{}
	plain := sent("", 395*ms, 406*ms, nil)
	all := []*sending{
		sent("LONG AGO", 0, 100*ms, nil),
		sent("ANSWERED", 300*ms, 310*ms, nil),
		outlived, later, known, plain,
		sent("CUT OFF", 402*ms, 408*ms, reset),
		x,
		sent("FOUND NOBODY", 405*ms, 406*ms, refused),
		sent("SENT AFTERWARDS", 420*ms, 500*ms, nil),
	}
	plain.plain = true
	v := &service{mu: &sync.Mutex{}, t: &Traffic{Options: Options{Now: time.Now, Patience: PatienceFor(time.Second)}}, process: &process{lately: all}}
	got := fmt.Sprint(titles(v.suspectsOf(x, 200*ms, maxSuspects)))
	want := fmt.Sprint([]string{"X X", "CUT OFF CUT OFF", "OUTLIVED FOR TOO SHORT OUTLIVED FOR TOO SHORT", "ANSWERED ANSWERED"})
	if got != want {
		t.Errorf("it suspects %s, not %s", got, want)
	}
	x.ev.Exchange.Err = context.DeadlineExceeded // of what was sent while it waited, perhaps
	if got := fmt.Sprint(titles(v.suspectsOf(x, 200*ms, maxSuspects))); got != "[CUT OFF CUT OFF X X OUTLIVED FOR TOO SHORT OUTLIVED FOR TOO SHORT ANSWERED ANSWERED]" {
		t.Errorf("it suspects %s of a time-out", got)
	}
	dead := v.findsDead(x)
	if slices.Contains(v.suspectsOf(dead, 200*ms, maxSuspects), dead) {
		t.Error("who finds it dead is suspected")
	}
}
