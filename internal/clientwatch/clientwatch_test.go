package clientwatch

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/observed"
)

// TestSignalsBecomeHabits has a row for each habit that a chat client may have.
func TestSignalsBecomeHabits(t *testing.T) {
	called := func(at int64, id int, args ...string) signal {
		return signal{At: at, What: "called", ID: id, Args: args}
	}
	ended := func(at int64, id int, how string) signal {
		return signal{At: at, What: how, ID: id, Exp: 100}
	}
	began := signal{At: 1000, What: "began", Top: true}
	for _, row := range []struct {
		name string
		all  []signal
		end  int64
		want string
	}{
		{"no call", []signal{began}, 9000, "0 calls"},
		{"one", []signal{began, called(1400, 1, "uuid"), ended(1500, 1, "token")}, 9000, "1 calls first 400 (uuid) slowest 100"},
		{"two at once", []signal{began, called(1400, 1, "uuid"), called(1401, 2, "uuid"), ended(1500, 1, "token"), ended(1600, 2, "token")}, 9000, "2 calls first 400 (uuid) slowest 200"},
		{"a frame begins too", []signal{{At: 5, What: "began"}, began, called(1400, 1)}, 1500, "1 calls first 400 () slowest 100"},
		{"renewed before exp", []signal{began, called(2000, 1), ended(2100, 1, "token"), called(70_000, 2), ended(70_100, 2, "token")}, 80_000, "1 calls first 1000 () slowest 100 renews 30000"},
		{"never renewed", []signal{began, called(2000, 1), ended(2100, 1, "token")}, 106_000, "1 calls first 1000 () slowest 100 never renews"},
		{"exp has just passed", []signal{began, called(2000, 1), ended(2100, 1, "token")}, 104_000, "1 calls first 1000 () slowest 100"},
		{"it threw, and that was all", []signal{began, called(2000, 1), ended(2100, 1, "threw")}, 9000, "1 calls first 1000 () slowest 100 threw 1 []"},
		{"it threw, and is called twice more", []signal{began, called(2000, 1), ended(2100, 1, "threw"), called(2500, 2), ended(2600, 2, "threw"), called(3600, 3), ended(3600, 3, "token")}, 9000, "1 calls first 1000 () slowest 100 threw 2 [400 1000]"},
		{"no token, and again", []signal{began, called(2000, 1), ended(2000, 1, "empty"), called(2700, 2), ended(2700, 2, "empty")}, 9000, "1 calls first 1000 () slowest 0 empty 2 [700]"},
		{"slow, and called beside it", []signal{began, called(2000, 1), called(4500, 2), ended(6000, 1, "token"), ended(8500, 2, "token")}, 9000, "1 calls first 1000 () slowest 4000 slow [2500]"},
		{"never answered", []signal{began, called(2000, 1)}, 9000, "1 calls first 1000 () slowest 7000"},
		{"ends that nobody began", []signal{began, ended(2000, 7, "token")}, 9000, "0 calls"},
	} {
		c := read(row.all, row.end)
		got := fmt.Sprintf("%d calls", c.Calls)
		if c.Calls > 0 {
			got += fmt.Sprintf(" first %d (%s) slowest %d", c.FirstCallMS, fmt.Sprint(c.Arguments)[1:len(fmt.Sprint(c.Arguments))-1], c.SlowestMS)
		}
		if c.RenewBeforeMS != nil {
			got += fmt.Sprintf(" renews %d", *c.RenewBeforeMS)
		}
		if c.NeverRenews {
			got += " never renews"
		}
		if c.Threw > 0 {
			got += fmt.Sprintf(" threw %d %v", c.Threw, c.AfterThrowMS)
		}
		if c.Empty > 0 {
			got += fmt.Sprintf(" empty %d %v", c.Empty, c.AfterEmptyMS)
		}
		if c.AfterSlowMS != nil {
			got += fmt.Sprintf(" slow %v", c.AfterSlowMS)
		}
		if got != row.want {
			t.Errorf("%s: %s; want %s", row.name, got, row.want)
		}
	}
}

