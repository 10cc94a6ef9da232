// Package clientwatch opens a page without answering in Kindly's place, and tells what
// Kindly's own chat client does there. It sends nothing: the page and its client run as
// for everybody. Tokens stay in the browser.
//
//	seen, err := clientwatch.Watch(ctx, user, "https://shop.example/", clientwatch.Options{For: time.Minute})
package clientwatch

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/observed"
	"github.com/kindlytest/kindlytest/internal/wire"
)

//go:embed watch.js
var script string

// Options say how a page is watched.
type Options struct {
	For   time.Duration  // how long, from when it has loaded
	Steps []browser.Step // done on the page when it has loaded
	Now   func() time.Time
	// Opened, if not nil, is told when the page is there.
	Opened func()
}

// What keeps a chat client from being watched.
var (
	ErrNoClient  = errors.New("the page has loaded no chat client")
	ErrNotLoaded = errors.New("the chat client could not be loaded") // the page wants it
)

// Watch opens a page as a user and watches its chat client until the time is over,
// ctx ends, or the tab is closed.
func Watch(ctx context.Context, user *browser.User, pageURL string, o Options) (observed.Client, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	began := o.Now()
	var mu sync.Mutex
	var all []signal
	page, err := user.Observe(ctx, pageURL, script, func(payload string) {
		var s signal
		if len(payload) > 4<<10 || json.Unmarshal([]byte(payload), &s) != nil {
			return // the page may call it too
		}
		mu.Lock()
		defer mu.Unlock()
		all = append(all, s)
	})
	if err != nil {
		return observed.Client{}, err
	}
	defer page.Close()
	if failed := page.Record().Navigation.Error; failed != "" {
		return observed.Client{}, errors.New(failed)
	}
	if err := page.Do(ctx, o.Steps, false, nil); err != nil {
		return observed.Client{}, err
	}
	if o.Opened != nil {
		o.Opened()
	}
	over := time.NewTimer(o.For)
	defer over.Stop()
	select {
	case <-over.C:
	case <-page.Gone():
	case <-ctx.Done():
	}
	record := page.Record()
	mu.Lock()
	defer mu.Unlock()
	end := o.Now()
	c := read(all, end.UnixMilli())
	c.Visits, c.First, c.Last, c.Seconds = 1, began.UTC(), end.UTC(), int(end.Sub(began).Seconds())
	if c.Hosts = hostsOf(record.Requests); len(c.Hosts) == 0 {
		return c, ErrNoClient
	}
	return c, unloaded(record.Requests)
}

// unloaded says why the client's script is not there; nil if it is.
func unloaded(requests []browser.Request) error {
	why := ErrNoClient
	for _, r := range requests {
		if r.ResourceType != "Script" || !isClients(r, nil) {
			continue
		}
		switch {
		case r.Error != "" && r.BlockedReason != "":
			why = fmt.Errorf("%w: %s (%s)", ErrNotLoaded, r.Error, r.BlockedReason)
		case r.Error != "":
			why = fmt.Errorf("%w: %s", ErrNotLoaded, r.Error)
		case r.Status == 0, r.Status/100 == 3 && r.Status != http.StatusNotModified: // it has led nowhere
			why = fmt.Errorf("%w: there was no answer", ErrNotLoaded)
		case r.Status >= 400:
			why = fmt.Errorf("%w: %d %s", ErrNotLoaded, r.Status, http.StatusText(r.Status))
		default:
			return nil
		}
	}
	return why
}

// A signal is what the script tells. At is in ms since 1970.
type signal struct {
	At    int64    `json:"at"`
	What  string   `json:"what"` // began, called, token, empty, threw, event, methods
	Top   bool     `json:"top"`
	ID    int      `json:"id"`
	Args  []string `json:"args"`
	Exp   int64    `json:"exp"` // in seconds since 1970
	Name  string   `json:"name"`
	Names []string `json:"names"`
}

// A call is one of getAuthToken. Times are in ms since 1970; 0 is never.
type call struct {
	began, ended int64
	how          string // token, empty, threw
	exp          int64
	args         []string
}

// A burst are calls that began together.
type burst []*call

// together is how far apart calls of one burst may begin, in ms.
const together = 100

func (b burst) began() int64 { return b[0].began }

// ended is when the last of them was answered; 0 if one was not.
func (b burst) ended() int64 {
	last := int64(0)
	for _, c := range b {
		if c.ended == 0 {
			return 0
		}
		last = max(last, c.ended)
	}
	return last
}

// how they ended: a token of one is enough.
func (b burst) how() (string, int64) {
	for _, c := range b {
		if c.how == "token" {
			return c.how, c.exp
		}
	}
	return b[0].how, 0
}

