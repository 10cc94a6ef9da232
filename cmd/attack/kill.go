package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// tryKills ends serve --db while it is busy, and looks whether all is kept that it
// has acknowledged.
func tryKills(ctx context.Context, a *attack) error {
	acknowledged, lost := 0, 0
	for round := range *kills {
		// A file of its own for ten rounds: the next takes over what was left.
		db := a.path(fmt.Sprintf("kill-%d.db", round/10))
		m, err := a.serve(ctx, db)
		if err != nil {
			return err
		}
		events := m.load(ctx, rand.IntN(60), func() { m.kill(syscall.SIGKILL) })
		n, err := a.missing(ctx, db, events)
		if err != nil {
			return err
		}
		acknowledged += len(events)
		lost += n
	}
	a.table.Judge(lost == 0 && acknowledged > *kills, fmt.Sprintf("serve --db, kill -9 under load, %d times", *kills),
		fmt.Sprintf("%d events acknowledged, %d lost", acknowledged, lost), "0 lost")
	if err := a.tryFullDisk(ctx); err != nil {
		return err
	}
	for _, synced := range []bool{true, false} {
		if err := a.tryPowerCuts(ctx, synced); err != nil {
			return err
		}
	}
	return nil
}

// missing counts the acknowledged events that a mock which goes on with the file
// does not know.
func (a *attack) missing(ctx context.Context, db string, acknowledged []string) (int, error) {
	m, err := a.serve(ctx, db)
	if err != nil {
		return 0, fmt.Errorf("after a kill: %w", err)
	}
	defer m.kill(syscall.SIGTERM)
	kept, err := m.journal(ctx)
	if err != nil {
		return 0, err
	}
	lost := 0
	for _, e := range acknowledged {
		if !kept[e] {
			lost++
		}
	}
	return lost, nil
}

// A mock is a kindlytest serve that runs.
type mock struct {
	cmd   *exec.Cmd
	base  string
	said  strings.Builder
	ended chan struct{}
}

var address = regexp.MustCompile(`^Kindly is at (http://\S+)`)

// serve starts one, and waits until it says where it is.
func (a *attack) serve(ctx context.Context, db string, args ...string) (*mock, error) {
	m := &mock{ended: make(chan struct{}), cmd: exec.CommandContext(ctx, a.program(),
		append([]string{"serve", "--listen", "127.0.0.1:0", "--db", db, "--webhook", "http://127.0.0.1:1/closed"}, args...)...)}
	m.cmd.Stderr = &m.said
	out, err := m.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := m.cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(out)
	for m.base == "" && lines.Scan() {
		if found := address.FindStringSubmatch(lines.Text()); found != nil {
			m.base = found[1]
		}
	}
	go func() {
		defer close(m.ended)
		_, _ = io.Copy(io.Discard, out)
		_ = m.cmd.Wait() // it is killed, as a rule
	}()
	if m.base == "" {
		<-m.ended
		return nil, errors.Join(ctx.Err(), fmt.Errorf("serve did not start: %s", m.said.String()))
	}
	return m, nil
}

// kill sends a signal, and waits for the end.
func (m *mock) kill(s syscall.Signal) {
	_ = m.cmd.Process.Signal(s) // it may have ended
	<-m.ended
}

// load makes chats and messages, calls hurt when as many as enough messages were
// acknowledged or when one is refused, and returns the events whose calls were
// answered. It ends when the mock does not answer any more.
func (m *mock) load(ctx context.Context, enough int, hurt func()) []string {
	var mu sync.Mutex
	var acknowledged []string
	note := func(events ...string) {
		mu.Lock()
		defer mu.Unlock()
		acknowledged = append(acknowledged, events...)
	}
	var messages atomic.Int64
	now := make(chan struct{})
	reached := sync.OnceFunc(func() { close(now) })
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			defer reached()
			for n := 0; ; n++ {
				var chat struct{ ID string }
				if m.call(ctx, http.MethodPost, "/mock/v1/chats", `{"bot_key":"bot"}`, &chat) != nil {
					return
				}
				note("chat.created " + chat.ID + " ")
				text := fmt.Sprintf("message %d of worker %d", n, worker)
				if m.call(ctx, http.MethodPost, "/mock/v1/chats/"+chat.ID+"/messages", `{"text":"`+text+`"}`, nil) != nil {
					return
				}
				note("message.received "+chat.ID+" "+text, "webhook.failed "+chat.ID+" ")
				if messages.Add(1) > int64(enough) {
					reached()
				}
			}
		})
	}
	<-now
	time.Sleep(time.Duration(rand.IntN(3000)) * time.Microsecond) // in the middle of something
	hurt()
	all.Wait()
	return acknowledged
}

// journal is what the mock remembers, as load notes it.
func (m *mock) journal(ctx context.Context) (map[string]bool, error) {
	kept := map[string]bool{}
	for after, more := uint64(0), true; more; {
		var page struct { // anew: what was there before would stay in it
			Events []struct {
				Kind, Chat string
				Message    struct{ Text string }
			}
			Next uint64
			More bool
		}
		if err := m.call(ctx, http.MethodGet, fmt.Sprintf("/mock/v1/journal?limit=1000&after=%d", after), "", &page); err != nil {
			return nil, err
		}
		for _, e := range page.Events {
			kept[e.Kind+" "+e.Chat+" "+e.Message.Text] = true
		}
		after, more = page.Next, page.More
	}
	return kept, nil
}

// call sends JSON and reads JSON.
func (m *mock) call(ctx context.Context, method, path, body string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, m.base+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close() // read to its end
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %d %s", method, path, res.StatusCode, text)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(text, into)
}
