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

// Whatever finds a service dead of the same, however late, is explained by it, and is one death
// where nobody knows of what; what has answered in between has shown that it was another one.
func TestOneOutageIsOneDeath(t *testing.T) {
	began := time.Now()
	sent := func(id string, at time.Duration, err error) *sending {
		x := &sending{running: &Running{Rule: rule.Rule{ID: id}}, title: id, began: began.Add(at), ended: began.Add(at + ms)}
		if x.ev.Exchange.Err = err; err == nil {
			x.ev.Exchange.Response = &wire.Response{Status: http.StatusOK}
		}
		return x
	}
	const refused, reset = syscall.ECONNREFUSED, syscall.ECONNRESET
	culprit := sent("CULPRIT", 100*ms, reset)
	soon, late, next := sent("SOON", 200*ms, refused), sent("LATE", 4*time.Second, refused), sent("NEXT", 6*time.Second, refused)
	soon.gone, late.gone, next.gone = soon.ended, soon.ended, next.ended
	v := &service{mu: &sync.Mutex{}, t: &Traffic{Options: Options{Patience: PatienceFor(time.Second)}}}
	v.process = &process{serves: []*service{v}, lately: []*sending{sent("BEFORE", 0, nil), culprit, soon, late}}
	culprit.at = v

	v.noteUnexplained(soon, nil)
	if v.noteUnexplained(late, nil); len(v.deaths) != 1 {
		t.Errorf("who finds it dead later is another death: %v", v.deaths)
	}
	v.noteUnexplained(next, nil)
	v.killed(culprit, Death{Times: 1, Of: 1})
	if len(v.deaths) != 2 || v.deaths[0].found != next || v.deaths[1].Check != "CULPRIT" || !v.explained(late) || v.explained(next) {
		t.Errorf("once it is known of what, the deaths are %v", v.deaths)
	}
}
