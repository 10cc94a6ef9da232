package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/internal/browser"
)

// measureWaits is about runs in which others make it wait: a slow webhook, a
// limit, a login of two steps; and about one check of a page's webhook.
func measureWaits(ctx context.Context, b *bench) error {
	for _, measure := range []func(context.Context) error{b.measureSlow, b.measureLimit, b.measureSteps, b.measureOne, b.measureShard} {
		if err := measure(ctx); err != nil {
			return err
		}
	}
	return nil
}

// measureSlow has all checked of a shop whose webhook takes three seconds.
func (b *bench) measureSlow(ctx context.Context) error {
	all, sent, err := b.checkManner(ctx, fixtures.Manner{})
	if err != nil {
		return err
	}
	b.table.Stated("requests of a run of all checks", "%d to the endpoint, %d to a webhook", sent.api, sent.hooks)
	slow, _, err := b.checkManner(ctx, fixtures.Slow)
	if err != nil {
		return err
	}
	b.table.AtMost(45, "s", "all checks of a webhook that takes 3 s", slow.seconds, "%d judged; of a quick one %d", slow.judged, all.judged)
	return nil
}

// measureLimit has all checked of a shop that serves ten requests a second: the
// time is bounded by those that it was sent, a fifth added.
func (b *bench) measureLimit(ctx context.Context) error {
	const perSecond = 10
	took, sent, err := b.checkManner(ctx, fixtures.RateLimited)
	if err != nil {
		return err
	}
	least := float64(max(sent.api, sent.hooks)) / perSecond
	b.table.AtMost(1.2, "×", "all checks behind a limit of 10 a second, of what the limit lets through", took.seconds/least,
		"%.0f and %.0f s; %d judged", took.seconds, least, took.judged)
	return nil
}

// A checked is what came of a run.
type checked struct {
	seconds float64
	judged  int
}

// sent is how many requests of checks came in.
type sent struct{ api, hooks int64 }

// checkManner runs all checks against a shop of a manner, with one webhook.
func (b *bench) checkManner(ctx context.Context, m fixtures.Manner) (checked, sent, error) {
	var listeners []*countingListener
	shop, err := fixtures.Start(ctx, fixtures.Options{Manner: m, Listen: func(ctx context.Context) (net.Listener, error) {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp4", "127.0.0.1:0")
		listeners = append(listeners, &countingListener{Listener: l})
		return listeners[len(listeners)-1], err
	}})
	if err != nil {
		return checked{}, sent{}, err
	}
	defer shop.Close()
	shop.Webhooks = shop.Webhooks[:1]
	config, err := b.writeConfig("waits.yaml", shop)
	if err != nil {
		return checked{}, sent{}, err
	}
	took, err := b.checkAll(ctx, config)
	if err != nil {
		return checked{}, sent{}, err
	}
	judged, err := judged(b.path("reports"))
	// Page, API and webhooks listen, in this order; the endpoint may be at either of the first.
	return checked{took / 1000, judged}, sent{listeners[0].asked.Load() + listeners[1].asked.Load(), listeners[2].asked.Load()}, err
}

// judged is how many checks of a report hold or do not.
func judged(reports string) (int, error) {
	text, err := os.ReadFile(filepath.Join(reports, "report.json"))
	if err != nil {
		return 0, err
	}
	var report struct {
		Summary struct{ Passed, Failed, Warned int }
	}
	err = json.Unmarshal(text, &report)
	return report.Summary.Passed + report.Summary.Failed + report.Summary.Warned, err
}

// A countingListener counts the requests that checks send.
type countingListener struct {
	net.Listener
	asked atomic.Int64
}

func (l *countingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return &countingConn{Conn: c, asked: &l.asked}, err
}

// mark is in the head of each request of a check.
var mark = []byte("\r\nKindlytest-Check: ")

type countingConn struct {
	net.Conn
	asked *atomic.Int64
	seen  []byte // the end of what was read: it may come in two parts
}

func (c *countingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.seen = append(c.seen, p[:n]...)
	c.asked.Add(int64(bytes.Count(c.seen, mark)))
	if last := bytes.LastIndex(c.seen, mark); last >= 0 {
		c.seen = c.seen[last+len(mark):]
	}
	c.seen = bytes.Clone(c.seen[max(0, len(c.seen)-len(mark)+1):])
	return n, err
}

