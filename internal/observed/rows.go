package observed

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/internal/recording"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
)

// listed names the commonest values, with their counts where there are several.
func listed(seen tally) string {
	values := seen.commonest()
	var out []string
	for i, v := range values {
		if i == 5 {
			out = append(out, fmt.Sprintf("and %d more", len(values)-i))
			break
		}
		name := quoted(v)
		if len(values) > 1 {
			name += fmt.Sprintf(" (%d)", seen[v].n)
		}
		out = append(out, name)
	}
	return strings.Join(out, ", ")
}

func learnTimeout(l *Learner, h *Habits) Row {
	if len(l.givenUp) == 0 {
		r := found(NotSeen, span{}, "")
		if l.answered > 0 {
			r.Observed = "an answer after " + seconds(l.answered) + " was still taken"
		}
		if l.answered > assumedTimeout {
			r.Verdict, r.Deliveries, r.First, r.Last = Differs, 1, l.slowest, l.slowest
		}
		return r
	}
	middle := median(l.givenUp)
	r := found(Differs, l.gaveUp, "Kindly hung up after "+seconds(middle))
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

func learnRetries(l *Learner, h *Habits) Row {
	if l.failures.n == 0 {
		return found(NotSeen, span{}, "no delivery has failed")
	}
	again, waited := l.retries()
	h.RetryAfterMS = []int{}
	if again.n == 0 {
		return found(Agrees, l.failures, fmt.Sprintf("none of %d failed deliveries came again", l.failures.n))
	}
	for _, w := range waited {
		h.RetryAfterMS = append(h.RetryAfterMS, int(w.Milliseconds()))
	}
	return found(Differs, again, fmt.Sprintf("%d of %d failed deliveries came again, %s", again.n, l.failures.n, waits(h.RetryAfterMS)))
}

func learnRedirects(l *Learner, h *Habits) Row {
	total := l.followed.n + l.ignored.n
	follows := l.followed.n > 0
	if total > 0 {
		h.FollowsRedirects = &follows
	}
	switch {
	case total == 0:
		return found(NotSeen, span{}, "")
	case follows:
		return found(Differs, l.followed, fmt.Sprintf("%d of %d were followed", l.followed.n, total))
	}
	return found(Agrees, l.ignored, fmt.Sprintf("none of %d was followed", total))
}

// learnPayload is a row for each member: those of the contract, then the new ones.
func learnPayload(l *Learner, h *Habits) []Row {
	h.Bodies, h.Members = l.bodies.n, map[string]Member{}
	var rows []Row
	add := func(path, contract string, r Row) Row {
		r.ID, r.Contract = "payload."+path, contract
		return r
	}
	known := map[string]bool{}
	for _, m := range webhook.Contract() {
		known[m.Path] = true
		contract := m.Type
		if m.Always {
			contract += ", always"
		}
		seen := l.members[m.Path].types()
		s := seen.all()
		r := found(Agrees, s, l.share(seen))
		switch {
		case l.bodies.n == 0 || s.n == 0 && !m.Always:
			r.Verdict = NotSeen
		case s.n == 0:
			r = found(Differs, l.bodies, fmt.Sprintf("in none of %d", l.bodies.n))
		case len(seen) != 1 || seen[m.Type] == nil || m.Always && s.n < l.bodies.n:
			r.Verdict = Differs
		}
		r = add(m.Path, contract, r)
		r.Fidelity = m.Fidelity
		rows = append(rows, r)
	}
	for _, path := range slices.Sorted(maps.Keys(l.members)) {
		m := l.members[path]
		h.Members[path] = Member{Seen: m.types().all().n, Types: m.kinds.counts(), Formats: m.formats.counts(), Values: m.values.counts()}
		if !known[path] {
			rows = append(rows, add(path, "", found(New, m.types().all(), l.share(m.types()))))
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

// ids are members that the mock knows better: what is asked in a chat must be of it.
var ids = []string{"chat_id", "message", "context", "exchange", "_links"}

// followPayload gives the body the members that at least half of the deliveries
// had, and leaves out what was in none of them. Types, formats and such values as say nothing of a
// person are the commonest.
func followPayload(h Habits, m *webhook.Manner) {
	if h.Bodies == 0 || len(h.Members) == 0 {
		return
	}
	contract := map[string]webhook.Member{}
	for _, c := range webhook.Contract() {
		contract[c.Path] = c
		if _, seen := h.Members[c.Path]; !seen && c.Path != "exchange.exchange_slug" { // not each dialogue has one
			m.Members = append(m.Members, webhook.MannerMember{Path: c.Path})
		}
	}
	for _, path := range slices.Sorted(maps.Keys(h.Members)) { // an object before what is in it
		seen := h.Members[path]
		kind, format, value := commonest(seen.Types), recording.Format(commonest(seen.Formats)), commonest(seen.Values)
		c, known := contract[path]
		own := known && (slices.Contains(ids, path) || strings.HasPrefix(path, "web_") || path == "exchange.exchange_slug" || path == "_links.chat")
		switch {
		case own && kind == c.Type:
		case !known && 2*seen.Seen < h.Bodies:
		case value != "" && path != "exchange.exchange_id":
			m.Members = append(m.Members, webhook.MannerMember{Path: path, OnlyThere: known, Make: instead(path, value)})
		case known && kind == c.Type && (kind != "string" || format == usualFormat(path)):
		default:
			m.Members = append(m.Members, webhook.MannerMember{Path: path, OnlyThere: known, Make: func(seed string, was any) any { return make1(kind, format, seed, was) }})
		}
	}
}

// usualFormat is that of a member as kindlytest sends it.
func usualFormat(path string) recording.Format {
	switch path {
	case "chat_id", "user_id", "exchange.exchange_id":
		return recording.UUID
	}
	return recording.Text
}

// instead puts a value in place of the one that kindlytest sends by itself; one
// that a check or a bot has set stays.
func instead(path, text string) func(string, any) any {
	usual, _ := webhook.New("", "").Body() // it has a form
	defaults, _ := webhook.Values(usual)
	var value any
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	if d.Decode(&value) != nil {
		value = text
	}
	return func(_ string, was any) any {
		if was != nil && fmt.Sprint(was) != fmt.Sprint(defaults[path]) {
			return was
		}
		return value
	}
}

// make1 makes a value of a type. Where there was another one, it decides, so that
// equal ones stay equal.
func make1(kind string, format recording.Format, seed string, was any) any {
	if was != nil {
		seed = fmt.Sprint(was)
	}
	number := recording.Example(recording.Digits, seed)
	switch kind {
	case "string":
		return recording.Example(format, seed)
	case "integer":
		return json.Number(number)
	case "number":
		return json.Number("0." + number)
	case "boolean":
		return true
	case "list":
		return []any{}
	case "object":
		return map[string]any{}
	}
	return nil
}

// documentedHeaders are those that NewRequest and SetSignature set, as they spell them.
var documentedHeaders = []string{"Content-Type", webhook.HeaderHMAC, webhook.HeaderHMACAlgorithm, "Authorization", "User-Agent"}

// isDocumented says whether a header is one of them, but for User-Agent.
func isDocumented(name string) bool {
	return slices.ContainsFunc(documentedHeaders[:4], func(d string) bool { return strings.EqualFold(d, name) })
}

// spelling is how a header is spelled most often; "" if it was not seen.
func spelling(headers map[string]Header, name string) string {
	best := ""
	for _, spelled := range slices.Sorted(maps.Keys(headers)) {
		if strings.EqualFold(spelled, name) && headers[spelled].Seen > headers[best].Seen {
			best = spelled
		}
	}
	return best
}

// learnSpelling is about the headers that are documented, and about all of them.
func learnSpelling(l *Learner, h *Habits) Row {
	h.Headers = map[string]Header{}
	for name, m := range l.headers {
		h.Headers[name] = Header{Seen: m.kinds[""].n, Formats: m.formats.counts(), Values: m.values.counts()}
	}
	if len(l.spelling) == 0 {
		return found(NotSeen, span{}, "")
	}
	verdict := Agrees
	for name := range l.spelling {
		if !slices.Contains(documentedHeaders, name) {
			verdict = Differs
		}
	}
	return found(verdict, l.spelling.most(), strings.Join(slices.Sorted(maps.Keys(l.spelling)), ", "))
}

// usual are the headers of any request, those that have rows of their own, and
// what tunnels add.
var usual = []string{
	"authorization", "connection", "content-length", "content-type", "host", "kindly-hmac", "kindly-hmac-algorithm",
	"transfer-encoding", "user-agent", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "forwarded", "via", "cdn-loop", "te", "keep-alive",
}

// further says whether a header is Kindly's, and none that is known.
func further(name string) bool {
	lower := strings.ToLower(name)
	return !slices.Contains(usual, lower) && !strings.HasPrefix(lower, "cf-") && !strings.HasPrefix(lower, "ngrok-")
}

// learnHeaders is a row for each header that nobody has told of.
func learnHeaders(l *Learner, _ *Habits) []Row {
	var rows []Row
	for _, name := range slices.Sorted(maps.Keys(l.headers)) {
		if !further(name) {
			continue
		}
		s := *l.headers[name].kinds[""]
		r := found(New, s, fmt.Sprintf("in %d of %d", s.n, l.methods.all().n))
		r.ID = "header." + name
		rows = append(rows, r)
	}
	return rows
}

// followHeaders sends those that at least half of the deliveries had.
func followHeaders(h Habits, m *webhook.Manner) {
	all := 0
	for _, n := range h.Protocols {
		all += n
	}
	for _, name := range slices.Sorted(maps.Keys(h.Headers)) {
		seen := h.Headers[name]
		if !further(name) || 2*seen.Seen < all {
			continue
		}
		if value := commonest(seen.Values); value != "" {
			always(m, name, value)
			continue
		}
		format := recording.Format(commonest(seen.Formats))
		m.Headers = append(m.Headers, webhook.MannerHeader{Name: name, Make: func(seed string) string { return recording.Example(format, seed+"\x00"+name) }})
	}
}
