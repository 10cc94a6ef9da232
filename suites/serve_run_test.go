package suites_test

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/mockkindly/server"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// seenAtOnce says whether a requirement is judged by what a Kindly sees of one chat, as
// that of `serve` does. Others are found out by asking again, or by asking otherwise.
func seenAtOnce(id string) bool {
	switch id {
	case "TOK-SUB-STABLE", "RESP-ADDITIVE", "RESP-SPARSE", "RESP-UNICODE", "RESP-SOURCES", "RESP-METHOD", "RESP-REPEAT":
		return false
	case "PAGE-WIDGET", "PAGE-CALLBACK-DEFINED", "PAGE-CALLBACK-NAME", "PAGE-CALLBACK-TOKEN", "PAGE-CALLBACK-TIME",
		"FWD-PATTERNS", "FWD-BROAD", "FWD-SHARED-TENANT", "FWD-REDIRECT", "HOOK-VALID":
		return true
	}
	return strings.HasPrefix(id, "TOK-") || strings.HasPrefix(id, "RESP-")
}

// What `serve` says of an event, `run` says of the target; and where a mistake can be
// seen at once, both say it.
func TestServeJudgesWhatRunJudges(t *testing.T) {
	t.Parallel()
	faults := slices.DeleteFunc(fixtures.Faults(), func(f fixtures.Fault) bool { return !seenAtOnce(f.Breaks) })
	each(t, append([]fixtures.Fault{{Name: "sound"}}, faults...), func(f fixtures.Fault) string { return f.Name }, func(t *testing.T, f fixtures.Fault) {
		o := fixtures.Options{Manner: f.Manner}
		if f.Breaks != "" {
			o.Faults = []fixtures.Fault{f}
		}
		shop, customer := startReference(t, o)
		visited, b := shop, options(t, shop).Browser
		if b != nil && f.Manner.Name == "" {
			visited = withSession(t, shop, customer)
		}
		seen, unseen := servedBreaches(t, visited, b)
		only := slices.Collect(maps.Keys(seen))
		if f.Breaks != "" {
			only = append(only, f.Breaks)
		}
		if len(only) == 0 {
			return
		}
		shop, opts := narrowly(t, shop, customer, f.Manner, only...)
		run := suites.RunQuietly(t.Context(), shop, opts)
		told := func(id string) bool { return noticed(find(t, run, id)) }
		for id := range seen {
			if !told(id) {
				t.Errorf("serve says %s, and run does not", id)
				describe(t, find(t, run, id))
			}
		}
		if f.Breaks != "" && told(f.Breaks) && !seen[f.Breaks] && unseen == "" {
			t.Errorf("run says %s, and serve does not", f.Breaks)
			describe(t, find(t, run, f.Breaks))
		}
	})
}

// servedBreaches is what a Kindly such as that of `serve` says of a page, and of what
// the webhooks answer to a message there; and why it can't have seen a mistake, as
// where the chat client did not come so far as to make a chat.
func servedBreaches(t *testing.T, shop target.Target, b *browser.Browser) (seen map[string]bool, unseen string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if b == nil {
		var err error
		if b, err = browser.Launch(ctx, browser.Options{Resolve: shop.Resolve}); err != nil {
			t.Fatal(err)
		}
		defer b.Close()
	}
	bot := mockkindly.Bot{Key: cmp.Or(shop.BotKey, "mock"), PublicKeys: shop.PublicKeys, Published: shop.Published}
	for _, w := range shop.Webhooks {
		bot.Webhooks = append(bot.Webhooks, mockkindly.Webhook{Name: w.Name, URL: w.URL, ConnectTo: w.ConnectTo, Secret: w.Secret})
	}
	k, err := mockkindly.New(mockkindly.Options{Bots: []mockkindly.Bot{bot}, AnyBot: &bot, WantedKey: shop.BotKey})
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	user, err := b.NewUser(ctx, *shop.Login)
	if err != nil {
		t.Fatal(err)
	}
	defer user.Close()
	page, err := user.Visit(ctx, shop.PageURL, server.New(k, server.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	defer page.Close()
	// A page without a chat never has one: what it did wrong stands in its own report.
	coming, stop := context.WithTimeout(ctx, 10*time.Second)
	defer stop()
	settled, err := k.Journal().Wait(coming, func(e mockkindly.Event) bool {
		return e.Token != nil || e.Kind == mockkindly.CallbackSettled && e.Callback.Outcome != "token"
	})
	if err == nil {
		for _, w := range shop.Webhooks {
			if _, err := k.Say(ctx, settled.Chat, mockkindly.Message{Text: cmp.Or(w.Message, "Hello"), Context: w.Context}); err != nil {
				t.Error(err)
			}
		}
	}
	seen = map[string]bool{}
	unseen = "there never was a chat"
	for _, e := range k.Journal().Events(0) {
		if e.Kind == mockkindly.ChatCreated {
			unseen = ""
		}
		if e.Kind == mockkindly.CallbackSettled && e.Callback.Outcome == "empty" && e.Callback.Type == "null" {
			unseen = "the callback says that nobody is logged in"
		}
		for _, b := range e.Breaches() {
			seen[b.ID] = true
		}
		if e.Token != nil {
			for _, v := range e.Token.Result.Violations {
				seen[v.Rule.ID] = true
			}
		}
		if e.Delivery != nil {
			for _, p := range e.Delivery.Problems {
				seen[p.Rule.ID] = true
			}
		}
	}
	return seen, unseen
}
