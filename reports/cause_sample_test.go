package reports

import (
	"fmt"
	"maps"
	"strings"
	"time"
)

// A stock is how many checks of an area a made-up catalogue has.
var stock = []struct {
	area string
	n    int
}{{"PAGE", 14}, {"AUTH", 33}, {"TOK", 24}, {"FWD", 6}, {"HOOK", 30}, {"SIG", 12}, {"RESP", 10}, {"LIVE", 12}}

// fullRun has as many checks as a real one, all passed.
func fullRun() Run {
	run := sampleRun()
	run.Checks, run.Notes = nil, []Note{{Informed, "Seed 42."}}
	for _, a := range stock {
		for i := range a.n {
			run.Checks = append(run.Checks, sample(fmt.Sprintf("%s-%02d", a.area, i+1), Passed, Check{
				Requirement: fmt.Sprintf("Requirement %d of the area %s holds.", i+1, a.area),
			}))
		}
	}
	run.Target.Commit, run.Target.Branch = "3f2a9c1be04d5a6677889900aabbccddeeff0011", "main"
	run.Config = &Place{Path: "kindlytest.yaml", Line: 12}
	return run
}

// change changes checks by a function of their place in their area.
func change(run Run, area string, from, to int, how func(*Check)) []string {
	var ids []string
	n := 0
	for i := range run.Checks {
		c := &run.Checks[i]
		if c.Area != area {
			continue
		}
		if n++; n >= from && n <= to {
			how(c)
			ids = append(ids, c.ID)
		}
	}
	return ids
}

func believed(url string) func(*Check) {
	return func(c *Check) {
		c.Outcome = Failed
		c.Requirement = "A removed signature is refused."
		c.Broken = "A token without its signature is believed."
		c.Consequence = "Anybody can be any of your users."
		c.Expected, c.Actual = "a refusal, as without a token", "the same answer as to a good token"
		c.Fix = "Verify the signature with the public half of the key."
		c.Repeat = "kindlytest run -c kindlytest.yaml --only " + c.ID
		c.Evidence = []Evidence{{
			At: sampleTime.Add(time.Second), Title: "a token without signature", DurationMS: 7,
			Request: &Request{Method: "POST", URL: url, Headers: []Header{{"Authorization", "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiI0MiJ9."}}, Body: `{"message":"where is my order?"}`},
			Response: &Response{Status: 200, Headers: []Header{{"Content-Type", "application/json"}, {"Server", "nginx/1.25"}},
				Body: `{"reply":"Hello, Ada. Order 42 is on its way."}`},
		}}
	}
}

const hooksURL = "https://hooks.example.com/kindly"

// oneFaultRun is the run against a webhook that verifies nothing: one mistake, of
// which 18 failures and 4 warnings are the symptoms.
func oneFaultRun() Run {
	run := fullRun()
	ids := change(run, "HOOK", 3, 20, believed(hooksURL))
	ids = append(ids, change(run, "HOOK", 21, 24, func(c *Check) {
		believed(hooksURL)(c)
		c.Outcome, c.Level = Warned, "SHOULD"
	})...)
	change(run, "AUTH", 30, 32, func(c *Check) {
		c.Outcome, c.Level = Warned, "SHOULD"
		c.Broken, c.Actual, c.Fix = "The answer may be cached.", "no Cache-Control header", "Send Cache-Control: no-store."
	})
	change(run, "SIG", 1, 12, func(c *Check) { c.Outcome, c.Reason = Skipped, "no HMAC secret (KINDLYTEST_HMAC_SECRET)" })
	change(run, "LIVE", 1, 2, func(c *Check) { c.Outcome, c.Reason = Skipped, "no private key (--private-key FILE)" })
	run.Causes = []Cause{{
		ID: "webhook-verifies-nothing", Title: "The webhook verifies no token", Severity: Critical, Owner: "webhook", Confirmed: true,
		Consequence: "Anybody who knows the address of order-status can be any of your users: read their orders, and act in their name.",
		Seen:        "a token with a signature of zeros, and one signed by a stranger, get the same answer as a good one",
		Explains:    ids, Fix: "Verify the token before anything is read from it: RS256 only, with the public half of the key that you uploaded to Kindly; answer 401 to what does not verify.",
		Sample: &Sample{Stack: "node-jsonwebtoken", Title: "The webhook", Code: "const claims = jwt.verify(token, publicKey, { algorithms: [\"RS256\"] });\n"},
		Repeat: "kindlytest run -c kindlytest.yaml --only HOOK",
	}}
	return finished(run)
}

