package observed

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
	"github.com/kindlytest/kindlytest/mockkindly/widget"
)

// A habit is one thing that Kindly does and could do otherwise.
type habit struct {
	id       string        // of its row
	contract string        // what kindlytest takes Kindly to do; "" where nobody can guess
	fidelity rule.Fidelity // how that is known
	way      string        // how it can be seen
	leaning  []string      // the checks whose requirement rests on it

	// learn tells how it was seen in deliveries, and puts what can be done likewise
	// into h. Its Contract, Fidelity and Way are filled in.
	learn func(l *Learner, h *Habits) Row
	// client likewise tells how it was seen in the browser.
	client func(c *Client) Row

	// follow makes the mock's requests likewise, play its chat client; nil: nothing
	// is changed by it.
	follow func(h Habits, m *webhook.Manner)
	play   func(c Client, m *widget.Manner)
}

// notPublished is the contract of what nobody says, and kindlytest does not guess.
const notPublished = "not published"

// What kindlytest takes Kindly to do where nothing is published.
const (
	assumedTimeout = 10 * time.Second
	assumedRenewal = 30 * time.Second
)

// anyMessage is the way to what every delivery shows.
const anyMessage = "Write any message that leads to the webhook."

// watchClient is the way to what every visit shows.
const watchClient = "Watch any visit: kindlytest run PAGE --observe-client."

