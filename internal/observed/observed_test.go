package observed

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/kindlytest/kindlytest/internal/recording"
)

var noon = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)

const payload = `{"organization_id":1,"bot_id":2,"chat_id":"c","user_id":"u","message":"hi","exchange":{"exchange_id":"e","language_code":"en"},"_links":{"chat":"https://a.example"},"source":"web"}`

// usualDelivery is one as documented, at so many seconds after noon.
func usualDelivery(second float64) recording.Delivery {
	return recording.Delivery{
		Version: 1, Run: "r", At: noon.Add(time.Duration(second * float64(time.Second))), TookMS: 20,
		Request: recording.Request{
			Protocol: "HTTP/1.1", Method: "POST", Host: "t.example", Path: "/kindly", Size: len(payload), Signature: "right", Token: "accepted",
			Digest: fmt.Sprint("of second ", second), Body: json.RawMessage(payload),
			Headers: []recording.Header{{Name: "Content-Type", Value: "application/json"}, {Name: "User-Agent", Value: "Kindly/1"}, {Name: "Kindly-HMAC-algorithm", Value: "HMAC-SHA-256 (base64 encoded)"}},
		},
		Answer: &recording.Answer{Status: 200},
	}
}

type change func(*recording.Delivery)

func status(n int) change    { return func(d *recording.Delivery) { d.Answer.Status = n } }
func took(ms float64) change { return func(d *recording.Delivery) { d.TookMS = ms } }
func body(from, to string) change {
	return func(d *recording.Delivery) { d.Request.Body = json.RawMessage(strings.Replace(payload, from, to, 1)) }
}
func digest(s string) change { return func(d *recording.Delivery) { d.Request.Digest = s } }
func header(name, value string) change {
	return func(d *recording.Delivery) {
		d.Request.Headers = append([]recording.Header{{Name: name, Value: value}}, d.Request.Headers...)
	}
}
func gaveUp(ms float64) change {
	return func(d *recording.Delivery) { d.Answer, d.GivenUp, d.TookMS = nil, true, ms }
}
func location(to string) change {
	return func(d *recording.Delivery) {
		d.Answer = &recording.Answer{Status: 307, Headers: []recording.Header{{Name: "location", Value: to}}}
	}
}
func request(f func(*recording.Request)) change {
	return func(d *recording.Delivery) { f(&d.Request) }
}

func at(second float64, changes ...change) recording.Delivery {
	d := usualDelivery(second)
	for _, c := range changes {
		c(&d)
	}
	return d
}

