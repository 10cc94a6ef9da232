package causes

import (
	"slices"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/reports"
)

// nowhere: there is one webhook at most.
func nowhere(string) []Sighting { return nil }

// A mistake that was mended in thought accounts for what shows it, not for what
// else is wrong with the same thing.
func TestWhatWasMendedExplainsNothingElse(t *testing.T) {
	for _, row := range []struct {
		cause    string
		by       string   // the check whose probe names it
		symptoms []string // that it accounts for
		others   []string // that fail by themselves
	}{
		{"webhook-redirects", "FWD-REDIRECT", []string{"HOOK-VALID"}, []string{"HOOK-ALG-NONE", "SIG-MISSING", "RESP-SPARSE", "LIVE-HOOK-BODY"}},
		{"webhook-time-zone", "HOOK-VALID", []string{"HOOK-EXPIRED"}, []string{"HOOK-OTHER-CHAT", "HOOK-TOKEN-ECHO"}},
		{"webhook-wants-audience", "HOOK-VALID", nil, []string{"HOOK-EXP-MISSING", "HOOK-ESCAPES"}},
		{"hmac-hex", "SIG-VALID", []string{"SIG-RAW-BODY"}, []string{"SIG-BODY", "SIG-ECHO", "LIVE-HOOK-BODY"}},
		{"process-dies", "LIVE-HOOK-BODY", []string{"LIVE-PROCESS"}, []string{"LIVE-AUTH-BURST", "LIVE-HOOK-BURST"}},
		{"token-milliseconds", "TOK-EXP", nil, []string{"TOK-NBF", "TOK-EXP-MAX", "PAGE-CALLBACK-RENEW", "TOK-EMAIL-VERIFIED", "TOK-CHAT-DOMAINS", "TOK-SUB-STABLE"}},
		{"callback-lost", "PAGE-CALLBACK-KEPT", []string{"PAGE-CALLBACK-RENEW"}, []string{"PAGE-ERRORS"}},
		{"endpoint-keeps-tokens", "AUTH-FRESH", []string{"PAGE-CALLBACK-RENEW"}, []string{"TOK-IAT-SKEW"}},
		{"token-sub-number", "TOK-SUB", nil, []string{"TOK-EMAIL-VERIFIED", "TOK-IAT"}},
		{"hmac-latin1", "SIG-VALID", []string{"SIG-BODY"}, []string{"LIVE-HOOK-BODY"}},
		{"token-born-expired", "TOK-EXP-FUTURE", []string{"AUTH-FRESH"}, []string{"HOOK-EXPIRED"}},
		{"callback-endpoint-error", "PAGE-CALLBACK-TOKEN", []string{"PAGE-ERRORS"}, []string{"AUTH-ERROR-LEAK"}},
		{"token-unknown-key", "TOK-SIGNATURE", nil, []string{"TOK-EXP", "TOK-SECRETS"}},
	} {
		t.Run(row.cause, func(t *testing.T) {
			checks := []reports.Check{{ID: row.by, Outcome: reports.Failed, Cause: row.cause}}
			for _, id := range append(slices.Clone(row.symptoms), row.others...) {
				checks = append(checks, reports.Check{ID: id, Outcome: reports.Failed})
			}
			for _, c := range Recognise(checks, nowhere) {
				if want := append([]string{row.by}, row.symptoms...); c.ID == row.cause && !slices.Equal(c.Explains, want) {
					t.Errorf("it explains %q, want %q", c.Explains, want)
				}
			}
		})
	}
}

