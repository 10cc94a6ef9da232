package observed

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/internal/recording"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
)

// A span counts deliveries, and knows the first and the last of them.
type span struct {
	n           int
	first, last time.Time
}

func (s *span) add(at time.Time) {
	s.n++
	if s.first.IsZero() || at.Before(s.first) {
		s.first = at
	}
	if at.After(s.last) {
		s.last = at
	}
}

// A tally counts deliveries by what they have.
type tally map[string]*span

// maxTally bounds how many different values are counted.
const maxTally = 1000

func (t tally) add(value string, at time.Time) {
	s := t[value]
	if s == nil {
		if len(t) >= maxTally {
			return
		}
		s = &span{}
		t[strings.Clone(value)] = s
	}
	s.add(at)
}

func (t tally) counts() map[string]int {
	if len(t) == 0 {
		return nil
	}
	out := map[string]int{}
	for _, value := range t.commonest()[:min(len(t), maxCounts)] {
		out[value] = t[value].n
	}
	return out
}

// maxCounts bounds how many of the values stand in the file, the commonest.
const maxCounts = 50

// commonest are the values, those that were counted most often first.
func (t tally) commonest() []string {
	return slices.SortedFunc(maps.Keys(t), func(a, b string) int {
		return cmp.Or(t[b].n-t[a].n, strings.Compare(a, b))
	})
}

// most is the span of the value that was counted most often.
func (t tally) most() span { return *t[t.commonest()[0]] }

// A part of requests is a member or a header: of which types, and of texts of which
// formats, it was. Values are counted where they say nothing of a person.
type part struct{ kinds, formats, values tally }

// partOf is the part with a name; nil where there are too many.
func partOf(parts map[string]*part, name string) *part {
	p := parts[name]
	if p == nil && len(parts) < maxTally {
		p = &part{kinds: tally{}, formats: tally{}, values: tally{}}
		parts[strings.Clone(name)] = p
	}
	return p
}

// maxValue bounds a value that is kept, in bytes.
const maxValue = 200

func (p *part) add(kind, text, value string, impersonal bool, at time.Time) {
	p.kinds.add(kind, at)
	if text != "" {
		p.formats.add(string(recording.FormatOf(text)), at)
	}
	if impersonal && len(value) <= maxValue {
		p.values.add(value, at)
	}
}

// types are those of a member that may not have been seen.
func (p *part) types() tally {
	if p == nil {
		return tally{}
	}
	return p.kinds
}

// all is the span of all values.
func (t tally) all() span {
	var out span
	for _, s := range t {
		out.n += s.n
		if out.first.IsZero() || s.first.Before(out.first) {
			out.first = s.first
		}
		if s.last.After(out.last) {
			out.last = s.last
		}
	}
	return out
}

// An attempt is a delivery as repetitions are looked for.
type attempt struct {
	at     time.Time
	took   time.Duration
	failed bool
}

// A redirect is an answer that led elsewhere on the same host.
type redirect struct {
	at     time.Time
	path   string
	digest string
}

// Bounds in time.
const (
	retryWithin  = 10 * time.Minute // what comes later is another message of the same words
	followWithin = 10 * time.Second
)

// A Learner reads recordings.
type Learner struct {
	// Strangers are requests that were left out, since nothing says that Kindly has
	// sent them: the address of a tunnel is public. Twice are deliveries that were
	// read before.
	Strangers, Twice int

	read      map[place]bool
	runs      map[string]int
	all       span
	methods   tally
	types     tally
	agents    tally
	protocols tally
	framing   tally
	spelling  tally            // of documented headers, where it is the sender's choice
	headers   map[string]*part // by their spelling
	algorithm tally
	signature tally
	tokens    tally
	members   map[string]*part // by path
	bodies    span             // that could be read

	sizes    []int
	times    []time.Time
	answered time.Duration   // the slowest answer that was taken
	givenUp  []time.Duration // after which Kindly hung up
	gaveUp   span
	slowest  time.Time
	attempts map[string][]attempt // by run and digest
	failures span
	pending  []redirect
	followed span
	ignored  span
}

// A place is where a delivery was recorded: in which run, and as which.
type place struct{ run, number int }

// NewLearner returns one that has read nothing.
func NewLearner() *Learner {
	return &Learner{
		read: map[place]bool{}, runs: map[string]int{},
		methods: tally{}, types: tally{}, agents: tally{}, protocols: tally{}, framing: tally{}, spelling: tally{}, headers: map[string]*part{}, algorithm: tally{},
		signature: tally{}, tokens: tally{}, members: map[string]*part{}, attempts: map[string][]attempt{},
	}
}

