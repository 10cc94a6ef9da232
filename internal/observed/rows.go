package observed

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
)

// What kindlytest takes Kindly to do where nothing is published.
const assumedTimeout = 10 * time.Second

// Learnt lays what was read beside the contract.
func (l *Learner) Learnt() Learnt {
	for _, p := range l.pending { // nothing came after them
		l.ignored.add(p.at)
	}
	l.pending = nil
	out := Learnt{Version: Version, Deliveries: l.all.n, First: l.all.first, Last: l.all.last}
	h := &out.Habits
	h.UserAgents, h.Protocols, h.Headers = l.agents.counts(), l.protocols.counts(), l.headers.counts()
	h.Members = map[string]Member{}
	for path, types := range l.members {
		h.Members[path] = Member{types.all().n, types.counts()}
	}
	out.Rows = []Row{
		l.one("request.method", l.methods, "POST", rule.Documented),
		l.one("request.content-type", l.types, "application/json", rule.Documented),
		l.one("request.hmac-algorithm", l.algorithm, webhook.Algorithm, rule.Documented),
		l.signed(),
		l.token(),
		l.timeout(h),
		l.retry(h),
		l.redirects(h),
		l.told("request.user-agent", l.agents),
		l.told("request.protocol", l.protocols),
		l.size(),
		l.pace(),
	}
	out.Rows = append(append(out.Rows, l.payload()...), l.furtherHeaders()...)
	return out
}

// row fills in what a span tells.
func row(id, contract string, f rule.Fidelity, v Verdict, s span, observed string) Row {
	return Row{ID: id, Contract: contract, Fidelity: f, Verdict: v, Observed: observed, Deliveries: s.n, First: s.first, Last: s.last}
}

// one is a row about something that always is the same.
func (l *Learner) one(id string, seen tally, want string, f rule.Fidelity) Row {
	verdict := Agrees
	for value := range seen {
		if value != want && !strings.HasPrefix(value, want+";") { // a charset
			verdict = Differs
		}
	}
	if len(seen) == 0 {
		verdict = NotSeen
	}
	return row(id, want, f, verdict, seen.all(), listed(seen))
}

// told is a row about something of which nothing is published.
func (l *Learner) told(id string, seen tally) Row {
	verdict := New
	if len(seen) == 0 {
		verdict = NotSeen
	}
	return row(id, "not published", rule.Assumed, verdict, seen.all(), listed(seen))
}

// listed names the commonest values, with their counts where there are several.
func listed(seen tally) string {
	values := slices.SortedFunc(maps.Keys(seen), func(a, b string) int {
		if seen[a].n != seen[b].n {
			return seen[b].n - seen[a].n
		}
		return strings.Compare(a, b)
	})
	var out []string
	for i, v := range values {
		if i == 5 {
			out = append(out, fmt.Sprintf("and %d more", len(values)-i))
			break
		}
		name := v
		if name == "" {
			name = "none"
		}
		if len(values) > 1 {
			name += fmt.Sprintf(" (%d)", seen[v].n)
		}
		out = append(out, name)
	}
	return strings.Join(out, ", ")
}

func (l *Learner) signed() Row {
	verdict := Agrees
	for value := range l.signature {
		if value != "right" && value != "unjudged" {
			verdict = Differs
		}
	}
	r := row("request.hmac", "Kindly-HMAC is right", rule.Documented, verdict, l.signature.all(), listed(l.signature))
	if l.signature["right"] == nil && verdict == Agrees {
		r.Verdict, r.Way = NotSeen, "Give the webhook's secret while you listen."
	}
	return r
}

func (l *Learner) token() Row {
	r := row("request.token", "Authorization: Bearer, where the token allows the domain", rule.Documented, Agrees, l.tokens.all(), listed(l.tokens))
	switch {
	case l.tokens["refused"] != nil:
		r.Verdict = Differs
	case l.tokens["accepted"] == nil:
		r.Verdict, r.Way = NotSeen, "Listen with --public-key, and write as a user who is logged in, with the tunnel's domain in chat.webhook_domains."
	}
	return r
}

func (l *Learner) timeout(h *Habits) Row {
	const id = "request.timeout"
	contract := seconds(assumedTimeout)
	if len(l.givenUp) == 0 {
		r := row(id, contract, rule.Assumed, NotSeen, span{}, "")
		r.Way = "Let the app wait a minute before it answers one message."
		if l.answered > 0 {
			r.Observed = "an answer after " + seconds(l.answered) + " was still taken"
		}
		if l.answered > assumedTimeout {
			r.Verdict, r.Deliveries, r.First, r.Last = Differs, 1, l.slowest, l.slowest
		}
		return r
	}
	middle := median(l.givenUp)
	r := row(id, contract, rule.Assumed, Differs, l.gaveUp, "Kindly hung up after "+seconds(middle))
	least, most := slices.Min(l.givenUp), slices.Max(l.givenUp)
	slack := max(middle/20, 200*time.Millisecond)
	switch {
	case most-least > 2*slack || l.answered > middle+slack:
		r.Observed = fmt.Sprintf("no single limit: Kindly hung up after %s to %s, and took an answer after %s", seconds(least), seconds(most), seconds(l.answered))
		return r
	case middle > assumedTimeout-slack && middle < assumedTimeout+slack:
		r.Verdict = Agrees
	}
	h.TimeoutMS = int(middle.Round(100*time.Millisecond) / time.Millisecond)
	return r
}