// Nothing was seen of a client that is not there, and nothing is to be learnt from that.
func TestAClientThatIsNotThereIsNotWatched(t *testing.T) {
	const own, other = "https://chat.kindlycdn.com/kindly-chat.js", "https://shop.example/app.js"
	for name, row := range map[string]struct {
		requests []browser.Request
		says     string
	}{
		"it is there":               {[]browser.Request{{ResourceType: "Script", URL: own, Status: 200}}, ""},
		"it is in the cache":        {[]browser.Request{{ResourceType: "Script", URL: own, Status: 304, FromCache: true}}, ""},
		"at the second try":         {[]browser.Request{{ResourceType: "Script", URL: own, Error: "net::ERR_FAILED"}, {ResourceType: "Script", URL: own, Status: 200}}, ""},
		"its name is unknown":       {[]browser.Request{{ResourceType: "Script", URL: own, Error: "net::ERR_NAME_NOT_RESOLVED"}}, "could not be loaded: net::ERR_NAME_NOT_RESOLVED"},
		"the policy forbids it":     {[]browser.Request{{ResourceType: "Script", URL: own, Error: "net::ERR_BLOCKED_BY_CSP", BlockedReason: "csp"}}, "net::ERR_BLOCKED_BY_CSP (csp)"},
		"it is not there":           {[]browser.Request{{ResourceType: "Script", URL: own, Status: 404}}, "404 Not Found"},
		"nobody answers":            {[]browser.Request{{ResourceType: "Script", URL: own}}, "no answer"},
		"there is none in the page": {[]browser.Request{{ResourceType: "Script", URL: other, Status: 200}, {ResourceType: "Fetch", URL: own, Status: 200}}, "has loaded no chat client"},
	} {
		err := unloaded(row.requests)
		if (err == nil) != (row.says == "") || err != nil && !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v, want %q", name, err, row.says)
		}
	}
}

func TestHostsAreTheClients(t *testing.T) {
	by := func(kind, url, initiator, from string) browser.Request {
		return browser.Request{ResourceType: kind, URL: url, Initiator: browser.Initiator{Type: initiator, URL: from}}
	}
	got := hostsOf([]browser.Request{
		by("Document", "https://shop.example/", "other", ""),
		by("Script", "https://shop.example/app.js", "parser", "https://shop.example/"),
		by("Fetch", "https://shop.example/token", "script", "https://shop.example/app.js"),
		by("Script", "https://tag.example/t.js", "script", "https://shop.example/app.js"),
		by("Script", "https://chat.kindlycdn.com/kindly-chat.js", "script", "https://tag.example/t.js"),
		by("Script", "https://a.push.example/live.js", "script", "https://chat.kindlycdn.com/kindly-chat.js"),
		by("WebSocket", "wss://b.push.example/app?key=1", "script", "https://a.push.example/live.js"),
		by("Fetch", "https://bot.kindly.ai/x", "script", "https://chat.kindlycdn.com/kindly-chat.js"),
		by("Fetch", "https://bot.kindly.ai/y", "script", "https://chat.kindlycdn.com/kindly-chat.js"),
		by("Image", "https://img.push.example/a.png", "parser", "https://shop.example/"),
		by("Image", "https://shop.example/logo.png", "parser", "https://shop.example/"),
		by("Other", "https://bot.kindly.ai/z", "other", ""),
	})
	want := []observed.Host{
		{Kind: "script", Origin: "https://chat.kindlycdn.com", Requests: 1}, {Kind: "script", Origin: "https://a.push.example", Requests: 1},
		{Kind: "connect", Origin: "wss://b.push.example", Requests: 1}, {Kind: "connect", Origin: "https://bot.kindly.ai", Requests: 2},
		{Kind: "image", Origin: "https://img.push.example", Requests: 1},
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v\nwant %v", got, want)
	}
}
