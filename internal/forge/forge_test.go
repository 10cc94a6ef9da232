package forge

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// The rows of the requirements that need a forged token.
var checks = []struct {
	id  string
	key bool
}{
	{"HOOK-TAMPERED", false}, {"HOOK-SIGNATURE", false}, {"HOOK-ALG-NONE", false},
	{"HOOK-ALG-MALFORMED", false}, {"HOOK-KEY-CONFUSION", false}, {"HOOK-WRONG-KEY", false},
	{"HOOK-EMBEDDED-KEY", false}, {"HOOK-REMOTE-KEY", false}, {"HOOK-KID-INJECTION", false},
	{"HOOK-ECDSA-ZERO", false}, {"HOOK-SEGMENTS", false}, {"HOOK-GARBAGE", false},
	{"HOOK-SCHEME", false}, {"HOOK-BEARER-CASE", false},
	{"HOOK-EXPIRED", true}, {"HOOK-EXP-MISSING", true}, {"HOOK-EXP-HUGE", true},
	{"HOOK-LIFETIME", true}, {"HOOK-NBF", true}, {"HOOK-IAT", true}, {"HOOK-NO-CHAT", true},
	{"HOOK-CHAT-TYPE", true}, {"HOOK-SUB-TYPE", true}, {"HOOK-ALG-OTHER", true},
	{"HOOK-CRIT", true}, {"HOOK-DUPLICATE-CLAIMS", true}, {"HOOK-UNVERIFIED", true},
	{"HOOK-ESCAPES", true},
}

func TestEveryCheckHasAttacks(t *testing.T) {
	known := map[string]bool{}
	for _, c := range checks {
		known[c.id] = true
		attacks := For(c.id)
		if len(attacks) == 0 {
			t.Errorf("%s has no attack", c.id)
		}
		for _, a := range attacks {
			if a.NeedsKey != c.key || a.NeedsKey != (a.Needs&NeedPrivate != 0) {
				t.Errorf("%s, %s: NeedsKey is %v, needs are %b", a.Check, a.Name, a.NeedsKey, a.Needs)
			}
		}
	}
	for _, a := range Attacks() {
		if !known[a.Check] {
			t.Errorf("attack for an unknown check %s", a.Check)
		}
	}
}

func TestEveryAttackIsExplainedAndBuilds(t *testing.T) {
	names := map[string]bool{}
	for _, a := range Attacks() {
		if a.Name == "" || a.Source == "" || !strings.HasSuffix(a.Why, ".") || strings.Count(a.Why, ". ") > 0 {
			t.Errorf("%s: name %q, source %q, why %q: want all, and one sentence", a.Check, a.Name, a.Source, a.Why)
		}
		tokens := build(t, a, material(t))
		if len(tokens) == 0 {
			t.Errorf("%s, %s built nothing", a.Check, a.Name)
		}
		for _, f := range tokens {
			if key := a.Check + "/" + f.Name; names[key] {
				t.Errorf("%s: the name %q comes twice", a.Check, f.Name)
			} else {
				names[key] = true
			}
		}
	}
}

func TestOnlyMintedTokensAreSignedByTheCustomer(t *testing.T) {
	m := material(t)
	for _, a := range Attacks() {
		// These send the page's own token, in another way.
		carriage := a.Check == "HOOK-SCHEME" || a.Check == "HOOK-BEARER-CASE"
		for _, f := range build(t, a, m) {
			if got, want := verifies(t, f, m.Public), a.NeedsKey || carriage; got != want {
				t.Errorf("%s, %s: verifies with the customer's key: %v, want %v", a.Check, f.Name, got, want)
			}
		}
	}
}

// One token of an attack, made alone, is as it is among the others, its signature too.
func TestSomeTokensAreAsAmongAll(t *testing.T) {
	key, err := attacker.key()
	if err != nil {
		t.Fatal(err)
	}
	m := material(t)
	anew := func() Material { m.Rand = rand.NewChaCha8([32]byte{}); return m } // the same canaries
	unsigned := func(f Forged) string { return f.Token.Reveal()[:strings.LastIndex(f.Token.Reveal(), ".")+1] }
	for _, a := range Attacks() {
		all := build(t, a, anew())
		for _, i := range []int{0, len(all) / 2, len(all) - 1} {
			want := all[i]
			some, err := a.BuildSome(anew(), i, 1)
			if err != nil || len(some) != 1 {
				t.Fatalf("%s, %s: %d tokens at %d, want 1: %v", a.Check, a.Name, len(some), i, err)
			}
			got := some[0]
			if got.Name != want.Name || unsigned(got) != unsigned(want) || len(got.Token) != len(want.Token) ||
				verifies(t, got, m.Public) != verifies(t, want, m.Public) || verifies(t, got, &key.PublicKey) != verifies(t, want, &key.PublicKey) {
				t.Errorf("%s, %s: made alone, the token at %d is %q, and not as %q among all", a.Check, a.Name, i, got.Name, want.Name)
			}
		}
		for _, row := range []struct{ first, n, want int }{{0, 2, min(2, len(all))}, {len(all) - 1, 2, 1}, {len(all), 1, 0}, {len(all) + 1, 1, 0}} {
			if some, err := a.BuildSome(m, row.first, row.n); err != nil || len(some) != row.want {
				t.Errorf("%s, %s: %d of %d tokens from %d on, want %d: %v", a.Check, a.Name, len(some), row.n, row.first, row.want, err)
			}
		}
	}
}

