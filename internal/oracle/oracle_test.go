package oracle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/kindlytest/kindlytest/internal/wire"
)

func exchange(res wire.Response) wire.Exchange {
	if res.Header == nil {
		res.Header = http.Header{}
	}
	return wire.Exchange{Response: &res}
}

func twice(res wire.Response) []wire.Exchange {
	return []wire.Exchange{exchange(res), exchange(res)}
}

// A sound customer is not accused, whatever is known of it.
func TestSoundCustomersAreNeverAccused(t *testing.T) {
	for _, row := range customers {
		for _, size := range []int{2, 3, Enough} {
			for _, known := range [][]Marker{markers, nil} {
				t.Run(fmt.Sprintf("%s, %d controls, %d markers", row.name, size, len(known)), func(t *testing.T) {
					accused := 0
					for seed := range uint64(10) {
						r := rand.New(rand.NewPCG(seed, uint64(size)))
						o := learnN(t, row.ask, r, size, known)
						for range 3 {
							j := o.Judge(Probe{Exchange: ask(row.ask, r, refused), Canaries: []string{canary}})
							if j.Class == Believed || j.Class == Error {
								accused++
								t.Logf("seed %d: %s: %s", seed, j.Class, j.Why)
							}
						}
					}
					if accused > 0 {
						t.Errorf("accused %d times", accused)
					}
				})
			}
		}
	}
}

func learnN(t *testing.T, c customer, r *rand.Rand, n int, known []Marker) *Oracle {
	t.Helper()
	var controls Controls
	for range n {
		controls.Valid = append(controls.Valid, ask(c, r, ada))
		controls.Anonymous = append(controls.Anonymous, ask(c, r, nobody))
	}
	o, err := Learn(controls, Options{Markers: known})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestControlsAreJudgedAsThemselves(t *testing.T) {
	for _, row := range customers {
		t.Run(row.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(7, 7))
			o := learn(t, row.ask, r)
			if j := o.Judge(Probe{Exchange: ask(row.ask, r, nobody)}); !j.Class.Passes() {
				t.Errorf("the anonymous control is %s: %s", j.Class, j.Why)
			}
			j := o.Judge(Probe{Exchange: ask(row.ask, r, ada)})
			if row.signal && j.Class != Believed {
				t.Errorf("the valid control is %s: %s", j.Class, j.Why)
			}
		})
	}
}

// The controls of most tests: a polite webhook that names the user.
var (
	welcome  = jsonAnswer(200, `{"reply":"Hi Ada Lovelace, 2 orders"}`)
	strange  = jsonAnswer(200, `{"reply":"Please log in"}`)
	ladyAda  = []Marker{{"name", "Ada Lovelace"}, {"email", "ada@example.org"}, {"initial", "A"}}
	attacked = "ktname00112233aabb"
)

func polite(t *testing.T) *Oracle {
	t.Helper()
	o, err := Learn(Controls{Valid: twice(welcome), Anonymous: twice(strange)}, Options{Markers: ladyAda})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestJudge(t *testing.T) {
	reset := &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	long := wire.Request{Header: http.Header{"Authorization": {strings.Repeat("a", 2*wire.LongHeader)}}}
	for _, row := range []struct {
		name string
		ex   wire.Exchange
		want Class
		weak bool
	}{
		{"401", exchange(jsonAnswer(401, `{}`)), Refusal, false},
		{"403 in other words", exchange(answer(403, "text/plain", "no")), Refusal, false},
		{"431", exchange(answer(431, "text/plain", "")), Refusal, false},
		{"401 that shows a canary", exchange(jsonAnswer(401, `{"error":"`+attacked+` may not"}`)), Believed, false},
		{"401 that names the page's user", exchange(jsonAnswer(401, `{"error":"Ada Lovelace, log in"}`)), Refusal, false},
		{"500", exchange(answer(500, "text/plain", "boom")), Error, false},
		{"503 on a long header", exchange(answer(503, "text/plain", "")), Error, false},
		{"302", exchange(answer(302, "", "")), Unknown, false},
		{"reset", wire.Exchange{Err: reset}, Error, false},
		{"reset on a long header", wire.Exchange{Request: long, Err: reset}, Refusal, false},
		{"hung up on a long header", wire.Exchange{Request: long, Err: io.EOF}, Refusal, false},
		{"time-out on a long header", wire.Exchange{Request: long, Err: context.DeadlineExceeded}, Error, false},
		{"refused connection on a long header", wire.Exchange{Request: long, Err: syscall.ECONNREFUSED}, Error, false},
		{"canceled", wire.Exchange{Err: context.Canceled}, Unknown, false},
		{"nothing at all", wire.Exchange{}, Error, false},
		{"like a stranger", exchange(strange), Stranger, false},
		{"like the valid one", exchange(welcome), Believed, false},
		{"like the valid one with another name", exchange(jsonAnswer(200, `{"reply":"Hi undefined, 2 orders"}`)), Unknown, false},
		{"a canary", exchange(jsonAnswer(200, `{"reply":"Hi `+attacked+`"}`)), Believed, false},
		{"another refusal", exchange(jsonAnswer(200, `{"reply":"Your JWT is invalid"}`)), Stranger, true},
		{"another kind of answer", exchange(answer(200, "text/html", `<p>nope</p>`)), Stranger, true},
		{"the name elsewhere", exchange(answer(200, "text/html", `<p>Sorry, Ada Lovelace</p>`)), Believed, false},
		{"a part of the name", exchange(jsonAnswer(200, `{"reply":"Ada Lovelaces' old orders"}`)), Stranger, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			j := polite(t).Judge(Probe{Exchange: row.ex, Canaries: []string{attacked}})
			if j.Class != row.want || j.Weak != row.weak || j.Why == "" {
				t.Errorf("got %+v", j)
			}
		})
	}
}