// TestHabitsAreLearnt has a row for each habit that another Kindly than ours may have.
func TestHabitsAreLearnt(t *testing.T) {
	type all = []recording.Delivery
	for _, row := range []struct {
		name string
		seen all
		id   string
		want Verdict
		told string // is in what was observed
	}{
		{"a POST", all{at(0)}, "request.method", Agrees, "POST"},
		{"a PUT", all{at(0), at(1, request(func(r *recording.Request) { r.Method = "PUT" }))}, "request.method", Differs, "POST (1), PUT (1)"},
		{"JSON with a charset", all{at(0, header("content-type", "application/json; charset=utf-8"))}, "request.content-type", Agrees, "charset"},
		{"another content type", all{at(0, header("content-type", "text/plain"))}, "request.content-type", Differs, "text/plain"},
		{"another algorithm", all{at(0, header("Kindly-HMAC-algorithm", "SHA-512"))}, "request.hmac-algorithm", Differs, "SHA-512"},
		{"right signatures", all{at(0), at(1)}, "request.hmac", Agrees, "right"},
		{"a signature in hex", all{at(0, request(func(r *recording.Request) { r.Signature = "hmac-hex" }))}, "request.hmac", Differs, "hmac-hex"},
		{"no secret", all{at(0, request(func(r *recording.Request) { r.Signature = "unjudged" }))}, "request.hmac", NotSeen, "unjudged"},
		{"tokens", all{at(0)}, "request.token", Agrees, "accepted"},
		{"a token that breaks a rule", all{at(0, request(func(r *recording.Request) { r.Token = "refused" }))}, "request.token", Differs, "refused"},
		{"no token", all{at(0, request(func(r *recording.Request) { r.Token = "none" }))}, "request.token", NotSeen, "none"},
		{"nobody was slow", all{at(0, took(4200))}, "request.timeout", NotSeen, "4.2 s was still taken"},
		{"a time-out of 3 s", all{at(0, gaveUp(3000)), at(10, gaveUp(3010)), at(20, took(2800))}, "request.timeout", Differs, "after 3.0 s"},
		{"our time-out", all{at(0, gaveUp(10_020))}, "request.timeout", Agrees, "after 10.0 s"},
		{"more patience than ours", all{at(0, took(25_000))}, "request.timeout", Differs, "25.0 s was still taken"},
		{"no single time-out", all{at(0, gaveUp(3000)), at(10, gaveUp(9000))}, "request.timeout", Differs, "no single limit"},
		{"no failure", all{at(0), at(1)}, "request.retries", NotSeen, "no delivery has failed"},
		{"no retry", all{at(0, status(503)), at(30)}, "request.retries", Agrees, "none of 1 failed"},
		{"two retries", all{at(0, status(503), digest("a")), at(1.02, status(503), digest("a")), at(3.04, digest("a"))}, "request.retries", Differs, "2 of 2 failed deliveries came again, after 1.0 s, then 2.0 s"},
		{"a retry after a time-out", all{at(0, gaveUp(3000), digest("a")), at(5, digest("a"))}, "request.retries", Differs, "after 2.0 s"},
		{"the same words twice are no retry", all{at(0, digest("a")), at(5, digest("a")), at(9, status(500))}, "request.retries", Agrees, "none of 1"},
		{"the same words of another run are no retry", all{at(0, status(500), digest("a")), at(5, digest("a"), func(d *recording.Delivery) { d.Run = "s" })}, "request.retries", Agrees, "none of 1"},
		{"the same words an hour later are no retry", all{at(0, status(500), digest("a")), at(3600, digest("a"))}, "request.retries", Agrees, "none of 1"},
		{"no redirect", all{at(0)}, "request.redirects", NotSeen, ""},
		{"a redirect is not followed", all{at(0, location("/kindly/")), at(60)}, "request.redirects", Agrees, "none of 1"},
		{"a redirect is followed", all{at(0, location("/kindly/"), digest("a")), at(0.1, digest("a"), request(func(r *recording.Request) { r.Path = "/kindly/" }))}, "request.redirects", Differs, "1 of 1"},
		{"where a redirect to elsewhere leads can't be seen", all{at(0, location("https://other.example/"))}, "request.redirects", NotSeen, ""},
		{"User-Agent", all{at(0)}, "request.user-agent", New, "Kindly/1"},
		{"HTTP/2", all{at(0, request(func(r *recording.Request) { r.Protocol = "HTTP/2.0" }))}, "request.protocol", New, "HTTP/2.0"},
		{"sizes", all{at(0), at(1, request(func(r *recording.Request) { r.Size = 90_000 }))}, "request.size", New, "largest 90000"},
		{"pace", all{at(0), at(0.5), at(0.9), at(1.1), at(7)}, "request.pace", New, "at most 3 within"},
		{"a documented member", all{at(0)}, "payload.chat_id", Agrees, "string, always"},
		{"a member of another type", all{at(0, body(`"bot_id":2`, `"bot_id":"2"`))}, "payload.bot_id", Differs, "string"},
		{"a member of two types", all{at(0), at(1, body(`"bot_id":2`, `"bot_id":"2"`))}, "payload.bot_id", Differs, "integer (1), string (1)"},
		{"a documented member is missing", all{at(0, body(`"source":"web"`, `"a":1`))}, "payload.source", Differs, "in none of 1"},
		{"a member that is there at times", all{at(0), at(1, body(`"source":"web"`, `"a":1`))}, "payload.source", Differs, "in 1 of 2"},
		{"a new member", all{at(0, body(`"source"`, `"platform":"ios","source"`)), at(1)}, "payload.platform", New, "string, in 1 of 2"},
		{"a new member of the exchange", all{at(0, body(`"exchange_id"`, `"score":0.5,"exchange_id"`))}, "payload.exchange.score", New, "number, always"},
		{"the slug, which is assumed", all{at(0, body(`"exchange_id"`, `"exchange_slug":"x","exchange_id"`))}, "payload.exchange.exchange_slug", Agrees, "string, always"},
		{"what was not there", all{at(0)}, "payload.web_url", NotSeen, ""},
		{"a new header", all{at(0, header("x-kindly-delivery", "7")), at(1)}, "header.x-kindly-delivery", New, "in 1 of 2"},
	} {
		l := NewLearner()
		for _, d := range row.seen {
			l.Add(d)
		}
		found := l.Learnt(nil)
		check(t, row.name, found)
		got, n := Row{}, 0
		for _, r := range found.Rows {
			if r.ID == row.id {
				got = r
				n++
			}
		}
		if n != 1 || got.Verdict != row.want || !strings.Contains(got.Observed, row.told) {
			t.Errorf("%s: %d rows %s: %s, %q; want %s, %q", row.name, n, row.id, got.Verdict, got.Observed, row.want, row.told)
		}
		if got.Verdict != NotSeen && (got.Deliveries == 0 || got.First.IsZero() || got.Last.Before(got.First)) {
			t.Errorf("%s: it was seen %d times, from %s to %s", row.name, got.Deliveries, got.First, got.Last)
		}
	}
}

