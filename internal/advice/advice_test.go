package advice_test

import (
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/internal/advice"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/suites"
)

func requirement(id string) rule.Rule {
	c, _ := suites.Find(id)
	return c.Requirement
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

func TestEveryCheckHasSamplesForAllStacks(t *testing.T) {
	for _, c := range suites.Checks() {
		samples := advice.Samples(c.Requirement)
		if code := c.Requirement.Code; (code == rule.NoCode) != (len(samples) == 0) {
			t.Errorf("%s is closed by the code %q, and has %d samples", c.ID(), code, len(samples))
		}
		for _, s := range advice.StackNames() {
			if sample, ok := advice.SampleFor(c.Requirement, s); len(samples) > 0 && (!ok || sample.Title == "" || sample.Code == "") {
				t.Errorf("%s has no sample for %s: %+v", c.ID(), s, sample)
			}
		}
	}
}

// A sample is to be read at a glance.
func TestSamplesAreShort(t *testing.T) {
	for _, c := range suites.Checks() {
		for _, s := range advice.Samples(c.Requirement) {
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
		for _, s := range advice.Samples(requirement(id)) {
			code := strings.NewReplacer("no-store", "nostore", "your key, none from the token", "never what the token says").Replace(strings.ToLower(s.Code))
			if !strings.Contains(code, word) {
				t.Errorf("the sample for %s in %s does not hold %q", id, s.Stack.Name, word)
			}
		}
	}
}
