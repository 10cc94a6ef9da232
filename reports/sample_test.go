package reports

import (
	"bytes"
	"cmp"
	"flag"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

var sampleTime = time.Date(2025, 11, 3, 9, 30, 0, 0, time.UTC)

// golden compares with a file in testdata, or writes it under -update.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test -update writes it)", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (go test -update writes it anew); got:\n%s", path, got)
	}
}

func finished(run Run) Run {
	run.Finish()
	return run
}

func emptyRun() Run {
	return finished(Run{
		Tool: Tool{Name: "kindlytest", Version: "1.0.0"}, Started: sampleTime,
		Target:  Target{Page: "https://staging.example.com/"},
		Problem: "the page could not be opened: connection refused",
		Hint:    "Start the site, or pass its URL.",
	})
}

func passedRun() Run {
	run := sampleRun()
	run.Checks, run.Notes = withOutcome(run.Checks, Passed), nil
	return finished(run)
}

// sampleRun has a check of every outcome.
func sampleRun() Run {
	tokens := Evidence{
		At: sampleTime.Add(time.Second), Title: "Ask for a token for chat b", DurationMS: 12,
		Request: &Request{
			Method: "POST", URL: "https://staging.example.com/kindly/token",
			Headers: []Header{{"Content-Type", "application/json"}, {"Cookie", "<removed>"}},
			Body:    `{"chatId":"5a1c0b0e-0000-4000-8000-00000000000b"}`,
		},
		Response: &Response{
			Status: 200, Headers: []Header{{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}},
			Body: `{"token":"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiI0MiJ9.<signature removed>"}`,
		},
	}
	refused := Evidence{
		At: sampleTime.Add(2 * time.Second), Title: "Send an expired token",
		Request:  &Request{Method: "POST", URL: "https://hooks.example.com/kindly"},
		Response: &Response{Error: "connection reset by peer"},
	}
	return finished(Run{
		Tool: Tool{Name: "kindlytest", Version: "1.0.0"}, Started: sampleTime, DurationMS: 4210,
		Target: Target{
			Name: "staging", Page: "https://staging.example.com/", Endpoint: "POST https://staging.example.com/kindly/token",
			Webhooks: []Webhook{{Name: "order-status", URL: "https://hooks.example.com/kindly", ConnectTo: "http://localhost:3000/kindly"}},
			Args:     []string{"run", "https://staging.example.com/"},
			Stack:    "python-pyjwt", StackSigns: []string{"the header Server"},
		},
		Timeline: sampleTimeline(), Screenshot: samplePicture(),
		Notes: []Note{{Warned, "The private key signs what looks like production."}, {Informed, "Seed 42."}},
		Checks: []Check{
			sample("PAGE-WIDGET", Passed, Check{Requirement: "The page loads Kindly's chat client."}),
			sample("AUTH-POST-TOKEN", Passed, Check{Requirement: "A POST with the chat id answers 200 and a JSON object whose token is a string."}),
			sample("AUTH-BIND-CHAT", Failed, Check{
				Requirement: "Two chat ids give two tokens, each with its own chat.id.",
				Expected:    "tokens for a and b, with chat.id a and b",
				Actual:      "both tokens have chat.id 5a1c0b0e-0000-4000-8000-00000000000a, though the second was asked for 5a1c0b0e-0000-4000-8000-00000000000b",
				Fix:         "Read the chat id from each request; don't keep it in the session.",
				Repeat:      "kindlytest run https://staging.example.com/ --only AUTH-BIND-CHAT",
				Sample:      &Sample{Stack: "python-pyjwt", Title: "The auth endpoint", Code: "chat_id = body.get(\"chatId\")\nif not isinstance(chat_id, str):\n    return jsonify(error=\"no chat id\"), 400\n"},
				Evidence:    []Evidence{tokens},
			}),
			sample("AUTH-NO-STORE", Warned, Check{
				Level: "SHOULD", Requirement: "The answer forbids caching.",
				Expected: "Cache-Control: no-store", Actual: "no Cache-Control header", Fix: "Send Cache-Control: no-store.",
			}),
			sample("AUTH-NOSNIFF", Informed, Check{Level: "INFO", Requirement: "The answer says nosniff.", Actual: "it does not"}),
			sample("AUTH-CSRF", Expected, Check{Level: "SHOULD", Requirement: "A cross-site request gives no token.", Actual: "it gave one", Reason: "OPS-12"}),
			sample("TOK-ALG", Passed, Check{Requirement: "The header's alg is exactly RS256."}),
			sample("HOOK-TAMPERED", Passed, Check{Requirement: "Changed claims are refused.", Weak: true, Reason: "the webhook answers the same with and without a token"}),
			sample("HOOK-EXPIRED", Skipped, Check{Requirement: "An expired token is refused.", Reason: "no private key (--private-key FILE)"}),
			sample("HOOK-NBF", Skipped, Check{Level: "SHOULD", Requirement: "A future nbf is refused.", Reason: "no private key (--private-key FILE)"}),
			sample("SIG-VALID", Skipped, Check{Requirement: "A correctly signed request is accepted.", Reason: "no HMAC secret (KINDLYTEST_HMAC_SECRET)"}),
			sample("LIVE-HOOK-BURST", Errored, Check{
				Requirement: "64 valid requests at once are all answered correctly.",
				Reason:      "the webhook was gone before the check began", Evidence: []Evidence{refused},
			}),
		},
	})
}