// check validates what was learnt with the published schema.
func check(t *testing.T, name string, l Learnt) {
	t.Helper()
	l.Tool = "kindlytest test"
	text, err := l.JSON()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("observed.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("observed.json")
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(value); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

func TestHabitsCanBeDoneLikewise(t *testing.T) {
	l := NewLearner()
	for _, d := range []recording.Delivery{at(0, gaveUp(3004), digest("a")), at(4, digest("a")), at(20, location("/kindly/"))} {
		l.Add(d)
	}
	h := l.Learnt(nil).Habits
	if h.TimeoutMS != 3000 || len(h.RetryAfterMS) != 1 || h.FollowsRedirects == nil || *h.FollowsRedirects || h.Members["chat_id"].Seen != 3 || h.UserAgents["Kindly/1"] != 3 {
		t.Errorf("%+v", h)
	}
}

// The address of a tunnel is public, and files are copied.
func TestOnlyWhatKindlyHasSentCountsAndOnce(t *testing.T) {
	numbered := func(run string, n int, changes ...change) recording.Delivery {
		return at(float64(n), append(changes, func(d *recording.Delivery) { d.Run, d.Number = run, n })...)
	}
	unsigned := request(func(r *recording.Request) { r.Headers, r.Signature = nil, "missing" })
	empty := request(func(r *recording.Request) { r.Body, r.Size = nil, 0 })
	long := request(func(r *recording.Request) { r.Body, r.Size = nil, recording.MaxBody+1 })
	get := request(func(r *recording.Request) { r.Method = "GET" })
	other := body(payload, `{"jsonrpc":"2.0"}`)
	for name, row := range map[string]struct {
		seen                    []recording.Delivery
		known, strangers, twice int
	}{
		"a scanner":                           {[]recording.Delivery{numbered("r", 1), numbered("r", 2, unsigned, empty, get)}, 1, 1, 0},
		"somebody else's JSON":                {[]recording.Delivery{numbered("r", 1), numbered("r", 2, unsigned, other)}, 1, 1, 0},
		"a webhook without a secret":          {[]recording.Delivery{numbered("r", 1, unsigned)}, 1, 0, 0},
		"signed, and otherwise unlike":        {[]recording.Delivery{numbered("r", 1, other)}, 1, 0, 0},
		"too long to be known":                {[]recording.Delivery{numbered("r", 1, unsigned, long)}, 1, 0, 0},
		"a redirect that was followed":        {[]recording.Delivery{numbered("r", 1, location("/kindly/")), numbered("r", 2, unsigned, empty, get, request(func(r *recording.Request) { r.Path = "/kindly/" }))}, 2, 0, 0},
		"a file twice":                        {[]recording.Delivery{numbered("r", 1), numbered("r", 2), numbered("r", 1), numbered("r", 2)}, 2, 0, 2},
		"two runs":                            {[]recording.Delivery{numbered("r", 1), numbered("s", 1)}, 2, 0, 0},
		"what somebody else has not numbered": {[]recording.Delivery{numbered("r", 0), numbered("r", 0)}, 2, 0, 0},
	} {
		l := NewLearner()
		for _, d := range row.seen {
			l.Add(d)
		}
		if found := l.Learnt(nil); found.Deliveries != row.known || l.Strangers != row.strangers || l.Twice != row.twice {
			t.Errorf("%s: %d deliveries, %d of strangers, %d twice; want %d, %d, %d", name, found.Deliveries, l.Strangers, l.Twice, row.known, row.strangers, row.twice)
		}
	}
}

// BenchmarkLearn is for the figure of 100,000 deliveries.
func BenchmarkLearn(b *testing.B) {
	line, err := json.Marshal(usualDelivery(0))
	if err != nil {
		b.Fatal(err)
	}
	file := bytes.Repeat(append(line, '\n'), 1000)
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	l := NewLearner()
	for b.Loop() {
		for d, err := range recording.Read(bytes.NewReader(file)) {
			if err != nil {
				b.Fatal(err)
			}
			l.Add(d)
		}
	}
}

func TestOnlyWhatCanBeDoneIsRead(t *testing.T) {
	for name, row := range map[string]struct{ text, want string }{
		"nothing":                   {"", "no JSON"},
		"another file":              {`{"version": 7}`, "version 7"},
		"what learn wrote":          {`{"version": 1, "habits": {"timeout_ms": 3000}}`, ""},
		"a wait of a day":           {`{"version": 1, "habits": {"retry_after_ms": [86400000]}}`, "ten minutes"},
		"a wait into the past":      {`{"version": 1, "habits": {"timeout_ms": -1}}`, "negative"},
		"a header of two lines":     {`{"version": 1, "habits": {"user_agents": {"a\r\nCookie: b": 1}}}`, "no value"},
		"a header without a name":   {`{"version": 1, "habits": {"headers": {"a b": {"seen": 1}}}}`, "no name"},
		"a header's value of lines": {`{"version": 1, "habits": {"headers": {"a": {"seen": 1, "values": {"x\n": 1}}}}}`, "no value"},
	} {
		l, err := Parse([]byte(row.text))
		if row.want == "" && (err != nil || l.Patience() != 3*time.Second) || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
			t.Errorf("%s: %v; want %q", name, err, row.want)
		}
	}
	var none *Learnt
	if none.Manner() != nil || none.Client() != nil || none.Basis("RESP-TIME") != nil || none.Patience() != 0 || none.Hosts() != nil {
		t.Error("of nothing something is known")
	}
}
