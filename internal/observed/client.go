package observed

import (
	"slices"
	"strings"
	"time"
)

// A Client is what Kindly's chat client was seen to do in the browser.
type Client struct {
	Visits  int       `json:"visits"`
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`
	Seconds int       `json:"seconds"` // for how long it was watched, the longest time
	Hosts   []Host    `json:"hosts,omitempty"`

	// Calls are those of getAuthToken in the first seconds, FirstCallMS when the
	// first one came after the document began, Arguments what it was called with:
	// "uuid", types of JavaScript, object{names}.
	Calls       int      `json:"calls"`
	FirstCallMS int      `json:"first_call_ms,omitempty"`
	Arguments   []string `json:"arguments,omitempty"`

	// RenewBeforeMS is how long before the token's exp the next call came; NeverRenews
	// says that exp went by without one.
	RenewBeforeMS *int `json:"renew_before_ms,omitempty"`
	NeverRenews   bool `json:"never_renews,omitempty"`

	// Threw and Empty are how often the callback threw, and gave no token; the waits
	// are those until it was called again. SlowestMS is the longest answer.
	Threw        int   `json:"threw,omitempty"`
	AfterThrowMS []int `json:"after_throw_ms,omitempty"`
	Empty        int   `json:"empty,omitempty"`
	AfterEmptyMS []int `json:"after_empty_ms,omitempty"`
	SlowestMS    int   `json:"slowest_ms,omitempty"`
	AfterSlowMS  []int `json:"after_slow_ms,omitempty"`

	Events  []string `json:"events,omitempty"`  // of the document
	Methods []string `json:"methods,omitempty"` // of window.kindlyChat
}

// A Host is one that the client, and not the page, has talked to.
type Host struct {
	Kind     string `json:"kind"`   // script, connect, style, image, font, frame, media: what a policy calls it
	Origin   string `json:"origin"` // https://chat.kindlycdn.com, wss://eu.example.com
	Requests int    `json:"requests"`
}

// ours says whether it is one that kindlytest takes the client to need anyway.
func (h Host) ours() bool {
	return h.Kind == "script" && h.Origin == "https://chat.kindlycdn.com" || h.Kind == "connect" && h.Origin == "https://bot.kindly.ai"
}

// What the documentation names.
var (
	documentedEvents  = []string{"kindly:load", "kindly:message"}
	documentedMethods = []string{"openChat", "closeChat", "showBubble", "hideBubble", "triggerDialogue", "getContext"}
)

func (c *Client) row(v Verdict, text string) Row {
	return Row{Verdict: v, Observed: text, Deliveries: c.Visits, First: c.First, Last: c.Last}
}

// again is about what follows a callback that gave no token, so many times.
func (c *Client) again(times int, after []int) Row {
	switch {
	case times == 0:
		return found(NotSeen, span{}, "")
	case len(after) == 0:
		return c.row(Agrees, "not called again")
	}
	return c.row(Differs, "called again "+waits(after))
}

// names is about a list of which some are documented.
func (c *Client) names(seen, documented []string) Row {
	if len(seen) == 0 {
		return found(NotSeen, span{}, "")
	}
	verdict := Agrees
	if len(without(seen, documented)) > 0 {
		verdict = New
	}
	return c.row(verdict, strings.Join(seen, ", "))
}

func clientHosts(c *Client) Row {
	if len(c.Hosts) == 0 {
		return found(NotSeen, span{}, "")
	}
	verdict, text := Agrees, []string{}
	for _, h := range c.Hosts {
		if !h.ours() {
			verdict = Differs
		}
		text = append(text, h.Kind+" "+h.Origin)
	}
	return c.row(verdict, strings.Join(text, ", "))
}

func without(list, other []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(other, s) })
}

// And joins what was seen at two visits: what the later one tells counts.
func (c Client) And(later Client) Client {
	out := later
	out.Visits, out.Seconds = c.Visits+later.Visits, max(c.Seconds, later.Seconds)
	if c.First.Before(out.First) {
		out.First = c.First
	}
	out.Hosts = slices.Clone(c.Hosts)
	for _, h := range later.Hosts {
		i := slices.IndexFunc(out.Hosts, func(o Host) bool { return o.Kind == h.Kind && o.Origin == h.Origin })
		if i < 0 {
			out.Hosts = append(out.Hosts, h)
			continue
		}
		out.Hosts[i].Requests += h.Requests
	}
	out.Events, out.Methods = union(c.Events, later.Events), union(c.Methods, later.Methods)
	if later.Calls == 0 {
		out.Calls, out.FirstCallMS, out.Arguments = c.Calls, c.FirstCallMS, c.Arguments
	}
	if later.RenewBeforeMS == nil && !later.NeverRenews {
		out.RenewBeforeMS, out.NeverRenews = c.RenewBeforeMS, c.NeverRenews
	}
	if later.Threw == 0 {
		out.Threw, out.AfterThrowMS = c.Threw, c.AfterThrowMS
	}
	if later.Empty == 0 {
		out.Empty, out.AfterEmptyMS = c.Empty, c.AfterEmptyMS
	}
	if c.SlowestMS > later.SlowestMS {
		out.SlowestMS, out.AfterSlowMS = c.SlowestMS, c.AfterSlowMS
	}
	return out
}

func union(a, b []string) []string { return append(slices.Clone(a), without(b, a)...) }
