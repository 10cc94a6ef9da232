package main

import (
	"context"
	"net"
	"sync/atomic"
	"time"

	"github.com/kindlytest/kindlytest/target"
)

// A presence knows whether the processes of a target on this machine listen.
// Nothing tells that a foreign process does: it is tried, by a connection that
// sends nothing.
type presence struct {
	addresses atomic.Pointer[[]string]
	hurried   atomic.Int64 // until when it is tried often, in Unix nanoseconds
}

const (
	tryOften  = 20 * time.Millisecond  // while it is waited for, and after a change
	trySeldom = 250 * time.Millisecond // while nothing is expected
	hurryFor  = 3 * time.Second
)

func newPresence(t target.Target) *presence {
	p := &presence{}
	p.of(t)
	return p
}

// of makes it know another target: the file that describes it may change.
func (p *presence) of(t target.Target) {
	addresses := t.LocalAddresses()
	p.addresses.Store(&addresses)
}

// down is the first address at which nobody listens; "" if somebody does at all.
func (p *presence) down(ctx context.Context) string {
	dialer := net.Dialer{Timeout: time.Second}
	for _, address := range *p.addresses.Load() {
		conn, err := dialer.DialContext(ctx, "tcp", address)
		if err != nil {
			return address
		}
		_ = conn.Close() // it was only to be there
	}
	return ""
}

// await waits until all listen, and tells once for whom.
func (p *presence) await(ctx context.Context, tell func(address string)) error {
	for told := false; ; told = true {
		address := p.down(ctx)
		if address == "" || ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !told {
			tell(address)
		}
		if !pause(ctx, tryOften) {
			return context.Cause(ctx)
		}
	}
}

// hurry looks more often for a while: a change may make the app restart.
func (p *presence) hurry() { p.hurried.Store(time.Now().Add(hurryFor).UnixNano()) }

// watch tells whenever the app goes down or comes back.
func (p *presence) watch(ctx context.Context) <-chan bool {
	told := make(chan bool)
	go func() {
		up := p.down(ctx) == ""
		for {
			every := trySeldom
			if time.Now().UnixNano() < p.hurried.Load() {
				every = tryOften
			}
			if !pause(ctx, every) {
				return
			}
			now := p.down(ctx) == ""
			if now == up || ctx.Err() != nil {
				continue
			}
			up = now
			select {
			case told <- up:
			case <-ctx.Done():
				return
			}
		}
	}()
	return told
}

// pause waits; false if ctx is done before.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
