package reports

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// every is a run in each format, by name.
func every(t *testing.T, run Run) map[string]string {
	t.Helper()
	out := map[string]string{"terminal": printed(t, &Terminal{Width: 100}, run)}
	for _, f := range Formats() {
		var b bytes.Buffer
		if err := Write(&b, run, f); err != nil {
			t.Fatal(err)
		}
		out[string(f)] = b.String()
	}
	return out
}

// The verdict comes first, then deaths, the causes by severity, what has no
// cause, what was not judged, and the rest.
func TestEveryFormatTellsTheStoryInItsOrder(t *testing.T) {
	run := twoWebhooksRun()
	change(run, "TOK", 1, 2, func(c *Check) { c.Outcome, c.Reason = Skipped, "no public key" })
	change(run, "RESP", 1, 1, func(c *Check) { c.Outcome, c.Broken = Warned, "The answer is slow." })
	all := every(t, finished(run))
	for format, row := range map[string][]string{
		"terminal": {"Not safe to go live", "died once", "verifies no token", "firewall", "✘ AUTH-01  MUST", "no public key", "The answer is slow.", "What was judged"},
		"html":     {"Not safe to go live", "died once", "verifies no token", "firewall", "What else fails", "no public key", "What was judged", "The answer is slow.", "All checks"},
		"markdown": {"Not safe to go live", "died once", "verifies no token", "firewall", "What else fails", "no public key", "The answer is slow.", "What was judged"},
		"junit":    {"Not safe to go live", "died once", "verifies no token", "firewall", `<testcase name="HOOK-03"`, `<testcase name="AUTH-01"`, "The answer is slow."},
		"sarif":    {`"results"`, `"ruleId": "webhook-verifies-nothing"`, `"ruleId": "proxy-refuses"`, `"ruleId": "AUTH-01"`, `"ruleId": "RESP-01"`},
	} {
		rest := all[format]
		if _, after, ok := strings.Cut(rest, "\n… what else"); ok {
			rest = after // of what was told as it happened
		}
		if format == "sarif" { // notifications come before
			if at := strings.Index(rest, "Not safe to go live"); at < 0 || at > strings.Index(rest, `"results"`) {
				t.Errorf("the sentence stands at %d", at)
			}
		}
		for _, want := range row {
			_, after, ok := strings.Cut(rest, strings.TrimSuffix(want, "."))
			if !ok {
				t.Errorf("%s: %q is missing, or comes too early", format, want)
				break
			}
			rest = after
		}
	}
}

// One mistake is one thing to mend, whatever it breaks.
func TestTheBlockOfOneFaultFitsAScreen(t *testing.T) {
	for _, term := range []*Terminal{{Width: 100}, {Width: 100, Live: true}} {
		out := printed(t, term, oneFaultRun(), "kindlytest-reports/report.json", "kindlytest-reports/junit.xml")
		if n := strings.Count(out, "\n"); n > 40 {
			t.Errorf("it takes %d lines:\n%s", n, out)
		}
		for _, want := range []string{"One mistake explains all 18 failed checks.", "127 of 141 checks judged", "critical · webhook · explains 22 checks",
			"confirmed", `200 application/json · Server: nginx/1.25 · “{"reply":`, "kindlytest run -c kindlytest.yaml --only HOOK",
			"kindlytest explain webhook-verifies-nothing --stack node-jsonwebtoken", "commit 3f2a9c1be04d on main"} {
			if !strings.Contains(out, want) {
				t.Errorf("it does not say %q:\n%s", want, out)
			}
		}
	}
}

// A requirement beside a red mark reads like praise.
func TestNoFailureIsToldAsItsRequirement(t *testing.T) {
	for name, broken := range map[string]string{"with a sentence": "A token without its signature is believed.", "without": ""} {
		t.Run(name, func(t *testing.T) {
			run := oneFaultRun()
			run.Causes = nil
			for i := range run.Checks {
				if c := &run.Checks[i]; c.Broken != "" {
					c.Broken, c.Actual = broken, ""
				}
			}
			for format, text := range every(t, finished(run)) {
				if format == "json" || format == "sarif" { // whose rules are requirements
					continue
				}
				for line := range strings.Lines(text) {
					if at := strings.Index(line, "A removed signature is refused."); at >= 0 && !strings.Contains(strings.ToLower(line[max(0, at-30):at]), "required") {
						t.Errorf("%s: %.200s", format, strings.TrimSpace(line))
					}
				}
				if want := broken; want != "" && !strings.Contains(text, strings.TrimSuffix(want, ".")) {
					t.Errorf("%s does not say %q", format, want)
				}
			}
		})
	}
}

