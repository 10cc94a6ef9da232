package catalogue

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/kindlytest/kindlytest/internal/oracle"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
	"github.com/kindlytest/kindlytest/suites/subject"
)

// A naming is one way to name somebody in a request without a token.
type naming struct {
	who   oracle.Marker
	where string
	name  func(p *webhook.Payload, m oracle.Marker)
}

func (n naming) title() string {
	return n.where + " names the member's " + n.who.Claim + ", without a token"
}

func (n naming) call(m oracle.Marker) subject.Call {
	return subject.Call{Payload: func(p *webhook.Payload) { n.name(p, m) }}
}

// known says whether who is named so gets another answer than people who are invented, each
// time, beside what may repeat the name: who is greeted by a hash of the name gets one of
// their own, too. ev is how the first one was answered, and twin how somebody else was.
func (n naming) known(ctx context.Context, h *subject.Webhook, st subject.Standing, ev subject.Evidence) (twin subject.Evidence, known bool, err error) {
	if !h.AcceptableStatus(ev) || st.Fault != nil { // what refuses valid requests by turns differs by itself
		return twin, false, nil
	}
	names := []string{n.who.Value}
	without := func(all []subject.Evidence) []wire.Exchange {
		strip := withoutNames(names...)
		var out []wire.Exchange
		for _, ev := range all {
			out = append(out, strip(ev))
		}
		return out
	}
	if _, told := tellApart(without([]subject.Evidence{ev, ev}), without(st.Stranger)); !told {
		return twin, false, nil
	}
	send := func(m oracle.Marker) (subject.Evidence, bool) {
		var sent subject.Evidence
		if sent, err = h.Call(ctx, "without a token, "+n.where+" names somebody", n.call(m)); err != nil {
			return sent, false
		}
		return sent, sent.Exchange.Err == nil && sent.Exchange.Status() < http.StatusInternalServerError && !h.Session.TooMany(sent)
	}
	var nobodies []subject.Evidence
	invent := func() bool {
		invented := n.who
		var ok bool
		if invented.Value, ok = namesake(n.who.Value, h.Session.NewChatID()); !ok {
			return false
		}
		names = append(names, invented.Value)
		other, ok := send(invented)
		nobodies = append(nobodies, other)
		return ok
	}
	if !invent() {
		return twin, false, err
	}
	twin = nobodies[0]
	if _, told := tellApart(without([]subject.Evidence{ev, ev}), without([]subject.Evidence{twin, twin})); !told {
		return twin, false, nil
	}
	members := []subject.Evidence{ev}
	for round := range oracle.Enough {
		ask := []func() bool{invent, func() bool {
			again, ok := send(n.who)
			members = append(members, again)
			return ok
		}}
		if round%2 > 0 { // no order in which instances may take turns
			slices.Reverse(ask)
		}
		if !ask[0]() || !ask[1]() {
			return twin, false, err
		}
		o, told := tellApart(without(members), without(nobodies))
		if !told || !o.Apart() {
			return twin, false, nil
		}
		if round > 1 && !o.WantsMore() {
			break
		}
	}
	return twin, true, nil
}

// tellApart says whether two kinds of answers differ, beyond noise. Where an answer is
// missing, they may.
func tellApart(a, b []wire.Exchange) (*oracle.Oracle, bool) {
	o, err := oracle.Learn(oracle.Controls{Valid: a, Anonymous: b}, oracle.Options{})
	return o, err != nil || o.Signal()
}

// namesake is somebody who is named in the same form, and whom nobody knows.
func namesake(value, unique string) (string, bool) {
	if n, err := strconv.ParseInt(value, 10, 64); err == nil {
		other, err := strconv.ParseInt(strings.ReplaceAll(unique, "-", "")[:5], 16, 64)
		return strconv.FormatInt(n/2+7_654_321+other, 10), err == nil
	}
	if value == "" || aUUID.MatchString(value) {
		other, ok := invent(value, unique)
		text, _ := other.(string)
		return text, ok
	}
	name, domain := value, ""
	if anAddress.MatchString(value) {
		i := strings.LastIndex(value, "@")
		name, domain = value[:i], value[i:]
	}
	digits, n := strings.ReplaceAll(unique, "-", ""), 0
	next := func() int {
		d := strings.IndexByte("0123456789abcdef", digits[n%len(digits)])
		n++
		return max(d, 0)
	}
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsDigit(r):
			return rune('0' + next()%10)
		case unicode.IsUpper(r):
			return rune("BCDFGHJKLMNPRSTV"[next()])
		case unicode.IsLetter(r):
			return rune("bcdfghjklmnprstv"[next()])
		}
		return r
	}, name) + domain, true
}

// withoutNames returns what takes out of an answer the names that were said, or their
// parts, as somebody may be addressed by them.
func withoutNames(values ...string) func(subject.Evidence) wire.Exchange {
	var parts []string
	for _, value := range values {
		for _, part := range append(wordsOf(value), value) {
			if part == value || utf8.RuneCountInString(part) >= 3 {
				escaped := strconv.QuoteToASCII(part) // as in JSON
				parts = append(parts, regexp.QuoteMeta(part), regexp.QuoteMeta(escaped[1:len(escaped)-1]))
			}
		}
	}
	slices.SortFunc(parts, func(a, b string) int { return len(b) - len(a) })
	names := regexp.MustCompile(`(?i)(?:(?:` + strings.Join(parts, "|") + `)[ ._@+-]*)+`)
	return func(ev subject.Evidence) wire.Exchange {
		ex := ev.Exchange
		if ex.Response != nil {
			response := *ex.Response
			response.Body = names.ReplaceAll(response.Body, []byte("somebody "))
			ex.Response = &response
		}
		return ex
	}
}

// madeOf says whether all words of a claim stand in what was said: whoever reads
// ada.lovelace@example.com can greet Ada Lovelace.
func madeOf(claim, said string) bool {
	words := wordsOf(claim)
	return len(words) > 0 && !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(strings.ToLower(said), w) })
}

func wordsOf(s string) []string {
	return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}
