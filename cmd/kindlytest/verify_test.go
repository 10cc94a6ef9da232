package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// TestVerifyForwardsNoTokenThatCannotBeRead: that is no empty list.
func TestVerifyForwardsNoTokenThatCannotBeRead(t *testing.T) {
	for _, text := range []string{"9f86d081884c7d659a2feaa0c55ad015", "<!DOCTYPE html><title>Log in</title>", "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..aXY.dGV4dA.dGFn"} {
		r := runHere(t.Context(), nil, text, "verify", "--webhook", "https://hooks.example.com/kindly")
		if r.code != exitBroken || !strings.Contains(r.stdout, "forwarded to https://hooks.example.com/kindly: no: webhook_domains can't be read (see TOK-COMPACT)") {
			t.Errorf("of %s, code %d:\n%s%s", text, r.code, r.stdout, r.stderr)
		}
	}
}

// TestVerifyNamesTheMistake: what is said of a token with one mistake, and what
// is not.
func TestVerifyNamesTheMistake(t *testing.T) {
	dir := t.TempDir()
	if r := runHere(t.Context(), nil, "", "keygen", dir); r.code != exitOK {
		t.Fatal(r.stderr)
	}
	pem, err := os.ReadFile(filepath.Join(dir, "private.pem"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := token.ParsePrivateKey("private.pem", pem)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	mint := func(iat, exp int64, domains ...string) string {
		raw, err := mockkindly.Mint(key, map[string]any{
			"iat": iat, "exp": exp, "iss": "shop.example", "sub": "u-1", "name": "Ada",
			"chat": map[string]any{"id": chatID, "webhook_domains": append([]string{}, domains...)}})
		if err != nil {
			t.Fatal(err)
		}
		return raw.Secret()
	}
	at := now.Unix()
	sound := mint(at, at+300, "hooks.example.com")
	for _, row := range []struct {
		name, text string
		code       int
		ids        string // of violations
		diagnosis  string
		says       []string
		unsaid     string
	}{
		{"sound", sound, exitOK, "", "", []string{"ACCEPTED: Kindly would let Ada in", "in 5m0s", "✔ FWD Forwarding  judged 3 of 3: 3 passed"}, "REFUSED"},
		{"a lifetime for exp", mint(at, 2000), exitBroken, "TOK-EXP", "token-duration-for-instant", []string{"a duration, not a point in time", "exp = iat + 300", "REFUSED"}, "498854"},
		{"a far exp", mint(at, at+3*365*86400), exitBroken, "TOK-EXP-MAX", "", []string{"in 3 years"}, "26280h"},
		{"a time zone", mint(at-3600, at-3300), exitBroken, "TOK-EXP-FUTURE TOK-IAT-SKEW", "token-timezone", []string{"1 h, to the second", "utcnow"}, "NTP"},
		{"a Python bytes literal", "b'" + sound + "'", exitBroken, "TOK-COMPACT", "token-wrapped-python-bytes", []string{`decode("ascii")`, "(confirmed)"}, "no encoding of your own"},
		{"a header's line", "authorization: Bearer " + sound, exitOK, "", "", []string{`behind "Bearer"`, "ACCEPTED"}, "white space"},
		{"a command", `curl -H "Authorization: Bearer ` + sound + `" https://shop.example/`, exitOK, "", "", []string{`behind "Bearer"`, "ACCEPTED"}, "white space"},
		{"an answer with another name", `{"jwt":"` + sound + `"}`, exitOK, "", "", []string{"its member is not called"}, "TOK-COMPACT"},
		{"a URL in the list", mint(at, at+300, "https://hooks.example.com/kindly"), exitBroken, "FWD-PATTERNS", "", []string{`Write "hooks.example.com"`, "ACCEPTED, BUT NOT SOUND"}, "REFUSED"},
		{"everything in the list", mint(at, at+300, "*"), exitBroken, "FWD-BROAD", "", []string{`"*"`}, "REFUSED"},
		{"nothing and everything in the list", mint(at, at+300, "", "*"), exitBroken, "FWD-PATTERNS FWD-BROAD", "", []string{`"*"`, `""`}, "REFUSED"},
		{"names for hire", mint(at, at+300, "*.ngrok.app"), exitOK, "FWD-SHARED-TENANT", "", []string{"ngrok.app"}, "REFUSED"},
	} {
		t.Run(row.name, func(t *testing.T) {
			args := []string{"verify", "--public-key", filepath.Join(dir, "public.pem"), "--chat-id", chatID, "--now", now.Format(time.RFC3339)}
			r := runHere(t.Context(), nil, row.text, args...)
			if r.code != row.code || row.unsaid != "" && strings.Contains(r.stdout, row.unsaid) {
				t.Errorf("code %d, or %q is said:\n%s%s", r.code, row.unsaid, r.stdout, r.stderr)
			}
			for _, says := range row.says {
				if !strings.Contains(r.stdout, says) {
					t.Errorf("%q is not said:\n%s", says, r.stdout)
				}
			}
			var out judgementJSON
			if err := json.Unmarshal([]byte(runHere(t.Context(), nil, row.text, append(args, "--json")...).stdout), &out); err != nil {
				t.Fatal(err)
			}
			var ids []string
			for _, v := range out.Violations {
				if ids = append(ids, v.ID); v.Diagnosis != row.diagnosis {
					t.Errorf("%s is diagnosed %q, want %q", v.ID, v.Diagnosis, row.diagnosis)
				}
			}
			if got := strings.Join(ids, " "); got != row.ids {
				t.Errorf("violations %q, want %q", got, row.ids)
			}
		})
	}
}

// TestVerifyWarnsOfKeysThatKindlyMayRefuse: what is read here is not what Kindly
// reads.
func TestVerifyWarnsOfKeysThatKindlyMayRefuse(t *testing.T) {
	dir := t.TempDir()
	if r := runHere(t.Context(), nil, "", "keygen", dir); r.code != exitOK {
		t.Fatal(r.stderr)
	}
	text, err := os.ReadFile(filepath.Join(dir, "public.pem"))
	if err != nil {
		t.Fatal(err)
	}
	odd := filepath.Join(dir, "odd.pem")
	if err := os.WriteFile(odd, []byte(`"`+strings.ReplaceAll(string(text), "\n", `\n`)+`"`), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{filepath.Join(dir, "public.pem"): false, odd: true} {
		r := runHere(t.Context(), nil, "a.b.c", "verify", "--public-key", path)
		if got := strings.Contains(strings.Join(strings.Fields(r.stdout), " "), `line ends written as \n, quotes around it`); got != want {
			t.Errorf("%s: said is %v, want %v:\n%s", filepath.Base(path), got, want, r.stdout)
		}
	}
}
