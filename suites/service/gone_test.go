package service

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
)

// Who comes to look and finds nobody is not one of those that were there when the service
// died, though it may be the first to look into it.
func TestWhoFindsAServiceDeadIsNotSuspected(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int64
	go func() { // the second request ends it for good
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			buffer := make([]byte, 4<<10)
			c.Read(buffer)
			if asked.Add(1) > 1 {
				l.Close()
			} else {
				c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
			}
			c.Close()
		}
	}()
	client := wire.NewClient(wire.Options{Timeout: 5 * time.Second})
	patience := PatienceFor(5 * time.Second)
	patience.Comeback = 100 * time.Millisecond
	traffic := NewTraffic(t.Context(), Options{Client: client, Unbounded: client, Concurrency: 1, Patience: patience,
		Now: time.Now, Seen: func(wire.Exchange) {}, Problem: func(string, string) {}})
	defer traffic.Close()
	plain := func() (wire.Request, error) {
		return wire.Request{Method: "GET", URL: "http://" + l.Addr().String() + "/"}, nil
	}
	r, _ := plain()
	traffic.Watch(traffic.Do(t.Context(), "plain", r), plain)

	v := traffic.to(r)
	deadly := &sending{running: &Running{Rule: rule.Rule{ID: "LIVE-HOOK-BODY"}}, title: "empty", request: r}
	v.begin(deadly)
	deadly.ev = v.send(context.Background(), client, deadly.title, r)
	v.end(deadly)
	v.inquire(t.Context(), client, deadly)
	if deaths := traffic.Deaths(); len(deaths) != 1 || deaths[0].Check != "LIVE-HOOK-BODY" || !deaths[0].Gone {
		t.Errorf("%+v", deaths)
	}
}