func (l *Learner) retry(h *Habits) Row {
	const id, contract = "request.retries", "a failed delivery is never repeated"
	if l.failures.n == 0 {
		r := row(id, contract, rule.Assumed, NotSeen, span{}, "no delivery has failed")
		r.Way = "End the app, and write to the bot: what is answered 502 may come again."
		return r
	}
	again, waits := l.retries()
	if again.n == 0 {
		h.RetryAfterMS = []int{}
		return row(id, contract, rule.Assumed, Agrees, l.failures, fmt.Sprintf("none of %d failed deliveries came again", l.failures.n))
	}
	var list []string
	for _, w := range waits {
		list = append(list, seconds(w))
		h.RetryAfterMS = append(h.RetryAfterMS, int(w.Milliseconds()))
	}
	return row(id, contract, rule.Assumed, Differs, again,
		fmt.Sprintf("%d of %d failed deliveries came again, after %s", again.n, l.failures.n, strings.Join(list, ", then ")))
}

func (l *Learner) redirects(h *Habits) Row {
	const id, contract = "request.redirects", "no redirect is followed"
	total := l.followed.n + l.ignored.n
	follows := l.followed.n > 0
	if total > 0 {
		h.FollowsRedirects = &follows
	}
	switch {
	case total == 0:
		r := row(id, contract, rule.Assumed, NotSeen, span{}, "")
		r.Way = "Let the app answer one message with 307 and a Location on the same host."
		return r
	case follows:
		return row(id, contract, rule.Assumed, Differs, l.followed, fmt.Sprintf("%d of %d were followed", l.followed.n, total))
	}
	return row(id, contract, rule.Assumed, Agrees, l.ignored, fmt.Sprintf("none of %d was followed", total))
}

func (l *Learner) size() Row {
	if len(l.sizes) == 0 {
		return row("request.size", "not published", rule.Assumed, NotSeen, span{}, "")
	}
	return row("request.size", "not published", rule.Assumed, New, l.all, fmt.Sprintf("median %d bytes, largest %d", median(l.sizes), slices.Max(l.sizes)))
}

func (l *Learner) pace() Row {
	if len(l.times) == 0 {
		return row("request.pace", "not published", rule.Assumed, NotSeen, span{}, "")
	}
	return row("request.pace", "not published", rule.Assumed, New, l.all, fmt.Sprintf("at most %d within a second", l.busiest()))
}

// payload is a row for each member: those of the contract, then the new ones.
func (l *Learner) payload() []Row {
	var rows []Row
	known := map[string]bool{}
	for _, m := range webhook.Contract() {
		known[m.Path] = true
		contract := m.Type
		if m.Always {
			contract += ", always"
		}
		seen := l.members[m.Path]
		s := seen.all()
		r := row("payload."+m.Path, contract, m.Fidelity, Agrees, s, l.share(seen))
		switch {
		case l.bodies.n == 0 || s.n == 0 && !m.Always:
			r.Verdict = NotSeen
		case s.n == 0:
			r = row(r.ID, contract, m.Fidelity, Differs, l.bodies, fmt.Sprintf("in none of %d", l.bodies.n))
		case len(seen) != 1 || seen[m.Type] == nil || m.Always && s.n < l.bodies.n:
			r.Verdict = Differs
		}
		rows = append(rows, r)
	}
	for _, path := range slices.Sorted(maps.Keys(l.members)) {
		if !known[path] {
			rows = append(rows, row("payload."+path, "", "", New, l.members[path].all(), l.share(l.members[path])))
		}
	}
	return rows
}

// share says how often a member was there, with which types.
func (l *Learner) share(seen tally) string {
	n := seen.all().n
	if n == 0 {
		return ""
	}
	if n == l.bodies.n {
		return listed(seen) + ", always"
	}
	return fmt.Sprintf("%s, in %d of %d", listed(seen), n, l.bodies.n)
}

// usual are the headers of any request, those that have rows of their own, and
// what tunnels add.
var usual = []string{
	"accept", "accept-encoding", "authorization", "connection", "content-length", "content-type", "host", "kindly-hmac", "kindly-hmac-algorithm",
	"transfer-encoding", "user-agent", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "forwarded", "via", "cdn-loop",
}

// furtherHeaders is a row for each header that nobody has told of.
func (l *Learner) furtherHeaders() []Row {
	var rows []Row
	for _, name := range slices.Sorted(maps.Keys(l.headers)) {
		lower := strings.ToLower(name)
		if slices.Contains(usual, lower) || strings.HasPrefix(lower, "cf-") || strings.HasPrefix(lower, "ngrok-") {
			continue
		}
		s := *l.headers[name]
		rows = append(rows, row("header."+name, "", "", New, s, fmt.Sprintf("in %d of %d", s.n, l.methods.all().n)))
	}
	return rows
}

// seconds is a duration for people.
func seconds(d time.Duration) string {
	return fmt.Sprintf("%.1f s", d.Seconds())
}