// A webhook that fails with an error on a forged token has not believed it, whatever
// else is wrong with it.
func TestAnErrorIsNoBelief(t *testing.T) {
	fails := func(id string, status int) reports.Check {
		return reports.Check{ID: id, Level: string(rule.Must), Outcome: reports.Failed, Evidence: []reports.Evidence{{Response: &reports.Response{Status: status}}}}
	}
	kills := func(id string) reports.Check {
		c := fails(id, 200)
		c.Cause = "process-dies"
		return c
	}
	byTurns := func(id string) reports.Check {
		c := fails(id, 401)
		c.Cause = "webhook-differs-by-turn"
		return c
	}
	late := func(id string) reports.Check {
		c := fails(id, 0)
		c.Cause = "webhook-verifies-too-late"
		return c
	}
	for _, row := range []struct {
		name   string
		checks []reports.Check
		want   []string
	}{
		{"errors on all that is forged", []reports.Check{fails("HOOK-WRONG-KEY", 500), fails("HOOK-TAMPERED", 500), fails("HOOK-SIGNATURE", 500), fails("HOOK-ALG-NONE", 500)}, []string{"webhook-fails-on-bad-tokens"}},
		{"all that is forged is believed", []reports.Check{fails("HOOK-WRONG-KEY", 200), fails("HOOK-TAMPERED", 200), fails("HOOK-SIGNATURE", 200), fails("HOOK-GARBAGE", 500)}, []string{"webhook-verifies-nothing", "webhook-fails-on-odd-tokens"}},
		{"errors, and another chat's token is believed", []reports.Check{fails("HOOK-WRONG-KEY", 502), fails("HOOK-TAMPERED", 500), fails("HOOK-SIGNATURE", 500), fails("HOOK-OTHER-CHAT", 200)}, []string{"webhook-fails-on-bad-tokens", "webhook-ignores-chat"}},
		{"all that is forged is believed, and another chat's token", []reports.Check{fails("HOOK-WRONG-KEY", 200), fails("HOOK-TAMPERED", 200), fails("HOOK-SIGNATURE", 200), fails("HOOK-OTHER-CHAT", 200)}, []string{"webhook-verifies-nothing", "webhook-ignores-chat"}},
		{"errors also on another chat's token", []reports.Check{fails("HOOK-WRONG-KEY", 500), fails("HOOK-TAMPERED", 500), fails("HOOK-SIGNATURE", 500), fails("HOOK-OTHER-CHAT", 500)}, []string{"webhook-fails-on-bad-tokens"}},
		{"errors, and a token that was changed is believed", []reports.Check{fails("HOOK-WRONG-KEY", 500), fails("HOOK-TAMPERED", 200), fails("HOOK-SIGNATURE", 500), fails("HOOK-ALG-NONE", 500), fails("HOOK-KID-INJECTION", 500)}, []string{"webhook-fails-on-bad-tokens"}},
		{"an error, and two others are believed", []reports.Check{fails("HOOK-WRONG-KEY", 200), fails("HOOK-TAMPERED", 500), fails("HOOK-EMBEDDED-KEY", 200)}, []string{"webhook-trusts-any-key"}},
		{"all that is forged is believed, and ends the process a moment later", []reports.Check{kills("HOOK-WRONG-KEY"), fails("HOOK-SIGNATURE", 200), fails("HOOK-EMBEDDED-KEY", 200), kills("HOOK-GARBAGE"), fails("LIVE-PROCESS", 0)}, []string{"webhook-verifies-too-late"}},
		{"all that is forged is believed, and some of it ended the process after the answer", []reports.Check{fails("HOOK-WRONG-KEY", 200), fails("HOOK-TAMPERED", 200), fails("HOOK-SIGNATURE", 200), kills("HOOK-GARBAGE"), late("LIVE-PROCESS")}, []string{"webhook-verifies-too-late"}},
		{"what is forged ends the process after the answer, and is not believed", []reports.Check{late("LIVE-PROCESS")}, []string{"process-dies"}},
		{"all that is forged is believed, and garbage ends the process", []reports.Check{fails("HOOK-WRONG-KEY", 200), fails("HOOK-TAMPERED", 200), fails("HOOK-SIGNATURE", 200), kills("HOOK-GARBAGE"), fails("LIVE-PROCESS", 0)}, []string{"process-dies", "webhook-verifies-nothing"}},
		{"what is forged ends the process, and is not believed", []reports.Check{kills("HOOK-WRONG-KEY"), kills("HOOK-TAMPERED"), fails("HOOK-SIGNATURE", 500)}, []string{"process-dies"}},
		{"it dies of forged tokens, and believes those for other chats", []reports.Check{kills("HOOK-WRONG-KEY"), kills("HOOK-SIGNATURE"), fails("HOOK-OTHER-CHAT", 200)}, []string{"process-dies", "webhook-ignores-chat"}},
		{"one token for all chats of a user, from the endpoint", []reports.Check{fails("PAGE-CALLBACK-FRESH", 200), fails("PAGE-CALLBACK-RENEW", 200), fails("AUTH-BIND-CHAT", 200)}, []string{"endpoint-remembers-chat"}},
		{"one token for all chats of a user, from the page", []reports.Check{fails("PAGE-CALLBACK-FRESH", 200), fails("PAGE-CALLBACK-RENEW", 200)}, []string{"page-remembers-token"}},
		{"anything is signed, and what can't be read is an error", []reports.Check{fails("AUTH-CHATID-TYPE", 200), fails("LIVE-AUTH-BODY", 500), fails("AUTH-CHATID-HOSTILE", 500)}, []string{"endpoint-signs-anything", "endpoint-errs-on-input"}},
		{"instances differ, and none wants a signature", []reports.Check{byTurns("SIG-VALID"), fails("SIG-MISSING", 200), fails("RESP-STATUS", 401)}, []string{"webhook-differs-by-turn", "webhook-checks-hmac-if-there"}},
		{"an error without a session", []reports.Check{fails("AUTH-NO-SESSION", 500)}, nil},
		{"an error without a signature", []reports.Check{fails("SIG-MISSING", 500), fails("SIG-WRONG", 500)}, nil},
		{"valid tokens are refused with an error", []reports.Check{fails("HOOK-VALID", 500)}, []string{"webhook-refuses-valid-tokens"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			var got []string
			for _, c := range Recognise(row.checks, nowhere) {
				got = append(got, c.ID)
			}
			if !slices.Equal(got, row.want) {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

func TestOneProcessDiesOnce(t *testing.T) {
	checks := []reports.Check{
		{ID: "RESP-METHOD", Outcome: reports.Warned, Cause: "process-dies"},
		{ID: "LIVE-HOOK-BODY", Outcome: reports.Failed, Cause: "process-dies"},
		{ID: "LIVE-PROCESS", Outcome: reports.Failed},
	}
	found := Recognise(checks, func(id string) []Sighting { return map[string][]Sighting{"LIVE-HOOK-BODY": {{Where: "orders"}}}[id] })
	if len(found) != 1 || len(found[0].Explains) != 3 {
		t.Errorf("%+v, want one cause of all three", found)
	}
}

func TestAProcessBelongsToWhatKillsIt(t *testing.T) {
	for _, row := range []struct {
		ids   []string
		owner string
	}{
		{[]string{"AUTH-BODY-MALFORMED", "LIVE-AUTH-BODY"}, Endpoint},
		{[]string{"RESP-METHOD"}, Webhook},
		{[]string{"LIVE-AUTH-BODY", "LIVE-HOOK-BODY"}, Webhook},
	} {
		checks := []reports.Check{{ID: "LIVE-PROCESS", Outcome: reports.Failed, Actual: "at http://127.0.0.1/account: killed"}}
		for _, id := range row.ids {
			checks = append(checks, reports.Check{ID: id, Outcome: reports.Failed, Actual: "killed", Cause: "process-dies"})
		}
		found := Recognise(checks, func(string) []Sighting { return []Sighting{{Where: "orders"}} })
		if len(found) != 1 || found[0].Owner != row.owner || found[0].Seen != checks[0].Actual || found[0].Where != "" {
			t.Errorf("%q: %+v, want it of the %s, with where it was seen", row.ids, found, row.owner)
		}
	}
}

func TestEveryNamedCauseSaysHowItIsMended(t *testing.T) {
	checks := []reports.Check{{ID: "SIG-RAW-BODY", Outcome: reports.Failed, Cause: "hmac-body-rewritten", Fix: "Keep the bytes.", Help: "Keep the bytes."}}
	if found := Recognise(checks, nowhere); len(found) != 1 || found[0].Fix != "Keep the bytes." {
		t.Errorf("%+v, want the check's own fix where the cause has none", found)
	}
}

// What only the words of an answer tell is not confirmed, unless another check has seen it.
func TestWhatOnlyWordsTellIsInferred(t *testing.T) {
	checks := []reports.Check{
		{ID: "SIG-VALID", Outcome: reports.Failed, Cause: "gateway-refuses"},
		{ID: "RESP-STATUS", Outcome: reports.Failed, Cause: "gateway-refuses"},
		{ID: "RESP-METHOD", Outcome: reports.Skipped, Cause: "gateway-refuses"}, // says nothing of it
	}
	for seen, confirmed := range map[string]bool{"": false, "RESP-STATUS": true} {
		found := Recognise(checks, func(id string) []Sighting { return []Sighting{{Inferred: id != seen && id != "RESP-METHOD"}} })
		if len(found) != 1 || found[0].Confirmed != confirmed {
			t.Errorf("seen by %q: %+v, want confirmed: %t", seen, found, confirmed)
		}
		for i := range checks {
			checks[i].Cause = "gateway-refuses"
		}
	}
}

func TestATokensMistakeLeavesTheWebhookItsOwn(t *testing.T) {
	of := func(rule string, ids ...string) []reports.Check {
		out := []reports.Check{{ID: rule, Outcome: reports.Failed, Cause: "token-milliseconds"}}
		for _, id := range ids {
			out = append(out, reports.Check{ID: id, Outcome: reports.Failed})
		}
		return out
	}
	failing := func(ids ...string) []reports.Check { return of("TOK-EXP", ids...) }
	erring := failing("HOOK-EXP-MISSING")
	erring[1].Evidence = []reports.Evidence{{Response: &reports.Response{Status: 500}}}
	for _, row := range []struct {
		checks []reports.Check
		want   []string
	}{
		{erring, []string{"TOK-EXP"}}, // it takes exp for granted
		{of("TOK-IAT", "HOOK-EXP-MISSING", "HOOK-IAT"), []string{"TOK-IAT", "HOOK-IAT"}},
		{failing("HOOK-EXP-MISSING"), []string{"TOK-EXP", "HOOK-EXP-MISSING"}},
		{failing("HOOK-EXPIRED", "HOOK-EXP-MISSING"), []string{"TOK-EXP"}}, // it looks at no exp at all
	} {
		if found := Recognise(row.checks, nowhere); !slices.Equal(found[0].Explains, row.want) {
			t.Errorf("%s explains %q, want %q", found[0].ID, found[0].Explains, row.want)
		}
	}
}

func TestNothingGraveIsInferredFromDoubt(t *testing.T) {
	for outcome, want := range map[reports.Outcome]int{reports.Failed: 1, reports.Warned: 0} {
		var checks []reports.Check
		for _, id := range []string{"HOOK-WRONG-KEY", "HOOK-TAMPERED", "HOOK-ALG-NONE", "HOOK-ALG-MALFORMED", "HOOK-SIGNATURE"} {
			checks = append(checks, reports.Check{ID: id, Level: string(rule.Must), Outcome: outcome})
		}
		if found := Recognise(checks, nowhere); len(found) != want {
			t.Errorf("%s: %+v, want %d causes", outcome, found, want)
		}
	}
}

// Mistakes of two webhooks are no pattern of one, and each is named where it is.
func TestTwoWebhooksMakeTheirMistakesEachByItself(t *testing.T) {
	type places map[string][]string // of each check, the worst first
	for _, row := range []struct {
		name string
		seen places
		want []string // cause at place: what it explains
	}{
		{"no pattern of either", places{"SIG-MISSING": {"orders"}, "SIG-WRONG": {"account"}, "SIG-BODY": {"account"}},
			[]string{"webhook-compares-no-hmac at account: SIG-WRONG SIG-BODY", "webhook-checks-hmac-if-there at orders: SIG-MISSING"}},
		{"behind the worse one", places{"SIG-MISSING": {"orders"}, "SIG-WRONG": {"orders", "account"}, "SIG-BODY": {"orders", "account"}},
			[]string{"webhook-checks-no-hmac at orders: SIG-MISSING SIG-WRONG SIG-BODY", "webhook-compares-no-hmac at account: SIG-WRONG SIG-BODY"}},
		{"what has another reason elsewhere speaks for itself", places{"SIG-MISSING": {"orders"}, "SIG-WRONG": {"orders"}, "SIG-BODY": {"orders", "account"}},
			[]string{"webhook-checks-no-hmac at orders: SIG-MISSING SIG-WRONG"}},
		{"the same at both", places{"HOOK-OTHER-CHAT": {"orders", "account"}},
			[]string{"webhook-ignores-chat at orders, account: HOOK-OTHER-CHAT"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			var checks []reports.Check
			for _, id := range []string{"HOOK-OTHER-CHAT", "SIG-MISSING", "SIG-WRONG", "SIG-BODY"} {
				if row.seen[id] != nil {
					checks = append(checks, reports.Check{ID: id, Level: string(rule.Must), Outcome: reports.Failed})
				}
			}
			found := Recognise(checks, func(id string) []Sighting {
				var out []Sighting
				for _, place := range row.seen[id] {
					out = append(out, Sighting{Where: place, Check: reports.Check{ID: id, Level: string(rule.Must), Outcome: reports.Failed}})
				}
				return out
			})
			var got []string
			for _, c := range found {
				got = append(got, c.ID+" at "+c.Where+": "+strings.Join(c.Explains, " "))
			}
			if !slices.Equal(got, row.want) {
				t.Errorf("got %q, want %q", got, row.want)
			}
			for _, c := range checks {
				if c.Cause == "" && row.name != "what has another reason elsewhere speaks for itself" {
					t.Errorf("%s has no cause", c.ID)
				}
			}
		})
	}
}