func TestOnlyUsableMarkersCount(t *testing.T) {
	shopAda := jsonAnswer(200, `{"reply":"This is Ada Lovelace's shop. Please log in"}`)
	o, err := Learn(Controls{Valid: twice(welcome), Anonymous: twice(shopAda)}, Options{Markers: ladyAda})
	if err != nil {
		t.Fatal(err)
	}
	if j := o.Judge(Probe{Exchange: exchange(shopAda)}); j.Class != Stranger {
		t.Errorf("a name that strangers see too makes %s: %s", j.Class, j.Why)
	}
	if j := polite(t).Judge(Probe{Exchange: exchange(jsonAnswer(200, `{"reply":"A problem"}`))}); j.Class == Believed {
		t.Errorf("a marker of one letter proves %s: %s", j.Class, j.Why)
	}
}

func TestWithoutSignal(t *testing.T) {
	same := jsonAnswer(200, `{"reply":"We open at nine"}`)
	o, err := Learn(Controls{Valid: twice(same), Anonymous: twice(same)}, Options{Markers: ladyAda})
	if err != nil {
		t.Fatal(err)
	}
	if o.Signal() || o.WantsMore() {
		t.Errorf("signal %v, wants more %v", o.Signal(), o.WantsMore())
	}
	for _, row := range []struct {
		name string
		ex   wire.Exchange
		want Class
		weak bool
	}{
		{"the same again", exchange(same), Stranger, true},
		{"something else", exchange(jsonAnswer(200, `{"reply":"no"}`)), Stranger, true},
		{"a canary", exchange(jsonAnswer(200, `{"reply":"`+attacked+`"}`)), Believed, false},
		{"401", exchange(jsonAnswer(401, `{}`)), Refusal, false},
	} {
		if j := o.Judge(Probe{Exchange: row.ex, Canaries: []string{attacked}}); j.Class != row.want || j.Weak != row.weak {
			t.Errorf("%s: %+v", row.name, j)
		}
	}
	o, err = Learn(Controls{Valid: twice(jsonAnswer(401, "{}")), Anonymous: twice(jsonAnswer(401, "{}"))}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if j := o.Judge(Probe{Exchange: exchange(jsonAnswer(401, "{}"))}); j.Class != Refusal || !j.Weak {
		t.Errorf("where the valid token gets a 401 too: %+v, want a weak refusal", j)
	}
}

func TestTextsMayAgreeByChance(t *testing.T) {
	o, err := Learn(Controls{Valid: twice(jsonAnswer(200, `{"reply":"Hello there"}`)), Anonymous: twice(jsonAnswer(200, `{"reply":"Good morning"}`))}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	again := Probe{Exchange: exchange(jsonAnswer(200, `{"reply":"Hello there"}`))}
	if j := o.Judge(again); j.Class != Unknown || !o.WantsMore() || !o.Signal() {
		t.Errorf("after two controls: %+v, wants more: %v", j, o.WantsMore())
	}
	for o.WantsMore() {
		if err := errors.Join(o.Observe(Valid, again.Exchange), o.Observe(Anonymous, exchange(jsonAnswer(200, `{"reply":"Good morning"}`)))); err != nil {
			t.Fatal(err)
		}
	}
	if j := o.Judge(again); j.Class != Believed {
		t.Errorf("after enough controls: %+v", j)
	}
	if err := o.Observe(Anonymous, again.Exchange); err != nil {
		t.Fatal(err)
	}
	if j := o.Judge(again); j.Class == Believed {
		t.Errorf("after a stranger got the same answer: %+v", j)
	}
}

func TestExpectationsWin(t *testing.T) {
	o, err := Learn(Controls{Valid: twice(welcome), Anonymous: twice(strange)}, Options{
		Markers:       ladyAda,
		Authenticated: &Expectation{Status: []int{200}, JSON: map[string]any{"user": map[string]any{"level": 2}}},
		Refused:       &Expectation{Contains: []string{"session"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name, body string
		status     int
		want       Class
	}{
		{"as authenticated", `{"user":{"level":2.0,"n":1},"reply":"Please log in"}`, 200, Believed},
		{"as authenticated, with another status", `{"user":{"level":2}}`, 404, Refusal},
		{"as refused, by name", `{"reply":"Ada Lovelace, your session is over"}`, 200, Refusal},
		{"as refused, showing a canary", `{"reply":"` + attacked + `, your session is over"}`, 200, Believed},
		{"as both", `{"user":{"level":2},"reply":"session"}`, 200, Unknown},
		{"as neither", `{"reply":"Please log in"}`, 200, Stranger},
		{"as refused, with a 500", `{"reply":"session"}`, 500, Error},
	} {
		j := o.Judge(Probe{Exchange: exchange(jsonAnswer(row.status, row.body)), Canaries: []string{attacked}})
		if j.Class != row.want {
			t.Errorf("%s: %+v, want %s", row.name, j, row.want)
		}
	}
}

// An expectation that strangers meet too tells nothing of who was believed: the
// comparison does.
func TestExpectationThatStrangersMeet(t *testing.T) {
	o, err := Learn(Controls{Valid: twice(welcome), Anonymous: twice(strange)}, Options{Markers: ladyAda, Authenticated: &Expectation{Status: []int{200}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		answer wire.Response
		want   Class
	}{{strange, Stranger}, {welcome, Believed}} {
		if j := o.Judge(Probe{Exchange: exchange(row.answer)}); j.Class != row.want {
			t.Errorf("%s: %+v, want %s", row.answer.Body, j, row.want)
		}
	}
}

func TestExpectation(t *testing.T) {
	ex := exchange(jsonAnswer(200, `{"reply":"Hi \u00c5sa &amp; co","list":[1,2],"n":null}`))
	for _, row := range []struct {
		name string
		e    *Expectation
		want bool
	}{
		{"nil", nil, false},
		{"its status", &Expectation{Status: []int{201, 200}}, true},
		{"another status", &Expectation{Status: []int{201}}, false},
		{"decoded text", &Expectation{Contains: []string{"Åsa & co", "list"}}, true},
		{"one text missing", &Expectation{Contains: []string{"Åsa", "Bo"}}, false},
		{"a text that must not be", &Expectation{NotContains: []string{"Åsa"}}, false},
		{"a text that is not", &Expectation{NotContains: []string{"Bo"}}, true},
		{"a part of the JSON", &Expectation{JSON: map[string]any{"list": []int{1, 2}}}, true},
		{"a part of a list", &Expectation{JSON: map[string]any{"list": []int{1}}}, false},
		{"null is not missing", &Expectation{JSON: map[string]any{"m": nil}}, false},
		{"null", &Expectation{JSON: map[string]any{"n": nil}}, true},
	} {
		if got := row.e.Matches(ex); got != row.want {
			t.Errorf("%s: %v", row.name, got)
		}
	}
}

func TestLearnRefuses(t *testing.T) {
	v, a := twice(welcome), twice(strange)
	for _, row := range []struct {
		name string
		c    Controls
		o    Options
		want string
	}{
		{"one valid control", Controls{Valid: v[:1], Anonymous: a}, Options{}, "1 valid"},
		{"no anonymous control", Controls{Valid: v}, Options{}, "0 anonymous"},
		{"one unreadable control", Controls{Valid: v, Anonymous: a, Unreadable: a[:1]}, Options{}, "1 unreadable"},
		{"a control without an answer", Controls{Valid: []wire.Exchange{v[0], {Err: io.EOF}}, Anonymous: a}, Options{}, "EOF"},
		{"an empty control", Controls{Valid: v, Anonymous: []wire.Exchange{a[0], {}}}, Options{}, "no answer"},
		{"an empty expectation", Controls{Valid: v, Anonymous: a}, Options{Refused: &Expectation{}}, `"refused"`},
		{"an expectation of nothing", Controls{Valid: v, Anonymous: a}, Options{Authenticated: &Expectation{Contains: []string{""}}}, `"authenticated"`},
		{"an expectation that is no JSON", Controls{Valid: v, Anonymous: a}, Options{Refused: &Expectation{JSON: map[string]any{"f": func() {}}}}, "no JSON"},
	} {
		if _, err := Learn(row.c, row.o); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v, want an error with %q", row.name, err, row.want)
		}
	}
	if err := polite(t).Observe(Valid, wire.Exchange{Err: io.EOF}); err == nil {
		t.Error("a control without an answer was observed")
	}
	if err := polite(t).Observe(Kind(9), v[0]); err == nil {
		t.Error("a control of no kind was observed")
	}
}

func TestMarkersInEveryForm(t *testing.T) {
	const name = `Åsa "Ø" O'Neil & co/1`
	for _, row := range []struct {
		form, body string
		want       bool
	}{
		{"plain", `Hi Åsa "Ø" O'Neil & co/1!`, true},
		{"JSON", `{"r":"Hi \u00c5sa \"\u00d8\" O'Neil \u0026 co\/1!"}`, true},
		{"JSON, cut off", `{"r":"Hi \u00c5sa \"\u00D8\" O\u0027Neil \u0026 co\/1!`, true},
		{"HTML", `<p>Hi &Aring;sa &quot;&#216;&#34; O&#x27;Neil &amp; co/1</p>`, true},
		{"HTML in JSON", `{"r":"\u003cp\u003eHi \u00c5sa &#34;Ø&#34; O&#39;Neil &amp; co/1"}`, true},
		{"a query", `<a href="/?n=%C3%85sa+%22%C3%98%22+O%27Neil+%26+co%2F1">`, true},
		{"a path", `/users/%C3%85sa%20%22%C3%98%22%20O%27Neil%20&%20co%2f1`, true},
		{"another case", `hi åsa "ø" o'neil & co/1`, false},
		{"half", `Hi Åsa "Ø" O'Neil`, false},
		{"empty", ``, false},
	} {
		if got := Shows(exchange(jsonAnswer(200, row.body)), name); got != row.want {
			t.Errorf("%s: %v", row.form, got)
		}
	}
	to := exchange(wire.Response{Status: 302, Header: http.Header{"Location": {"/u/ktname%201"}}})
	if !Shows(to, "ktname 1") || Shows(to, "") || Shows(wire.Exchange{}, "x") {
		t.Error("Location is not looked at, or nothing is found in nothing")
	}
	beyond := exchange(answer(200, "text/plain", strings.Repeat("a", maxBody)+"ktname"))
	if Shows(beyond, "ktname") {
		t.Error("more was looked at than the bound")
	}
}

func TestVerbatim(t *testing.T) {
	const markup = `<img src=x onerror=kt>`
	for _, row := range []struct {
		name, body string
		want       bool
	}{
		{"text", `Hi <img src=x onerror=kt>`, true},
		{"JSON", `{"reply":"Hi <img src=x onerror=kt>"}`, true},
		{"JSON escapes are undone by whoever reads it", `{"reply":"Hi \u003cimg src=x onerror=kt\u003e"}`, true},
		{"in a list", `{"buttons":[{"label":"<img src=x onerror=kt>"}]}`, true},
		{"as a name", `{"<img src=x onerror=kt>":1}`, true},
		{"escaped for HTML", `{"reply":"Hi &lt;img src=x onerror=kt&gt;"}`, false},
		{"without the markup", `{"reply":"Hi img src=x onerror=kt"}`, false},
		{"JSON, cut off", `{"reply":"Hi \u003cimg src=x onerror=kt\u003e`, true},
	} {
		if got := Verbatim(exchange(jsonAnswer(200, row.body)), markup); got != row.want {
			t.Errorf("%s: %v", row.name, got)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	o := polite(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				if err := o.Observe(Valid, exchange(welcome)); err != nil {
					t.Error(err)
				}
				if j := o.Judge(Probe{Exchange: exchange(strange)}); j.Class != Stranger {
					t.Errorf("%+v", j)
				}
				o.WantsMore()
				o.Signal()
			}
		})
	}
	wg.Wait()
}

func TestPatterns(t *testing.T) {
	for _, row := range []struct {
		name  string
		texts []string
		like  []string
		other []string
	}{
		{"equal texts", []string{"Hi you", "Hi you"}, []string{"Hi you", "Hi  you"}, []string{"Hi", "Hi you!", ""}},
		{"one word changes", []string{"Order 7 is here", "Order 9 is here"}, []string{"Order 12 is here"}, []string{"Order 7 is late", "An order 7 is here"}},
		{"the end changes", []string{"Total: 5 kr", "Total: 7 kr each"}, []string{"Total: 6 kr"}, []string{"Sum: 5 kr"}},
		{"nothing in common", []string{"Hello", "Goodbye then"}, []string{"Hello", "", "anything"}, nil},
		{"empty", []string{"", ""}, []string{""}, []string{"x"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			var l leaf
			for _, text := range row.texts {
				l.learn(text)
			}
			for _, text := range slices.Concat(row.like, row.texts) {
				if !l.matches(text) {
					t.Errorf("%q is not like %q", text, l.pattern)
				}
			}
			for _, text := range row.other {
				if l.matches(text) {
					t.Errorf("%q is like %q", text, l.pattern)
				}
			}
		})
	}
}