func TestWhatHasNoCauseIsOrderedByWhatItMeans(t *testing.T) {
	run := fullRun()
	fail := func(c *Check) { c.Outcome = Failed }
	change(run, "RESP", 1, 1, fail)
	change(run, "PAGE", 1, 1, fail)
	change(run, "PAGE", 2, 2, func(c *Check) { c.Outcome, c.Severity = Failed, Critical })
	change(run, "HOOK", 5, 5, func(c *Check) { c.Outcome, c.Repeats = Failed, &Repeats{1, 3} })
	change(run, "HOOK", 6, 6, fail)
	change(run, "AUTH", 1, 1, func(c *Check) { c.Outcome, c.Cause = Failed, "a-cause-that-is-not-there" })
	var got []string
	for _, c := range outlineOf(finished(run)).Failed {
		got = append(got, c.ID)
	}
	if want := "PAGE-02 HOOK-06 HOOK-05 AUTH-01 PAGE-01 RESP-01"; strings.Join(got, " ") != want {
		t.Errorf("the order is %s, want %s", got, want)
	}
}

func TestCausesStandBySeverityThenByWhatTheyHideAndExplain(t *testing.T) {
	run := Run{Causes: []Cause{
		{ID: "odd", Severity: "grave"}, {ID: "low", Severity: Low}, {ID: "small", Severity: High, Explains: []string{"A-B"}},
		{ID: "large", Severity: High, Explains: []string{"A-B", "A-C"}}, {ID: "worst", Severity: Critical},
		{ID: "hides", Severity: High, Explains: []string{"PAGE-WIDGET"}}, {ID: "tokenless", Severity: High, Explains: []string{"AUTH-POST-TOKEN"}}, {ID: "unknown", Severity: High, Explains: []string{"TOK-SIGNATURE"}},
	}}
	run.Finish()
	var got []string
	for _, c := range run.Causes {
		got = append(got, c.ID)
	}
	if want := "worst hides tokenless unknown large small low odd"; strings.Join(got, " ") != want {
		t.Errorf("the order is %s, want %s", got, want)
	}
}

// In the list of an area, and as what the attacks came to, the gravest cause's check is
// told before one that stands earlier in the catalogue.
func TestChecksOfOneAreaStandByTheirCauses(t *testing.T) {
	run := fullRun()
	ids := change(run, "HOOK", 3, 5, believed("https://hooks.example.com/orders"))
	change(run, "HOOK", 3, 3, func(c *Check) { c.Broken = "One chat's token opens another." })
	run.Causes = []Cause{
		{ID: "webhook-ignores-chat", Severity: High, Explains: ids[:1]},
		{ID: "webhook-verifies-nothing", Severity: Critical, Explains: ids[1:]},
	}
	run = finished(run)
	want := append(slices.Clone(ids[1:]), ids[0])
	for _, suite := range junitSuites(run) {
		if suite.Name != "HOOK" {
			continue
		}
		for i, id := range want {
			if got := suite.Cases[i].Name; got != id {
				t.Errorf("case %d is %s, want %s", i, got, id)
			}
		}
	}
	if a := attacksOf(run); a[0].Detail != "A token without its signature is believed." {
		t.Errorf("of the attacks is said %q", a[0].Detail)
	}
}