// twoSteps is a login that asks for the name first and then for the password. It
// never reads the answers of its requests: Chrome counts these as not done.
const twoSteps = `<!doctype html><title>Log in</title>
<input id="email"><button id="next">Next</button>
<script>
next.onclick = () => fetch("/step", {method: "POST"}).then(() => {
  document.body.innerHTML = '<input id="password" type="password"><button id="enter">Log in</button>'
  enter.onclick = () => fetch("/enter", {method: "POST"}).then(() => { location.href = "/" })
})
</script>`

// measureSteps compares a login of two steps with none.
func (b *bench) measureSteps(ctx context.Context) error {
	site := twoStepSite()
	defer site.Close()
	page := func(login ...map[string]any) map[string]any {
		return map[string]any{"version": 1, "bot": map[string]any{"key": "shop"}, "page": map[string]any{"url": site.URL, "login": login}}
	}
	with, err := b.writeJSON("steps.yaml", page(
		map[string]any{"goto": site.URL + "/login"},
		map[string]any{"fill": map[string]string{"#email": "ada@customer.example"}}, map[string]any{"click": "#next"},
		map[string]any{"fill": map[string]string{"#password": "example"}}, map[string]any{"click": "#enter"},
		map[string]any{"wait_for": "h1"}))
	if err != nil {
		return err
	}
	without, err := b.writeJSON("no-steps.yaml", page(map[string]any{"goto": site.URL}))
	if err != nil {
		return err
	}
	run := func(config string) contestant {
		return func(ctx context.Context) (float64, error) { return b.checkAll(ctx, config, "--only", "PAGE-WIDGET") }
	}
	took, err := takeTurns(ctx, 5, run(without), run(with))
	if err != nil {
		return err
	}
	b.table.AtMost(1000, "ms", "a login of two steps, more than one that only opens the page", took[1]-took[0], "%.0f and %.0f ms", took[1], took[0])
	return nil
}

func twoStepSite() *httptest.Server {
	mux := http.NewServeMux()
	page := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, text)
		}
	}
	mux.Handle("/{$}", page(aPage))
	mux.Handle("/login", page(twoSteps))
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "e30.e30.e30") })
	return httptest.NewServer(mux)
}

// measureOne runs one check of a webhook that needs the page's token.
func (b *bench) measureOne(ctx context.Context) error {
	chrome, err := browser.Find()
	if err != nil {
		return err
	}
	shop, err := fixtures.Start(ctx, fixtures.Options{})
	if err != nil {
		return err
	}
	defer shop.Close()
	config, err := b.writeConfig("one.yaml", shop)
	if err != nil {
		return err
	}
	site := newSite()
	defer site.Close()
	took, err := takeTurns(ctx, 5,
		func(ctx context.Context) (float64, error) { return b.ourToken(ctx, chrome, site.URL) },
		func(ctx context.Context) (float64, error) { return b.checkAll(ctx, config, "--only", "HOOK-TAMPERED") })
	if err != nil {
		return err
	}
	b.table.AtMost(3, "×", "one HOOK check with the page's token, of exec to token", took[1]/took[0], "%.0f and %.0f ms; the former logs in", took[1], took[0])
	return nil
}

// measureShard compares a fifth of many targets with all of as many.
func (b *bench) measureShard(ctx context.Context) error {
	shop, err := fixtures.Start(ctx, fixtures.Options{})
	if err != nil {
		return err
	}
	defer shop.Close()
	const shards, each = 5, 4
	whole, err := b.manyTargets(shop, each)
	if err != nil {
		return err
	}
	alone, err := b.grow(ctx, whole)
	if err != nil {
		return err
	}
	all, err := b.manyTargets(shop, each*shards)
	if err != nil {
		return err
	}
	shard, err := b.grow(ctx, all, "--shard", fmt.Sprintf("2/%d", shards))
	if err != nil {
		return err
	}
	b.table.AtMost(1.2, "×", fmt.Sprintf("one of %d shards of %d targets, of %d targets", shards, each*shards, each), shard.seconds/alone.seconds,
		"%.1f and %.1f s; %.0f and %.0f MB", shard.seconds, alone.seconds, shard.memory, alone.memory)
	return nil
}