// read makes of what was told what the client does. end is the end of the watch, in ms
// since 1970.
func read(all []signal, end int64) observed.Client {
	var c observed.Client
	var bursts []burst
	open := map[int]*call{}
	start := int64(0)
	for _, s := range all {
		switch s.What {
		case "began":
			if s.Top && start == 0 {
				start = s.At
			}
		case "called":
			one := &call{began: s.At, args: s.Args}
			open[s.ID] = one
			if n := len(bursts); n > 0 && s.At-bursts[n-1].began() <= together {
				bursts[n-1] = append(bursts[n-1], one)
			} else {
				bursts = append(bursts, burst{one})
			}
		case "token", "empty", "threw":
			if one := open[s.ID]; one != nil && one.ended == 0 {
				one.ended, one.how, one.exp = s.At, s.What, s.Exp
			}
		case "event":
			if !slices.Contains(c.Events, s.Name) && len(c.Events) < 100 {
				c.Events = append(c.Events, s.Name)
			}
		case "methods":
			c.Methods = s.Names
		}
	}
	if len(bursts) == 0 {
		return c
	}
	c.Calls, c.Arguments, c.FirstCallMS = len(bursts[0]), bursts[0][0].args, int(max(0, bursts[0].began()-start))
	for i, b := range bursts {
		next := int64(0)
		if i+1 < len(bursts) {
			next = bursts[i+1].began()
		}
		after(&c, b, next, end)
	}
	return c
}

// after takes in what came after a burst: the next one, at that time, or nothing.
func after(c *observed.Client, b burst, next, end int64) {
	ended := b.ended()
	c.SlowestMS = max(c.SlowestMS, int(min(orElse(ended, end), end)-b.began()))
	if next > 0 && (ended == 0 || next < ended) {
		c.AfterSlowMS = append(c.AfterSlowMS, int(next-b.began()))
		return
	}
	if ended == 0 {
		return
	}
	how, exp := b.how()
	wait := int(next - ended)
	switch {
	case how == "threw":
		if c.Threw++; next > 0 {
			c.AfterThrowMS = append(c.AfterThrowMS, wait)
		}
	case how == "empty":
		if c.Empty++; next > 0 {
			c.AfterEmptyMS = append(c.AfterEmptyMS, wait)
		}
	case exp > 0 && next > 0 && next < 1000*exp:
		before := int(1000*exp - next)
		c.RenewBeforeMS = &before
	case exp > 0 && end > 1000*exp+overdue:
		c.NeverRenews = true
	}
}

// overdue is how long after exp a renewal may come at the latest, in ms.
const overdue = 5000

func orElse(n, other int64) int64 {
	if n == 0 {
		return other
	}
	return n
}

// kinds are the resources that a policy has a directive for, by DevTools' names.
var kinds = map[string]string{
	"Script": "script", "Fetch": "connect", "XHR": "connect", "Ping": "connect", "EventSource": "connect", "WebSocket": "connect",
	"Preflight": "connect", "Stylesheet": "style", "Image": "image", "Font": "font", "Media": "media", "Document": "frame",
}

// hostsOf are those that the client has talked to: Kindly's own, and all that was
// asked for by a script that came from there, or by one that such a one has loaded. Of
// pictures and the like Chrome does not tell which script wants them: they count where
// they are from a site that the client talks to.
func hostsOf(requests []browser.Request) []observed.Host {
	scripts := map[string]bool{}
	for grown := true; grown; {
		grown = false
		for _, r := range requests {
			if r.ResourceType == "Script" && !scripts[r.URL] && isClients(r, scripts) {
				scripts[r.URL], grown = true, true
			}
		}
	}
	sites := map[string]bool{}
	for _, r := range requests {
		if isClients(r, scripts) {
			sites[wire.SiteOf(r.URL)] = true
		}
	}
	delete(sites, "")
	var out []observed.Host
	for _, r := range requests {
		u, err := url.Parse(r.URL)
		kind := kinds[r.ResourceType]
		of := isClients(r, scripts) || sites[wire.SiteOf(r.URL)] && r.Initiator.Type != "script"
		if err != nil || u.Host == "" || kind == "" || !of {
			continue
		}
		h := observed.Host{Kind: kind, Origin: u.Scheme + "://" + strings.ToLower(u.Host), Requests: 1}
		i := slices.IndexFunc(out, func(o observed.Host) bool { return o.Kind == h.Kind && o.Origin == h.Origin })
		switch {
		case i >= 0:
			out[i].Requests++
		case len(out) < 100:
			out = append(out, h)
		}
	}
	return out
}

// isClients says whether a request is the client's.
func isClients(r browser.Request, scripts map[string]bool) bool {
	u, err := url.Parse(r.URL)
	return err == nil && (browser.KindlyHost(u.Hostname()) || browser.MockClient(r.URL)) || scripts[r.Initiator.URL]
}