func TestSentence(t *testing.T) {
	strict := sampleRun()
	strict.Strict = true
	warned := fullRun()
	change(warned, "AUTH", 1, 1, func(c *Check) { c.Outcome = Warned })
	interrupted := fullRun()
	interrupted.Problem = "interrupted before all was checked"
	grave := fullRun()
	grave.Checks = []Check{{ID: "HOOK-DISTINGUISHES", Area: "HOOK", Level: "SHOULD", Outcome: Warned}, {ID: "HOOK-VALID", Area: "HOOK", Level: "MUST", Outcome: Passed}}
	grave.Causes = []Cause{{ID: "token-does-not-arrive", Severity: High, Consequence: "Nobody is known.", Explains: []string{"HOOK-DISTINGUISHES"}}}
	apart := grave
	apart.Checks = append([]Check{{ID: "LIVE-HOOK-BURST", Area: "LIVE", Level: "MUST", Outcome: Failed, Consequence: "Users wait."}}, grave.Checks...)
	lesser := fullRun()
	lesser.Checks = []Check{{ID: "HOOK-EXP-MISSING", Area: "HOOK", Level: "MUST", Outcome: Failed, Consequence: "It is valid for ever."}, {ID: "SIG-MISSING", Area: "SIG", Level: "MUST", Outcome: Failed},
		{ID: "AUTH-CSRF", Area: "AUTH", Level: "SHOULD", Outcome: Warned}}
	lesser.Causes = []Cause{{ID: "hmac-compare-throws", Severity: Medium, Consequence: "Logs fill.", Explains: []string{"SIG-MISSING"}}, {ID: "endpoint-serves-other-sites", Severity: Medium, Explains: []string{"AUTH-CSRF"}}}
	for name, row := range map[string]struct {
		run  Run
		want string
	}{
		"a failure graver than the cause, and a cause of a warning": {finished(lesser), "Not safe to go live. It is valid for ever. One mistake explains 1 of 2 failed checks."},
		"one mistake":                          {oneFaultRun(), "Not safe to go live. Anybody who knows the address of order-status can be any of your users: read their orders, and act in their name. One mistake explains all 18 failed checks."},
		"several":                              {twoWebhooksRun(), "Not safe to go live. Anybody can be any of your users, at orders. 2 mistakes explain 10 of 12 failed checks."},
		"no cause":                             {sampleRun(), "Not ready to go live. 1 requirement does not hold."},
		"strict":                               {finished(strict), "Not ready to go live. 2 requirements do not hold."},
		"all holds":                            {finished(fullRun()), "Ready to go live: what was judged holds."},
		"a grave warning":                      {finished(grave), "No requirement fails, but this should not go live. Nobody is known."},
		"a cause of warnings beside a failure": {finished(apart), "Not ready to go live. Nobody is known. 1 requirement does not hold."},
		"with a warning":                       {finished(warned), "Ready to go live, with 1 warning to look at."},
		"little judged":                        {littleJudgedRun(), "What was judged holds, but that is little: 37 of 129 checks."},
		"not all":                              {finished(interrupted), "Not to be judged yet, for not all could be checked: interrupted before all was checked."},
		"nothing":                              {emptyRun(), "Nothing was checked, so nothing is known: the page could not be opened: connection refused."},
	} {
		t.Run(name, func(t *testing.T) {
			if got := outlineOf(row.run).Sentence; got != row.want {
				t.Errorf("it is %q, want %q", got, row.want)
			}
		})
	}
}

// A sentence for a manager is no page: it ends where a sentence does.
func TestSentenceIsShort(t *testing.T) {
	run := oneFaultRun()
	run.Causes[0].Consequence = "Strangers read orders. " + strings.Repeat("And so on and on, ", 40)
	if got, want := outlineOf(run).Sentence, "Not safe to go live. Strangers read orders. One mistake explains all 18 failed checks."; got != want {
		t.Errorf("it is %q, want %q", got, want)
	}
	run.Causes[0].Consequence = strings.Repeat("x", 1000)
	if got := outlineOf(run).Sentence; len(got) > 400 || strings.Contains(got, "….") {
		t.Errorf("it is %q", got)
	}
}

func TestAnAreaOfWhichLittleWasJudgedDoesNotPass(t *testing.T) {
	for _, row := range []struct {
		passed, skipped, deselected int
		mark                        Outcome
		judged                      string
	}{
		{33, 0, 0, Passed, "judged 33 of 33"},
		{3, 30, 0, Skipped, "judged 3 of 33"},
		{17, 16, 0, Passed, "judged 17 of 33"},
		{1, 0, 32, Passed, "judged 1 of 1"},
		{0, 0, 33, Skipped, "not selected"},
		{0, 33, 0, Skipped, "nothing judged"},
	} {
		var checks []Check
		add := func(n int, c Check) {
			for range n {
				c.ID = fmt.Sprintf("AUTH-%02d", len(checks))
				checks = append(checks, c)
			}
		}
		add(row.passed, Check{Outcome: Passed})
		add(row.skipped, Check{Outcome: Skipped, Reason: "no token"})
		add(row.deselected, Check{Outcome: Skipped, Deselected: true})
		g := byArea(checks)[0]
		if g.Mark() != row.mark || g.Judged() != row.judged {
			t.Errorf("%+v: marked %s, %q", row, g.Mark(), g.Judged())
		}
	}
}