// Add learns from a delivery. Those of one run come in their order.
func (l *Learner) Add(d recording.Delivery) {
	r := d.Request
	if l.readBefore(d) {
		l.Twice++
		return
	}
	if followed := l.follow(d); !followed && isStranger(r) {
		l.Strangers++
		return
	}
	l.all.add(d.At)
	l.times = append(l.times, d.At)
	l.sizes = append(l.sizes, r.Size)
	if r.Method != "POST" {
		l.methods.add(r.Method, d.At)
		return // a look by somebody, or a redirect that was followed
	}
	l.methods.add(r.Method, d.At)
	l.protocols.add(r.Protocol, d.At)
	l.signature.add(r.Signature, d.At)
	l.tokens.add(r.Token, d.At)
	for name, into := range map[string]tally{"Content-Type": l.types, "User-Agent": l.agents, webhook.HeaderHMACAlgorithm: l.algorithm} {
		value, _ := r.Header(name)
		into.add(value, d.At)
	}
	for _, h := range r.Headers {
		if p := partOf(l.headers, h.Name); p != nil {
			p.add("", h.Value, h.Value, recording.ImpersonalHeader(h.Name), d.At)
		}
		if isDocumented(h.Name) && strings.HasPrefix(r.Protocol, "HTTP/1") { // HTTP/2 has small letters only
			l.spelling.add(h.Name, d.At)
		}
		if strings.EqualFold(h.Name, "Content-Length") || strings.EqualFold(h.Name, "Transfer-Encoding") {
			l.framing.add(http.CanonicalHeaderKey(h.Name), d.At)
		}
	}
	if members, err := webhook.Values(r.Body); err == nil {
		l.bodies.add(d.At)
		for path, value := range members {
			if p := partOf(l.members, path); p != nil {
				text, _ := value.(string)
				written, _ := json.Marshal(value) // what was decoded has a form
				p.add(webhook.TypeName(written), text, string(written), recording.Impersonal(path), d.At)
			}
		}
	}
	l.outcome(d)
}

// readBefore says whether a delivery was read before, and keeps in mind that it was.
func (l *Learner) readBefore(d recording.Delivery) bool {
	if d.Number == 0 { // whoever wrote it does not number them
		return false
	}
	run, ok := l.runs[d.Run]
	if !ok {
		run = len(l.runs)
		l.runs[strings.Clone(d.Run)] = run
	}
	at := place{run, d.Number}
	before := l.read[at]
	l.read[at] = true
	return before
}

// isStranger says whether a request has nothing of Kindly's: no signature, and no
// member that Kindly's have.
func isStranger(r recording.Request) bool {
	for _, name := range []string{webhook.HeaderHMAC, webhook.HeaderHMACAlgorithm} {
		if _, ok := r.Header(name); ok {
			return false
		}
	}
	members, err := webhook.Values(r.Body)
	if err != nil {
		return r.Size <= recording.MaxBody // of a larger one nobody knows
	}
	return !slices.ContainsFunc(webhook.Contract(), func(m webhook.Member) bool { _, ok := members[m.Path]; return ok })
}

// outcome learns from how a delivery ended.
func (l *Learner) outcome(d recording.Delivery) {
	took := time.Duration(d.TookMS * float64(time.Millisecond))
	switch {
	case d.GivenUp:
		l.givenUp = append(l.givenUp, took)
		l.gaveUp.add(d.At)
	case d.Answer != nil && took > l.answered:
		l.answered, l.slowest = took, d.At
	}
	failed := d.Answer == nil || d.Answer.Status >= 500 || d.Answer.Status == 429
	if failed {
		l.failures.add(d.At)
	}
	if d.Request.Digest != "" {
		key := d.Run + d.Request.Digest
		if before := l.attempts[key]; failed || before != nil { // what went well at once is no matter
			l.attempts[key] = append(before, attempt{d.At, took, failed})
		}
	}
}

// follow tells whether a delivery is where an earlier answer led, and keeps in
// mind where its own leads.
func (l *Learner) follow(d recording.Delivery) (followed bool) {
	l.pending = slices.DeleteFunc(l.pending, func(p redirect) bool {
		switch {
		case d.At.Sub(p.at) > followWithin:
			l.ignored.add(p.at)
			return true
		case d.Request.Path == p.path && (d.Request.Digest == p.digest || d.Request.Method != "POST"):
			l.followed.add(p.at)
			followed = true
			return true
		}
		return false
	})
	if d.Answer == nil || d.Answer.Status < 300 || d.Answer.Status > 399 {
		return followed
	}
	location, _ := d.Answer.Header("Location")
	u, err := url.Parse(location)
	if location == "" || err != nil || u.Host != "" && u.Host != d.Request.Host {
		return followed // it can't be seen from here
	}
	own := &url.URL{Path: d.Request.Path}
	end := d.At.Add(time.Duration(d.TookMS * float64(time.Millisecond)))
	l.pending = append(l.pending, redirect{end, own.ResolveReference(&url.URL{Path: u.Path}).Path, d.Request.Digest})
	return followed
}

// retries are how many failed deliveries were sent again, and the median of the
// waits before the first repetition, the second, …
func (l *Learner) retries() (again span, waits []time.Duration) {
	var by [][]time.Duration
	for _, list := range l.attempts {
		if len(list) < 2 {
			continue
		}
		slices.SortFunc(list, func(a, b attempt) int { return a.at.Compare(b.at) })
		round := 0
		for i, next := range list[1:] {
			wait := next.at.Sub(list[i].at.Add(list[i].took))
			if !list[i].failed || wait > retryWithin {
				round = 0
				continue
			}
			again.add(list[i].at)
			if round == len(by) {
				by = append(by, nil)
			}
			by[round] = append(by[round], max(wait, 0))
			round++
		}
	}
	for _, list := range by {
		waits = append(waits, median(list))
	}
	return again, waits
}

func median[T cmp.Ordered](list []T) T {
	var none T
	if len(list) == 0 {
		return none
	}
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}

// busiest is the most deliveries that began within one second.
func (l *Learner) busiest() int {
	times := slices.SortedFunc(slices.Values(l.times), time.Time.Compare)
	most, from := 0, 0
	for i, at := range times {
		for at.Sub(times[from]) >= time.Second {
			from++
		}
		most = max(most, i-from+1)
	}
	return most
}
