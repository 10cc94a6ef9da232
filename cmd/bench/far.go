package main

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/kindlytest/kindlytest/fixtures"
)

// distance is the round trip to a customer far away.
const distance = 100 * time.Millisecond

// measureFar checks a shop that is 100 ms away.
func measureFar(ctx context.Context, b *bench) error {
	shop, err := fixtures.Start(ctx, fixtures.Options{Listen: listenFar})
	if err != nil {
		return err
	}
	defer shop.Close()
	config, err := b.writeConfig("far.yaml", shop)
	if err != nil {
		return err
	}
	var chains []float64
	took, err := takeTurns(ctx, 1, func(ctx context.Context) (float64, error) {
		took, err := b.checkAll(ctx, config, "--rate", "10000")
		if err != nil {
			return 0, err
		}
		c, err := chain(b.path("reports"))
		chains = append(chains, c)
		return took, err
	}, func(ctx context.Context) (float64, error) { return b.checkAll(ctx, config, "--rate", "50") })
	if err != nil {
		return err
	}
	b.table.AtMost(1.5, "×", "all checks of a customer 100 ms away, of the longest chain", took[0]/median(chains), "%.1f and %.1f s", took[0]/1000, median(chains)/1000)
	b.table.AtMost(30, "s", "the same, with the 50 requests a second that are the default for others' machines", took[1]/1000, "")
	return nil
}

// chain is the longest chain that a run cannot shorten, in ms: until the page
// has given a token, and then the LIVE checks, each alone, since what kills a
// service must be known. It is taken from the run's own report.
func chain(reports string) (float64, error) {
	text, err := os.ReadFile(filepath.Join(reports, "report.json"))
	if err != nil {
		return 0, err
	}
	var report struct {
		Started  time.Time
		Timeline []struct{ At time.Time }
		Checks   []struct {
			Area       string
			DurationMS float64 `json:"duration_ms"`
		}
	}
	if err := json.Unmarshal(text, &report); err != nil {
		return 0, err
	}
	total := 0.0
	for _, t := range report.Timeline {
		total = max(total, milliseconds(t.At.Sub(report.Started)))
	}
	for _, c := range report.Checks {
		if c.Area == "LIVE" {
			total += c.DurationMS
		}
	}
	return total, nil
}

// listenFar opens a port on this machine whose connections are as slow as if it
// were far away.
func listenFar(ctx context.Context) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp4", "127.0.0.1:0")
	return farListener{l}, err
}

type farListener struct{ net.Listener }

func (l farListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	// The handshake takes a round trip too.
	f := &farConn{Conn: c, open: time.Now().Add(distance), out: make(chan delayed, 1024)}
	go f.deliver()
	return f, nil
}

// A farConn holds back what is written, for a round trip. What is read comes at
// once: only the sum of both ways can be seen from outside.
type farConn struct {
	net.Conn
	open   time.Time // when the other side would have had the connection
	out    chan delayed
	closed sync.Once
}

type delayed struct {
	due  time.Time
	text []byte // nil: the end
}

func (c *farConn) Write(p []byte) (int, error) {
	due := time.Now().Add(distance)
	if first := c.open.Add(distance); first.After(due) {
		due = first
	}
	c.out <- delayed{due, append([]byte{}, p...)}
	return len(p), nil
}

// Close sends what is held back, first.
func (c *farConn) Close() error {
	c.closed.Do(func() { c.out <- delayed{due: time.Now().Add(distance)} })
	return nil
}

func (c *farConn) deliver() {
	for d := range c.out {
		time.Sleep(time.Until(d.due))
		if d.text == nil {
			_ = c.Conn.Close() // the other side is told nothing more
			return
		}
		if _, err := c.Conn.Write(d.text); err != nil {
			_ = c.Conn.Close() // the next read of the server tells it
		}
	}
}