// twoWebhooksRun has two webhooks with a mistake each, a lesser cause, and
// failures of their own.
func twoWebhooksRun() Run {
	run := fullRun()
	run.Target.Webhooks = []Webhook{{Name: "orders", URL: "https://hooks.example.com/orders"}, {Name: "account", URL: "https://hooks.example.com/account"}, {Name: "search", URL: "https://hooks.example.com/search"}}
	orders := change(run, "HOOK", 3, 9, believed("https://hooks.example.com/orders"))
	account := change(run, "SIG", 2, 4, func(c *Check) {
		c.Outcome, c.Requirement, c.Broken = Failed, "A correctly signed request is accepted.", "A correctly signed request is refused."
		c.Actual, c.Fix = "status 403", "Compute the HMAC of the body's own bytes."
		c.Evidence = []Evidence{{At: sampleTime, Title: "a signed request", Request: &Request{Method: "POST", URL: "https://hooks.example.com/account"},
			Response: &Response{Status: 403, Headers: []Header{{"Content-Type", "text/html; charset=utf-8"}, {"Server", "cloudflare"}},
				Body: "<!DOCTYPE html>\n<html><head><title>Attention Required! | Cloudflare</title></head><body><h1>Sorry, you have been blocked</h1></body></html>"}}}
	})
	change(run, "LIVE", 5, 5, func(c *Check) {
		c.Outcome, c.Requirement, c.Broken = Failed, "A body of 1 MB is answered.", "A large body stops the process."
		c.Consequence = "One long message stops the chat for everybody."
		c.Actual, c.Fix, c.Repeat = "no answer, and then connection refused for 4 s", "Answer 413 to what is too large.", "kindlytest run --only LIVE-05"
		c.Repeats = &Repeats{2, 3}
		c.Evidence = []Evidence{{At: sampleTime, Title: "1 MB", Request: &Request{Method: "POST", URL: "https://hooks.example.com/search"}, Response: &Response{Error: "connection refused"}}}
	})
	change(run, "AUTH", 1, 1, func(c *Check) {
		c.Outcome, c.Requirement, c.Actual, c.Fix = Failed, "A POST answers 200 and a JSON object.", "status 302", "Answer with JSON."
		c.Evidence = []Evidence{{At: sampleTime, Title: "the token", Request: &Request{Method: "POST", URL: "https://staging.example.com/kindly/token"},
			Response: &Response{Status: 302, Headers: []Header{{"Location", "/login"}, {"Server", "gunicorn"}}}}}
	})
	run.Summary.Deaths = 1
	run.Causes = []Cause{
		{ID: "proxy-refuses", Title: "A firewall answers instead of the webhook", Severity: Medium, Owner: "infrastructure", Where: "account",
			Consequence: "Kindly's messages never reach the webhook.", Seen: "403 text/html of cloudflare to each request", Explains: account, Fix: "Let requests from Kindly through."},
		{ID: "webhook-verifies-nothing", Title: "The webhook verifies no token", Severity: Critical, Owner: "webhook", Where: "orders", Confirmed: true,
			Consequence: "Anybody can be any of your users, at orders.", Seen: "a token signed by a stranger gets the same answer as a good one", Explains: orders, Fix: "Verify the token."},
	}
	return finished(run)
}

// littleJudgedRun passes, and hardly anything of it was judged.
func littleJudgedRun() Run {
	run := fullRun()
	reason := "no page, so no token (PAGE, or --private-key FILE)"
	for _, a := range stock[:5] {
		change(run, a.area, 4, a.n, func(c *Check) { c.Outcome, c.Reason = Skipped, reason })
	}
	change(run, "LIVE", 1, 12, func(c *Check) { c.Outcome, c.Reason, c.Deselected = Skipped, "not asked for", true })
	return finished(run)
}

func init() {
	maps.Copy(runs, map[string]func() Run{
		"one fault": oneFaultRun, "two webhooks": twoWebhooksRun, "little judged": littleJudgedRun,
		"hostile causes": func() Run {
			run := hostileRun()
			for i := range run.Causes {
				run.Causes[i].Explains = []string{hostile, "", strings.Repeat("x", 1000)}
			}
			for i := range run.Checks {
				run.Checks[i].Cause = ""
			}
			return run
		},
	})
}