func TestForeignKeysDoSign(t *testing.T) {
	m := material(t)
	key, err := attacker.key()
	if err != nil {
		t.Fatal(err)
	}
	for _, check := range []string{"HOOK-WRONG-KEY", "HOOK-EMBEDDED-KEY", "HOOK-REMOTE-KEY"} {
		for _, a := range For(check) {
			for _, f := range build(t, a, m) {
				if !verifies(t, f, &key.PublicKey) {
					t.Errorf("%s, %s: not signed by the attacker, so it proves nothing", check, f.Name)
				}
			}
		}
	}
}

func TestTokensKeepWhatThePageSaid(t *testing.T) {
	page := fields(t, pageClaims)
	for _, a := range Attacks() {
		if a.Check == "HOOK-GARBAGE" || a.Check == "HOOK-SEGMENTS" {
			continue // no tokens, most of them
		}
		for _, f := range build(t, a, material(t)) {
			claims := fields(t, part(t, f, 1))
			for _, name := range []string{"aud", "tenant"} {
				if fmt.Sprint(claims[name]) != fmt.Sprint(page[name]) {
					t.Errorf("%s, %s: %s is %v, want the page's %v", a.Check, f.Name, name, claims[name], page[name])
				}
			}
			for _, c := range f.Canaries {
				if !strings.Contains(fmt.Sprint(claims), c) && a.Check != "HOOK-DUPLICATE-CLAIMS" {
					t.Errorf("%s, %s: the canary %q is in no claim", a.Check, f.Name, c)
				}
			}
		}
	}
}

func TestCanariesAreUnique(t *testing.T) {
	seen := map[string]string{}
	for _, a := range Attacks() {
		for _, f := range build(t, a, material(t)) {
			for _, c := range f.Canaries {
				where := a.Check + ", " + f.Name
				if before, ok := seen[c]; ok && !(a.Check == "HOOK-TAMPERED" && strings.HasPrefix(c, "ktsub")) {
					t.Errorf("%q is in %s and in %s", c, before, where)
				}
				seen[c] = where
			}
		}
	}
}

func TestMissingMaterial(t *testing.T) {
	for _, row := range []struct {
		name, check string
		without     func(*Material)
		want        string
	}{
		{"no token", "HOOK-ALG-NONE", func(m *Material) { m.Token = "" }, "the page's token"},
		{"no public key", "HOOK-KEY-CONFUSION", func(m *Material) { m.Public = nil }, "the public key"},
		{"no private key", "HOOK-EXPIRED", func(m *Material) { m.Private = nil }, "the private key"},
		{"no attacker", "HOOK-WRONG-KEY", func(m *Material) { m.Attacker = nil }, "an attacker's key"},
		{"no listener", "HOOK-REMOTE-KEY", func(m *Material) { m.Listener = nil }, "a listener"},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := material(t)
			row.without(&m)
			_, err := For(row.check)[0].Build(m)
			var missing *MissingError
			if !errors.As(err, &missing) || !slices.Equal(missing.What, []string{row.want}) {
				t.Errorf("got %v, want a MissingError for %q", err, row.want)
			}
		})
	}
	t.Run("garbage needs nothing", func(t *testing.T) {
		if _, err := For("HOOK-GARBAGE")[0].Build(Material{Rand: rand.NewChaCha8([32]byte{})}); err != nil {
			t.Error(err)
		}
	})
}

func TestHostilePageTokens(t *testing.T) {
	for _, token := range []Secret{"x", "..", "a.b.c.d", "e30.bnVsbA.", "!.!.!", Secret(strings.Repeat("a", maxToken+1))} {
		m := material(t)
		m.Token = token
		_, err := For("HOOK-ALG-NONE")[0].Build(m)
		if err == nil || len(token) > 3 && strings.Contains(err.Error(), token.Reveal()) {
			t.Errorf("a token of %d bytes: %v; want an error that does not quote it", len(token), err)
		}
	}
}

func TestNothingPrintsTokens(t *testing.T) {
	m := material(t)
	f := build(t, For("HOOK-SCHEME")[0], m)[0]
	signature := m.Token.Reveal()[strings.LastIndex(m.Token.Reveal(), ".")+1:]
	encoded, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	var logged strings.Builder
	slog.New(slog.NewTextHandler(&logged, nil)).Info("forged", "token", f.Token, "forged", f, "material", m)
	printed := fmt.Sprintf("%v %+v %#v %s %q %x %v %+v %#v", f, f, f, f.Token, f.Token, f.Token, m, &m, m)
	for _, out := range []string{printed, string(encoded), logged.String(), m.Token.String()} {
		if strings.Contains(out, signature) || strings.Contains(out, m.Private.D.String()) {
			t.Errorf("a secret is printed: %.200s", out)
		}
	}
}

func TestATokenInTheOtherBase64IsForgedFromToo(t *testing.T) {
	m := material(t)
	parts := strings.Split(m.Token.Reveal(), ".")
	for i, p := range parts {
		data, err := base64.RawURLEncoding.DecodeString(p)
		if err != nil {
			t.Fatal(err)
		}
		parts[i] = base64.StdEncoding.EncodeToString(data)
	}
	m.Token = Secret(strings.Join(parts, "."))
	for _, check := range []string{"HOOK-WRONG-KEY", "HOOK-TAMPERED", "HOOK-SIGNATURE", "HOOK-SEGMENTS"} {
		for _, a := range For(check) {
			if tokens, err := a.Build(m); err != nil || len(tokens) == 0 {
				t.Errorf("%s, %s: %d tokens, %v", check, a.Name, len(tokens), err)
			}
		}
	}
}