func TestAnsweredTellsWhoAnswered(t *testing.T) {
	header := func(pairs ...string) []Header {
		var out []Header
		for i := 0; i < len(pairs); i += 2 {
			out = append(out, Header{pairs[i], pairs[i+1]})
		}
		return out
	}
	for name, row := range map[string]struct {
		response *Response
		want     string
	}{
		"an app":          {&Response{Status: 200, Headers: header("content-type", "application/json"), Body: "{\"a\":1}\n"}, `200 application/json · “{"a":1}”`},
		"a token":         {&Response{Status: 200, Body: `{"token":"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.[removed]","ttl":300}`}, `200 without Content-Type · “{"token":"eyJ…","ttl":300}”`},
		"a firewall":      {&Response{Status: 403, Headers: header("Content-Type", "text/html", "Server", "cloudflare"), Body: "<html><TITLE lang=en>\n Attention\n Required! &amp; so on</TITLE>"}, "403 text/html · Server: cloudflare · “Attention Required! & so on”"},
		"a framework":     {&Response{Status: 403, Headers: header("Content-Type", "text/html"), Body: "<!DOCTYPE html>\n<html><head><style>body {}</style></head><body>\n<h1>Forbidden</h1>\n<p>CSRF verification failed.</p>"}, "403 text/html · “Forbidden / CSRF verification failed.”"},
		"Django":          {&Response{Status: 403, Headers: header("Content-Type", "text/html"), Body: "<html><head>\n<title>403 Forbidden</title>\n<style>\nh1 {}\n</style></head>\n<body><h1>Forbidden <span>(403)</span></h1>\n<p>CSRF verification failed. Request aborted.</p>"}, "403 text/html · “403 Forbidden / Forbidden (403) / CSRF verification failed. Request aborted.”"},
		"a redirect":      {&Response{Status: 307, Headers: header("Location", "/login", "Server", "gunicorn")}, "307 · Location: /login · Server: gunicorn · no body"},
		"plain text":      {&Response{Status: 500, Body: "\n\n  secretOrPrivateKey must be an asymmetric key\n at sign"}, "500 without Content-Type · “secretOrPrivateKey must be an asymmetric key”"},
		"no answer":       {&Response{Error: "connection reset\nby peer"}, "connection reset by peer"},
		"a cut-off page":  {&Response{Status: 200, Body: "<title>never closed"}, "200 without Content-Type · “never closed”"},
		"nothing at all":  {nil, ""},
		"a hostile title": {&Response{Status: 200, Body: "<title>\x1b[2J" + strings.Repeat("x", 1000) + "</title>"}, "200 without Content-Type · “" + `\x1b[2J` + strings.Repeat("x", 112) + "…”"},
	} {
		t.Run(name, func(t *testing.T) {
			all := []Evidence{{Title: "what it is compared with", Response: &Response{Status: 204}}, {Response: row.response}}
			if row.response == nil {
				all = all[1:]
			}
			if got := answered(all); got != row.want {
				t.Errorf("it is %q, want %q", got, row.want)
			}
		})
	}
}

func TestCheckAsALine(t *testing.T) {
	c := Check{ID: "HOOK-VALID", Outcome: Failed, Broken: "A good token is refused.", Actual: "status 401\nUnauthorized", Fix: "Use the public key."}
	if got, want := fmt.Sprint("kindlytest: ", c), "kindlytest: HOOK-VALID failed: A good token is refused: status 401 Unauthorized. Fix: Use the public key."; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := (Check{ID: "HOOK-VALID", Outcome: Passed, Requirement: "It is accepted."}).String(); got != "HOOK-VALID passed" {
		t.Errorf("%q", got)
	}
}

// The way of a good token is all green where every token is believed.
func TestTheWayOfTheTokenShowsTheAttacks(t *testing.T) {
	got := attacksOf(twoWebhooksRun())
	want := []string{
		"orders failed Attacks on orders: 7 of 30 checks failed: A token without its signature is believed.",
		"account info Attacks on account: no failure was seen there: ",
		"search info Attacks on search: no failure was seen there: ",
	}
	for i, w := range want {
		if i >= len(got) {
			t.Fatalf("%d attacks", len(got))
		}
		if a := got[i]; fmt.Sprintf("%s %s %s: %s", a.Webhook, a.Sign, a.Title, a.Detail) != w {
			t.Errorf("%+v, want %q", a, w)
		}
	}
	if a := attacksOf(finished(fullRun())); len(a) != 1 || a[0].Sign != Passed {
		t.Errorf("a sound webhook: %+v", a)
	}
	if a := attacksOf(littleJudgedRun()); len(a) != 1 || a[0].Sign != Skipped {
		t.Errorf("hardly judged: %+v", a)
	}
	source, _ := parseHTML(t, oneFaultRun())
	if !strings.Contains(source, `<li class="attack failed">`) {
		t.Error("the page does not show it in red")
	}
}
