package subject

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/param"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/suites/service"
)

// CallbackRequests are what the page asked of its own servers while the callback
// of the first chat ran, in the order in which it asked, whatever came of it:
// the evidence where a callback gave no token. Those that carry the chat id are
// surely the callback's; where there are some, others are left out. Of the rest, what
// the page asks of itself, as for its statistics, does not come again with each call.
//
// A request that the Content-Security-Policy forbade has no method; one that was
// redirected has a row for each hop.
func (v *Visit) CallbackRequests() []browser.Request {
	var during, ofChat []browser.Request
	hops := map[string]bool{} // redirects drop the body, and with it the chat id
	for _, r := range v.whileCalled() {
		switch carries := v.ChatID != "" && (carriesChat(r, v.ChatID) || hops[r.ID]); {
		case r.Kindly || r.ResourceType == "Preflight":
		case carries:
			hops[r.ID] = true
			ofChat = append(ofChat, r)
		case scriptAsks[r.ResourceType]:
			during = append(during, r)
		}
	}
	if len(ofChat) > 0 {
		return ofChat
	}
	return v.likely(during)
}

// likely are those requests that came again when the callback was called again; of
// these, and where none did, those to the page's own site. A callback that asks only
// once has asked all the same: what else was answered is left where there is none.
func (v *Visit) likely(during []browser.Request) []browser.Request {
	if v.recurs == nil {
		return during
	}
	only := func(all []browser.Request, ok func(browser.Request) bool) []browser.Request {
		chains := map[string]bool{} // by ID: where a redirect leads may be elsewhere, and new each time
		for _, r := range all {
			chains[r.ID] = chains[r.ID] || r.ID != "" && ok(r)
		}
		return slices.DeleteFunc(slices.Clone(all), func(r browser.Request) bool { return !ok(r) && !chains[r.ID] })
	}
	recurring := only(during, func(r browser.Request) bool { return v.recurs[withoutQuery(r)] })
	switch owns, once := only(recurring, v.ofOwnSite), only(during, v.ofOwnSite); {
	case len(owns) > 0:
		return owns
	case len(recurring) > 0 && len(once) > 0: // who knows which
		return during
	case len(recurring) > 0:
		return recurring
	case len(once) > 0:
		return once
	}
	return only(during, mayTellScript)
}

// mayTellScript says whether something was answered that is for the script which asked,
// even if a CORS error keeps it from that.
func mayTellScript(r browser.Request) bool {
	return (r.Status > 0 || r.CORSError != "") && r.Header.Get("Sec-Fetch-Mode") != "no-cors"
}

// callAgain calls the callback once more where it gave no token, and nothing tells what
// of that which was asked meanwhile it asked for.
func (s *Session) callAgain(ctx context.Context, v *Visit) {
	during := v.CallbackRequests()
	doubtful := slices.ContainsFunc(during, func(r browser.Request) bool {
		return !v.ofOwnSite(r) || withoutQuery(r) != withoutQuery(during[0])
	})
	if v.Token != "" || v.Callback == nil || !doubtful || slices.ContainsFunc(during, func(r browser.Request) bool {
		return carriesChat(r, v.ChatID) || HoldsToken(RequestEvidence("", r).Exchange)
	}) {
		return
	}
	ctx, cancel := service.WithTimeout(ctx, s.Options.Timeout)
	defer cancel()
	before := v.page.Record()
	called, err := s.callInPeace(ctx, v.page, s.NewChatID())
	if err != nil || called.Outcome == browser.OutcomeUndefined || called.Outcome == browser.OutcomePending {
		return
	}
	v.page.Settle(ctx) // it need not have waited for what it asked for
	after := v.page.Record()
	if after.Missed > before.Missed { // what was asked for may be among these
		return
	}
	v.recurs = map[string]bool{}
	for _, r := range after.Requests[len(before.Requests):] {
		v.recurs[withoutQuery(r)] = true
	}
}

// ofOwnSite says whether a request goes to the site of the page, or to its host, which is of none.
func (v *Visit) ofOwnSite(r browser.Request) bool {
	site := wire.SiteOf(v.ChatURL())
	return wire.SiteOf(r.URL) == site && (site != "" || hostOf(r.URL) == hostOf(v.ChatURL()))
}

func withoutQuery(r browser.Request) string {
	before, _, _ := strings.Cut(r.URL, "?")
	return r.Method + " " + before
}

// CallbackRequest is the last of [Visit.CallbackRequests]: what the callback
// waited for before it settled.
func (v *Visit) CallbackRequest() (browser.Request, bool) {
	all := v.CallbackRequests()
	if len(all) == 0 {
		return browser.Request{}, false
	}
	return all[len(all)-1], true
}

// scriptAsks are the kinds of requests by which a script asks for something. Of
// others (an image, a style sheet) only the chat id tells that they are the callback's.
var scriptAsks = map[string]bool{"Fetch": true, "XHR": true, "WebSocket": true, "EventSource": true}

// callLag is by how much the times of the chat client's report and of what the page
// asks may differ: the report goes out right before the call, but in a frame it is
// told by another clock.
const callLag = 25 * time.Millisecond

// whileCalled are the requests between the chat client's two reports: that it
// called the callback, and that it settled.
func (v *Visit) whileCalled() []browser.Request {
	var called time.Time
	for i, r := range v.Record.Requests {
		if !r.Kindly || !strings.HasSuffix(pathOf(r.URL), "/"+v.ChatID+"/callbacks") {
			continue
		}
		if !called.IsZero() { // settled
			return since(v.Record.Requests[:i], called.Add(-callLag))
		}
		called = r.Started
	}
	if called.IsZero() {
		return nil
	}
	return since(v.Record.Requests, called.Add(-callLag))
}

func since(all []browser.Request, t time.Time) []browser.Request {
	for i, r := range all {
		if !r.Started.Before(t) {
			return all[i:]
		}
	}
	return nil
}

func pathOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Path
}

// carriesChat says whether a chat id stands anywhere in a request.
func carriesChat(r browser.Request, chatID string) bool {
	if param.HoldsID(r.URL, chatID) || param.HoldsID(string(r.Body), chatID) {
		return true
	}
	for _, values := range r.Header {
		for _, v := range values {
			if param.HoldsID(v, chatID) {
				return true
			}
		}
	}
	return false
}

// TokenSeen is the visit's token: the one that the callback gave, or else the one
// in an answer that the callback got, and lost; "" if there was none.
func (v *Visit) TokenSeen() token.Raw {
	if v.Token != "" {
		return v.Token
	}
	for _, r := range v.CallbackRequests() {
		if raw, ok := chatToken(RequestEvidence("the page's own request", r).Exchange); ok {
			return raw
		}
	}
	return ""
}

// Carries says whether the id of the visit's chat stands anywhere in a request.
func (v *Visit) Carries(r browser.Request) bool { return carriesChat(r, v.ChatID) }