func sampleTimeline() []Moment {
	after := func(ms int) time.Time { return sampleTime.Add(time.Duration(ms) * time.Millisecond) }
	return []Moment{
		{after(120), MomentPage, "Opened https://staging.example.com/", "status 200", 84, true},
		{after(230), MomentError, "A request failed", "GET https://staging.example.com/hero.jpg: status 404", 0, false},
		{after(260), MomentPage, "The chat client started", `bot key "demo", options: kindlyOptions, getAuthToken: function`, 0, true},
		{after(275), MomentCallback, "getAuthToken gave a token", "", 61, true},
		{after(280), MomentEndpoint, "POST https://staging.example.com/kindly/token", "status 200, and the answer holds the token", 52, true},
		{after(340), MomentVerify, "Kindly accepts the token", "no rule is broken", 0, true},
		{after(910), MomentForward, "A message and the token went to https://hooks.example.com/kindly", "status 500. Kindly would send the token: hooks.example.com is listed", 33, false},
	}
}

// samplePicture is a small picture, always of the same bytes.
func samplePicture() string {
	img := image.NewPaletted(image.Rect(0, 0, 64, 40), color.Palette{color.White, color.RGBA{0x0a, 0x58, 0xca, 0xff}})
	for x := range 64 {
		img.SetColorIndex(x, x%40, 1)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		panic(err)
	}
	return Screenshot(b.Bytes())
}

// sample fills in what all samples share.
func sample(id string, o Outcome, c Check) Check {
	c.ID, c.Outcome, c.DurationMS = id, o, 15
	c.Area = areaOf(c)
	c.Fidelity, c.Source = "documented", "https://docs.kindly.ai/guides-and-examples/chat-authentication"
	c.Help = cmp.Or(c.Fix, "What to do about "+id+".")
	if c.Level == "" {
		c.Level = "MUST"
	}
	return c
}

// hostile holds what breaks terminals, XML, HTML and Markdown.
const hostile = "\x1b]0;pwned\x07\x1b[2J\x9b31m\x00\x08\r\u202eevil\u2028\ufeff\xff\xed\xa0\x80\ufffe" +
	"</script></style></textarea><!-- ]]> --><script>alert(1)</script><img src=x onerror=alert(1)>" +
	"\"' onmouseover='alert(1)' &amp; {{.}} `` ` ``` ~~~ | a | b |\n\n# heading\n- item\n> quote\n1. one\n\n    code\n" +
	"[link](javascript:alert(1)) ![image](https://evil.example/x.png) **bold** </details></pre></td> \t 漢字🙂👩‍👩‍👧é\u0301 $x$ @someone https://evil.example www.evil.example me@evil.example"

// hostileRun has the hostile text in every string of every kind of check, and
// nothing else.
func hostileRun() Run {
	var run Run
	fill(reflect.ValueOf(&run).Elem(), hostile, 2)
	check := run.Checks[0]
	run.Checks = nil
	for _, o := range Outcomes {
		c := check
		c.Outcome = o
		run.Checks = append(run.Checks, c)
	}
	run.Notes[0].Level = Warned
	run.Started = sampleTime
	return finished(run)
}

// fill sets every string in v to s, and gives every slice n elements.
func fill(v reflect.Value, s string, n int) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(s)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), s, n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			fill(v.Index(i), s, n)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(sampleTime))
			return
		}
		for _, field := range v.Fields() {
			fill(field, s, n)
		}
	}
}

// runs are those that every format must stand.
var runs = map[string]func() Run{
	"every outcome":  sampleRun,
	"all passed":     passedRun,
	"empty":          emptyRun,
	"zero value":     func() Run { return Run{} },
	"hostile":        hostileRun,
	"hostile, large": func() Run { return enlarged(hostileRun(), 40) },
}

// enlarged makes a run's checks and their texts many times larger.
func enlarged(run Run, times int) Run {
	checks := run.Checks
	for range times / 10 {
		run.Checks = append(run.Checks, checks...)
	}
	for i := range run.Checks {
		run.Checks[i].Actual = strings.Repeat(run.Checks[i].Actual, times)
	}
	return finished(run)
}
