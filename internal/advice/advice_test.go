package advice_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/internal/advice"
	"github.com/kindlytest/kindlytest/suites"
)

// withoutSample are the findings that no code closes: they are about a server's
// certificate, its speed or its framework, or nothing is to be done.
var withoutSample = []string{
	"PAGE-SECURE", "AUTH-HTTPS", "AUTH-COOKIE-FLAGS", "FWD-HTTPS", "FWD-REDIRECT",
	"HOOK-DUPLICATE-CLAIMS", "RESP-TIME", "RESP-REPEAT",
}

func TestEveryCheckHasItsReason(t *testing.T) {
	seen := map[string]string{}
	for _, c := range suites.Checks() {
		why := c.Requirement.Why
		if len(why) < 60 || !strings.HasSuffix(why, ".") {
			t.Errorf("%s does not say why it matters: %q", c.ID(), why)
		}
		if other, twice := seen[why]; twice {
			t.Errorf("%s and %s have the same reason", c.ID(), other)
		}
		if strings.Contains(why, c.Requirement.Text) || strings.Contains(why, c.Requirement.Fix) {
			t.Errorf("%s only repeats what the check says", c.ID())
		}
		seen[why] = c.ID()
		if kindly := advice.Kindly(c.Requirement); len(kindly) < 60 {
			t.Errorf("%s does not say how Kindly behaves: %q", c.ID(), kindly)
		}
	}
}

func TestEveryReasonHasItsCheck(t *testing.T) {
	known := map[string]bool{}
	for _, c := range suites.Checks() {
		known[c.ID()] = true
	}
	for _, id := range advice.IDs() {
		if !known[id] {
			t.Errorf("%s is explained, and is no check", id)
		}
	}
}

func TestEveryCheckHasSamplesForAllStacks(t *testing.T) {
	for _, c := range suites.Checks() {
		samples := advice.Samples(c.ID())
		if none := slices.Contains(withoutSample, c.ID()); none != (len(samples) == 0) {
			t.Errorf("%s has %d samples", c.ID(), len(samples))
		}
		for _, s := range advice.StackNames() {
			if sample, ok := advice.SampleFor(c.ID(), s); len(samples) > 0 && (!ok || sample.Title == "" || sample.Code == "") {
				t.Errorf("%s has no sample for %s: %+v", c.ID(), s, sample)
			}
		}
	}
}

// A sample is to be read at a glance.
func TestSamplesAreShort(t *testing.T) {
	for _, c := range suites.Checks() {
		for _, s := range advice.Samples(c.ID()) {
			most := 25
			if s.Region == "verify" { // it comes with what the library leaves to do
				most = 45
			}
			lines := strings.Split(strings.TrimSpace(s.Code), "\n")
			if len(lines) > most {
				t.Errorf("%s of %s has %d lines", s.Region, s.Stack.Name, len(lines))
			}
			for _, l := range lines {
				if n := len([]rune(l)); n > 130 {
					t.Errorf("%s of %s has a line of %d characters: %s", s.Region, s.Stack.Name, n, l)
				}
			}
		}
	}
}

// What a finding names is in the code that closes it, in every language.
func TestSamplesShowWhatTheFixNames(t *testing.T) {
	for id, word := range map[string]string{
		"AUTH-NO-STORE": "nostore", "AUTH-NOSNIFF": "nosniff", "AUTH-IDENTITY-BODY": "nothing else is taken", "AUTH-CORS-FOREIGN": "origin",
		"TOK-ALG": "rs", "TOK-CHAT-DOMAINS": "hooks.example.com", "HOOK-ALG-NONE": "never what the token says", "HOOK-OTHER-CHAT": "of this chat",
		"HOOK-CRIT": "crit", "HOOK-UNVERIFIED": "email_verified", "SIG-VALID": "hmac-sha-256 (base64 encoded)", "HOOK-SCHEME": "bearer", "SIG-RAW-BODY": "bad signature",
	} {
		for _, s := range advice.Samples(id) {
			code := strings.NewReplacer("no-store", "nostore", "your key, none from the token", "never what the token says").Replace(strings.ToLower(s.Code))
			if !strings.Contains(code, word) {
				t.Errorf("the sample for %s in %s does not hold %q", id, s.Stack.Name, word)
			}
		}
	}
}