// habits are all of them, in the order of the file. The payload's members and the
// further headers, of which nobody knows the names before, follow: see families.
var habits = []habit{
	{
		id: "request.method", contract: "POST", fidelity: rule.Documented, way: anyMessage, leaning: []string{"RESP-METHOD"},
		learn: func(l *Learner, _ *Habits) Row { return one(l.methods, "POST") },
	},
	{
		id: "request.content-type", contract: "application/json", fidelity: rule.Documented, way: anyMessage,
		learn: func(l *Learner, h *Habits) Row {
			h.ContentTypes = l.types.counts()
			return one(l.types, "application/json")
		},
		follow: func(h Habits, m *webhook.Manner) { always(m, "Content-Type", commonest(h.ContentTypes)) },
	},
	{
		id: "request.hmac-algorithm", contract: webhook.Algorithm, fidelity: rule.Documented, way: anyMessage, leaning: []string{"SIG-ALGORITHM"},
		learn: func(l *Learner, h *Habits) Row {
			h.Algorithms = l.algorithm.counts()
			return one(l.algorithm, webhook.Algorithm)
		},
		follow: func(h Habits, m *webhook.Manner) { m.Algorithm = commonest(h.Algorithms) },
	},
	{
		id: "request.hmac", contract: "Kindly-HMAC is right", fidelity: rule.Documented, way: "Give the webhook's secret while you listen.",
		learn: func(l *Learner, _ *Habits) Row {
			verdict := Agrees
			for value := range l.signature {
				if value != "right" && value != "unjudged" {
					verdict = Differs
				}
			}
			if l.signature["right"] == nil && verdict == Agrees {
				verdict = NotSeen
			}
			return found(verdict, l.signature.all(), listed(l.signature))
		},
	},
	{
		id: "request.token", contract: "Authorization: Bearer, where the token allows the domain", fidelity: rule.Documented,
		way:     "Listen with --public-key, and write as a user who is logged in, with the tunnel's domain in chat.webhook_domains.",
		leaning: []string{"HOOK-BEARER-CASE"},
		learn: func(l *Learner, _ *Habits) Row {
			verdict := Agrees
			switch {
			case l.tokens["refused"] != nil:
				verdict = Differs
			case l.tokens["accepted"] == nil:
				verdict = NotSeen
			}
			return found(verdict, l.tokens.all(), listed(l.tokens))
		},
	},
	{
		id: "request.timeout", contract: seconds(assumedTimeout), fidelity: rule.Assumed, way: "Let the app wait a minute before it answers one message.",
		leaning: []string{"RESP-TIME", "LIVE-HOOK-ABORT"},
		learn:   learnTimeout,
		follow:  func(h Habits, m *webhook.Manner) { m.Timeout = ms(h.TimeoutMS) },
	},
	{
		id: "request.retries", contract: "a failed delivery is never repeated", fidelity: rule.Assumed,
		way:     "End the app, and write to the bot: what is answered 502 may come again.",
		leaning: []string{"RESP-REPEAT"},
		learn:   learnRetries,
		follow: func(h Habits, m *webhook.Manner) {
			for _, wait := range h.RetryAfterMS {
				m.RetryAfter = append(m.RetryAfter, ms(wait))
			}
		},
	},
	{
		id: "request.redirects", contract: "no redirect is followed", fidelity: rule.Assumed,
		way:     "Let the app answer one message with 307 and a Location on the same host.",
		leaning: []string{"FWD-REDIRECT"},
		learn:   learnRedirects,
		follow: func(h Habits, m *webhook.Manner) {
			m.FollowRedirects = h.FollowsRedirects != nil && *h.FollowsRedirects
		},
	},
	{
		id: "request.user-agent", contract: notPublished, fidelity: rule.Assumed, way: anyMessage,
		learn: func(l *Learner, h *Habits) Row { h.UserAgents = l.agents.counts(); return told(l.agents) },
		follow: func(h Habits, m *webhook.Manner) {
			always(m, "User-Agent", commonest(h.UserAgents))
		},
	},
	{
		id: "request.protocol", contract: notPublished, fidelity: rule.Assumed, way: anyMessage + " It is what your tunnel speaks.",
		learn: func(l *Learner, h *Habits) Row { h.Protocols = l.protocols.counts(); return told(l.protocols) },
		follow: func(h Habits, m *webhook.Manner) {
			m.Form.HTTP = map[string]string{"HTTP/1.1": "1.1", "HTTP/1.0": "1.1", "HTTP/2.0": "2"}[commonest(h.Protocols)]
		},
	},
	{
		id: "request.spelling", contract: "Kindly-HMAC, Kindly-HMAC-algorithm, Content-Type, Authorization", fidelity: rule.Documented, way: anyMessage, leaning: []string{"SIG-VALID"},
		learn: learnSpelling,
		follow: func(h Habits, m *webhook.Manner) {
			m.Form.Spelling = map[string]string{}
			if commonest(h.Protocols) == "HTTP/2.0" {
				return // which has small letters only
			}
			for _, name := range documentedHeaders {
				if spelled := spelling(h.Headers, name); spelled != "" && spelled != name {
					m.Form.Spelling[name] = spelled
				}
			}
		},
	},
	{
		id: "request.framing", contract: "Content-Length", fidelity: rule.Assumed, way: anyMessage,
		learn: func(l *Learner, _ *Habits) Row { return one(l.framing, "Content-Length") },
		follow: func(h Habits, m *webhook.Manner) {
			m.Form.Chunked = 2*h.Headers[spelling(h.Headers, "Transfer-Encoding")].Seen > h.Headers[spelling(h.Headers, "Content-Length")].Seen
		},
	},
	{
		id: "request.size", contract: notPublished, fidelity: rule.Assumed, way: anyMessage, leaning: []string{"LIVE-HOOK-BODY"},
		learn: func(l *Learner, _ *Habits) Row {
			if len(l.sizes) == 0 {
				return found(NotSeen, span{}, "")
			}
			return found(New, l.all, fmt.Sprintf("median %d bytes, largest %d", median(l.sizes), slices.Max(l.sizes)))
		},
	},
	{
		id: "request.pace", contract: notPublished, fidelity: rule.Assumed, way: anyMessage, leaning: []string{"LIVE-HOOK-BURST"},
		learn: func(l *Learner, _ *Habits) Row {
			if len(l.times) == 0 {
				return found(NotSeen, span{}, "")
			}
			return found(New, l.all, fmt.Sprintf("at most %d within a second", l.busiest()))
		},
	},
	{
		id: "client.hosts", contract: "chat.kindlycdn.com and bot.kindly.ai", fidelity: rule.Assumed, way: watchClient, leaning: []string{"PAGE-CSP"},
		client: clientHosts,
		play: func(c Client, m *widget.Manner) {
			for _, h := range c.Hosts {
				if !h.ours() {
					m.Needs = append(m.Needs, widget.Need{Kind: h.Kind, URL: h.Origin})
				}
			}
		},
	},
	{
		id: "client.calls", contract: "getAuthToken once at each connect, when the page has loaded", fidelity: rule.Assumed, way: watchClient,
		leaning: []string{"PAGE-CALLBACK-KEPT", "PAGE-CALLBACK-TOKEN"},
		client: func(c *Client) Row {
			switch {
			case c.Calls == 0:
				return found(NotSeen, span{}, "getAuthToken was not called")
			case c.Calls == 1:
				return c.row(Agrees, fmt.Sprintf("once, %s after the page began", seconds(ms(c.FirstCallMS))))
			}
			return c.row(Differs, fmt.Sprintf("%d times at the beginning, first %s after the page began", c.Calls, seconds(ms(c.FirstCallMS))))
		},
		play: func(c Client, m *widget.Manner) { m.Calls = min(c.Calls, 5) },
	},
	{
		id: "client.arguments", contract: "getAuthToken(chatId), a UUID", fidelity: rule.Documented, way: watchClient, leaning: []string{"PAGE-CALLBACK-NAME"},
		client: func(c *Client) Row {
			switch {
			case c.Calls == 0:
				return found(NotSeen, span{}, "")
			case slices.Equal(c.Arguments, []string{widget.Argument}):
				return c.row(Agrees, "a UUID")
			}
			return c.row(Differs, "("+strings.Join(c.Arguments, ", ")+")")
		},
		play: func(c Client, m *widget.Manner) {
			if c.Calls > 0 && !slices.Equal(c.Arguments, []string{widget.Argument}) {
				m.Arguments = append([]string{}, c.Arguments...)
			}
		},
	},
	{
		id: "client.renewal", contract: "again " + seconds(assumedRenewal) + " before exp", fidelity: rule.Observed,
		way:     "Let kindlytest run PAGE --observe-client --observe-for 16m go on until after the token's exp; a bot of a test environment may have tokens of a minute.",
		leaning: []string{"PAGE-CALLBACK-RENEW", "AUTH-FRESH"},
		client: func(c *Client) Row {
			switch {
			case c.RenewBeforeMS == nil && !c.NeverRenews:
				return found(NotSeen, span{}, "")
			case c.NeverRenews:
				return c.row(Differs, "a token that had ended was not renewed")
			}
			before := ms(*c.RenewBeforeMS)
			verdict := Differs
			if (before - assumedRenewal).Abs() < 3*time.Second {
				verdict = Agrees
			}
			return c.row(verdict, "again "+seconds(before)+" before exp")
		},
		play: func(c Client, m *widget.Manner) {
			m.NeverRenews = c.NeverRenews
			if c.RenewBeforeMS != nil {
				m.RenewBeforeMS = max(1, *c.RenewBeforeMS)
			}
		},
	},
	{
		id: "client.after-throw", contract: neverAgain, fidelity: rule.Observed, way: "Let getAuthToken throw for one visit, and watch it with " + observeFlag + ".", leaning: []string{"PAGE-ERRORS"},
		client: func(c *Client) Row { return c.again(c.Threw, c.AfterThrowMS) },
		play:   func(c Client, m *widget.Manner) { m.AfterThrowMS = c.AfterThrowMS },
	},
	{
		id: "client.after-null", contract: neverAgain, fidelity: rule.Observed, way: "Log out, so that getAuthToken gives null, and watch that with " + observeFlag + ".", leaning: []string{"PAGE-LOGGED-OUT"},
		client: func(c *Client) Row { return c.again(c.Empty, c.AfterEmptyMS) },
		play:   func(c Client, m *widget.Manner) { m.AfterEmptyMS = c.AfterEmptyMS },
	},
	{
		id: "client.after-slow", contract: "it waits as long as it takes", fidelity: rule.Assumed, way: "Let getAuthToken take a minute for one visit, and watch that with " + observeFlag + ".", leaning: []string{"PAGE-CALLBACK-TIME"},
		client: func(c *Client) Row {
			if c.SlowestMS < 2000 {
				return found(NotSeen, span{}, "")
			}
			if len(c.AfterSlowMS) == 0 {
				return c.row(Agrees, "it waited "+seconds(ms(c.SlowestMS))+", and called nothing meanwhile")
			}
			return c.row(Differs, "called again "+waits(c.AfterSlowMS)+", while an answer was awaited")
		},
		play: func(c Client, m *widget.Manner) { m.AfterSlowMS = c.AfterSlowMS },
	},
	{
		id: "client.events", contract: "kindly:load, kindly:message", fidelity: rule.Documented, way: watchClient,
		client: func(c *Client) Row { return c.names(c.Events, documentedEvents) },
		play:   func(c Client, m *widget.Manner) { m.Events = without(c.Events, documentedEvents) },
	},
	{
		id: "client.methods", contract: "openChat, closeChat, showBubble, hideBubble, triggerDialogue, getContext", fidelity: rule.Documented, way: watchClient,
		client: func(c *Client) Row { return c.names(c.Methods, documentedMethods) },
		play:   func(c Client, m *widget.Manner) { m.Methods = without(c.Methods, documentedMethods) },
	},
}

