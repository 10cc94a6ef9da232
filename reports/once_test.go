package reports

import (
	"fmt"
	"strings"
	"testing"
)

// deadWebhookRun is a run of which nothing listens at the only webhook.
func deadWebhookRun(judged int) Run {
	const why = "the webhook http://127.0.0.1:9/ could not be called: connect: connection refused"
	run := Run{Target: Target{Name: "shop"}, Problem: why, Hint: "Is it running?"}
	for i := range 12 {
		c := Check{ID: fmt.Sprintf("RESP-%02d", i), Area: "RESP", Level: "MUST", Requirement: "It answers.", Outcome: Errored, Reason: why}
		if i < judged {
			c.Outcome, c.Reason = Passed, ""
		}
		run.Checks = append(run.Checks, c)
	}
	for i, area := range []string{"PAGE", "AUTH", "TOK"} {
		run.Checks = append(run.Checks, Check{ID: area + "-01", Area: area, Level: "MUST", Requirement: "r", Outcome: Skipped, Reason: fmt.Sprintf("nothing of kind %d was given", i)})
	}
	return finished(run)
}

// One screen says one thing once.
func TestNothingIsSaidTwiceOnOneScreen(t *testing.T) {
	for judged, where := range []string{"as said below", "as said above"} {
		out := strings.Join(strings.Fields(printed(t, &Terminal{}, deadWebhookRun(judged))), " ")
		for _, once := range []string{"connection refused", "Is it running?", where, "nothing judged "} {
			if n := strings.Count(out+" ", once); n != 1 {
				t.Errorf("%d judged: %q stands there %d times:\n%s", judged, once, n, out)
			}
		}
	}
}

// Where something fails, the first sentence says that: what kept the rest from being
// judged is said with the rest, and not held to have been said.
func TestAFailedRunSaysWhyTheRestCouldNotRun(t *testing.T) {
	run := deadWebhookRun(0)
	run.Checks = append(run.Checks, Check{ID: "FWD-HTTPS", Area: "FWD", Level: "MUST", Requirement: "r", Outcome: Failed})
	out := strings.Join(strings.Fields(printed(t, &Terminal{}, finished(run))), " ")
	if strings.Count(out, "connection refused") != 1 || strings.Contains(out, "as said") {
		t.Errorf("why is not said once:\n%s", out)
	}
}

// What a run could not judge is said where the reasons stand, and not again at its end.
func TestAFailedRunTellsItsGapsOnce(t *testing.T) {
	const why = "nothing can be told: the valid request gets status 502 too (see RESP-STATUS)"
	run := oneFaultRun()
	run.Problem = "not all that the target offers could be judged: Webhook: 3 of 35 checks judged (" + why + ")"
	run.Checks = append(run.Checks, Check{ID: "SIG-99", Area: "SIG", Level: "MUST", Requirement: "r", Outcome: Skipped, Reason: why})
	run = finished(run)
	for format, text := range every(t, run) {
		if format == "json" || format == "junit" || format == "sarif" {
			continue
		}
		if n := strings.Count(strings.Join(strings.Fields(text), " "), "not all that the target offers"); n != 0 {
			t.Errorf("%s says %d times that it is incomplete, beside the reasons", format, n)
		}
	}
	run.Checks = run.Checks[:len(run.Checks)-1]
	if out := printed(t, &Terminal{}, finished(run)); !strings.Contains(out, "problem: not all that") {
		t.Errorf("where no check tells it, the problem must:\n%s", out)
	}
}

func TestWhatAnsweredIsNotToldTwice(t *testing.T) {
	answer := func(r Response) []Evidence { return []Evidence{{Response: &r}} }
	json := []Header{{"Content-Type", "application/json; charset=utf-8"}}
	for name, row := range map[string]struct {
		seen     string
		evidence []Evidence
		want     string // in it; "-": nothing is told
	}{
		"all of it was seen":     {`POST /auth: 500 application/json, "secretOrPrivateKey must be an asymmetric key"`, answer(Response{Status: 500, Headers: json, Body: `{"error":"secretOrPrivateKey must be an asymmetric key"}`}), "-"},
		"nothing but the status": {"status 500", answer(Response{Status: 500, Headers: json, Body: `{"error":"no database"}`}), "database"},
		"another status":         {"status 401", answer(Response{Status: 200, Headers: json, Body: `{}`}), "200"},
		"who it was":             {"status 502, text/html", answer(Response{Status: 502, Headers: []Header{{"Content-Type", "text/html"}, {"Server", "nginx/1.22"}}}), "nginx"},
		"no answer at all":       {"blocked by CORS policy", answer(Response{Error: "failed: net::ERR_FAILED"}), "-"},
		"nothing was seen":       {"", answer(Response{Error: "timed out"}), "timed out"},
	} {
		t.Run(name, func(t *testing.T) {
			got := answeredBeside(row.seen, row.evidence)
			if row.want == "-" && got != "" || row.want != "-" && !strings.Contains(got, row.want) {
				t.Errorf("%q, want %q", got, row.want)
			}
		})
	}
}

// Chrome's sentence about CORS tells its reason at the end.
func TestALongSentenceIsShownToItsEnd(t *testing.T) {
	run := oneFaultRun()
	run.Causes[0].Seen = "Access to fetch at 'https://api.staging.shop.example.com/kindly/auth/token' from origin 'https://www.staging.shop.example.com' has been blocked by CORS policy: " +
		"Response to preflight request doesn't pass access control check: The value of the 'Access-Control-Allow-Origin' header in the response must not be the wildcard '*' when the request's credentials mode is 'include'."
	if out := strings.Join(strings.Fields(printed(t, &Terminal{}, finished(run))), " "); !strings.Contains(out, "must not be the wildcard '*' when the request's credentials mode is 'include'") {
		t.Errorf("it is cut off:\n%s", out)
	}
}

// The first line names the mistake, wherever only one line is read.
func TestTheFirstLineNamesTheCause(t *testing.T) {
	all := every(t, oneFaultRun())
	const cause = "The webhook verifies no token"
	if first, _, _ := strings.Cut(all["markdown"], "\n"); !strings.Contains(first, "FAILED: "+cause) {
		t.Errorf("Markdown begins with %q", first)
	}
	if !strings.Contains(all["junit"], `message="`+cause+": A token without its signature is believed") {
		t.Error("JUnit's message names a symptom only")
	}
	if first := strings.Index(all["sarif"], `"text": "`+cause); first < 0 {
		t.Error("SARIF does not name it")
	}
}

func TestWhatShouldNotGoLiveHasNoCheckMark(t *testing.T) {
	run := passedRun()
	run.Checks[0].Outcome, run.Checks[0].Level = Warned, "SHOULD"
	run.Causes = []Cause{{ID: "token-does-not-arrive", Title: "The token does not arrive.", Severity: High, Explains: []string{run.Checks[0].ID}}}
	if out := printed(t, &Terminal{}, finished(run)); !strings.Contains(out, "! No requirement fails, but this should not go live.") {
		t.Errorf("it is marked as good:\n%s", out)
	}
}
