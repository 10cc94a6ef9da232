package observed

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
	"github.com/kindlytest/kindlytest/mockkindly/widget"
)

func habitOf(id string) (habit, bool) {
	i := slices.IndexFunc(habits, func(h habit) bool { return h.id == id })
	if i < 0 {
		return habit{}, false
	}
	return habits[i], true
}

// Learnt lays what was read beside the contract. client is what was seen of the
// chat client, nil for nothing.
func (l *Learner) Learnt(client *Client) Learnt {
	for _, p := range l.pending { // nothing came after them
		l.ignored.add(p.at)
	}
	l.pending = nil
	out := Learnt{Version: Version, Deliveries: l.all.n, First: l.all.first, Last: l.all.last}
	for _, h := range habits {
		if h.learn != nil {
			out.Rows = append(out.Rows, h.filled(h.learn(l, &out.Habits)))
		}
	}
	for _, f := range families {
		out.Rows = append(out.Rows, f.learn(l, &out.Habits)...)
	}
	return out.With(client)
}

// With is what was learnt, with what was seen of the chat client put in place of
// what was known of it.
func (l Learnt) With(client *Client) Learnt {
	l.Rows = slices.DeleteFunc(slices.Clone(l.Rows), func(r Row) bool { h, ok := habitOf(r.ID); return ok && h.client != nil })
	l.Habits.Client = client
	if client != nil && (l.First.IsZero() || client.First.Before(l.First)) {
		l.First = client.First
	}
	if client != nil && client.Last.After(l.Last) {
		l.Last = client.Last
	}
	for _, h := range habits {
		if h.client == nil {
			continue
		}
		r := found(NotSeen, span{}, "")
		if client != nil {
			r = h.client(client)
		}
		l.Rows = append(l.Rows, h.filled(r))
	}
	return l
}

func (h habit) filled(r Row) Row {
	r.ID, r.Contract, r.Fidelity = h.id, h.contract, h.fidelity
	if r.Verdict == NotSeen {
		r.Way = h.way
	}
	return r
}

// Manner is how requests are sent likewise.
func (l *Learnt) Manner() *webhook.Manner {
	if l == nil || l.Deliveries == 0 {
		return nil
	}
	m := &webhook.Manner{}
	for _, h := range habits {
		if h.follow != nil {
			h.follow(l.Habits, m)
		}
	}
	for _, f := range families {
		f.follow(l.Habits, m)
	}
	return m
}

// Client is how the chat client works likewise.
func (l *Learnt) Client() *widget.Manner {
	if l == nil || l.Habits.Client == nil {
		return nil
	}
	m := &widget.Manner{}
	for _, h := range habits {
		if h.play != nil {
			h.play(*l.Habits.Client, m)
		}
	}
	return m
}

// Hosts are the names of those that the chat client was seen to talk to, beside
// Kindly's own that everybody knows.
func (l *Learnt) Hosts() []string {
	var out []string
	if m := l.Client(); m != nil {
		for _, n := range m.Needs {
			if u, err := url.Parse(n.URL); err == nil && u.Hostname() != "" && !slices.Contains(out, u.Hostname()) {
				out = append(out, u.Hostname())
			}
		}
	}
	return out
}

// Patience is how long Kindly was seen to wait for an answer, 0 if that is not known.
func (l *Learnt) Patience() time.Duration {
	if l == nil {
		return 0
	}
	return ms(l.Habits.TimeoutMS)
}

// Basis are the rows that were seen and that a check leans on.
func (l *Learnt) Basis(check string) []Row {
	if l == nil {
		return nil
	}
	var out []Row
	for _, r := range l.Rows {
		if r.Verdict != NotSeen && slices.Contains(leaning(r), check) {
			out = append(out, r)
		}
	}
	return out
}

// leaning are the checks that lean on a row. On those of families they do where
// they are otherwise than documented.
func leaning(r Row) []string {
	if h, ok := habitOf(r.ID); ok {
		return h.leaning
	}
	for _, f := range families {
		if strings.HasPrefix(r.ID, f.prefix) && r.Verdict != Agrees {
			return f.leaning
		}
	}
	return nil
}

// A Known row is what is known of Kindly without anybody's looking.
type Known struct {
	ID, Contract string
	Fidelity     rule.Fidelity
	Way          string   // how it can be seen
	Leaning      []string // the checks that rest on it
	Likewise     string   // what is done likewise where it was seen: requests, chat client
}

// AllKnown are the rows that can be told before anything was seen.
func AllKnown() []Known {
	var out []Known
	for _, h := range habits {
		k := Known{ID: h.id, Contract: h.contract, Fidelity: h.fidelity, Way: h.way, Leaning: h.leaning}
		switch {
		case h.follow != nil:
			k.Likewise = "requests"
		case h.play != nil:
			k.Likewise = "chat client"
		}
		out = append(out, k)
	}
	for _, f := range families {
		out = append(out, Known{f.prefix + "NAME", f.about, rule.Documented, f.way, f.leaning, "requests"})
	}
	return out
}

// Leaning are the checks that rest on each row, by its ID or by how it begins.
func Leaning() map[string][]string {
	out := map[string][]string{}
	for _, h := range habits {
		out[h.id] = h.leaning
	}
	for _, f := range families {
		out[f.prefix] = f.leaning
	}
	return out
}

// Contradictions are the rows in which Kindly was seen to do otherwise than is
// documented or assumed.
func (l *Learnt) Contradictions() []Row {
	if l == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(l.Rows), func(r Row) bool { return r.Verdict != Differs })
}

// By is how the whole is known: "observed by you, 214 deliveries, 3 March 2026".
func (l *Learnt) By() string {
	if l.Deliveries == 0 && l.Habits.Client != nil {
		return l.Habits.Client.row(New, "").withID("client.hosts").By()
	}
	return Row{Deliveries: l.Deliveries, First: l.First, Last: l.Last}.By()
}