const (
	observeFlag = "kindlytest run PAGE --observe-client"
	neverAgain  = "not called again until the next connect"
)

// families are rows of which nobody knows the names before.
var families = []struct {
	prefix  string
	about   string // of its contract, for people
	way     string
	leaning []string
	learn   func(l *Learner, h *Habits) []Row
	follow  func(h Habits, m *webhook.Manner)
}{
	{"payload.", "the members of the [request](#webhook-request), with their types", "Write messages to several dialogues, from the web and other sources; new members get rows too.", []string{"RESP-ADDITIVE", "RESP-SPARSE", "RESP-SOURCES"}, learnPayload, followPayload},
	{"header.", "none but those that are documented", anyMessage, nil, learnHeaders, followHeaders},
}

func (r Row) withID(id string) Row { r.ID = id; return r }

func found(v Verdict, s span, text string) Row {
	return Row{Verdict: v, Observed: text, Deliveries: s.n, First: s.first, Last: s.last}
}

// one is about something that always is the same.
func one(seen tally, want string) Row {
	verdict := Agrees
	for value := range seen {
		if value != want && !strings.HasPrefix(value, want+";") { // a charset
			verdict = Differs
		}
	}
	if len(seen) == 0 {
		verdict = NotSeen
	}
	return found(verdict, seen.all(), listed(seen))
}

// told is about something of which nothing is published.
func told(seen tally) Row {
	verdict := New
	if len(seen) == 0 {
		verdict = NotSeen
	}
	return found(verdict, seen.all(), listed(seen))
}

// always lets each request have a header.
func always(m *webhook.Manner, name, value string) {
	if value != "" {
		m.Headers = append(m.Headers, webhook.MannerHeader{Name: name, Make: func(string) string { return value }})
	}
}

// commonest is the key that was counted most often; "" of none.
func commonest(counts map[string]int) string {
	best := ""
	for _, key := range slices.Sorted(maps.Keys(counts)) {
		if counts[key] > counts[best] {
			best = key
		}
	}
	return best
}

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// seconds is a duration for people.
func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// waits are times in a row, for people.
func waits(list []int) string {
	var out []string
	for _, n := range list {
		out = append(out, seconds(ms(n)))
	}
	return "after " + strings.Join(out, ", then ")
}

// quoted is a JSON text as people read it.
func quoted(value string) string {
	if s, err := strconv.Unquote(value); err == nil {
		return s
	}
	return cmp.Or(value, "none")
}
