// Package forge makes the tokens and bodies that a sound customer must refuse:
// tokens with a missing, old or foreign signature, tokens that the customer's
// own key signed over odd claims, and bodies that are no request. All of it is
// data. Nothing here sends anything, and nothing judges an answer.
//
//	m := forge.Material{Token: forge.Secret(raw), ChatID: chatID, Now: time.Now(),
//		Rand: rand.Reader, Attacker: forge.NewAttacker()}
//	for _, attack := range forge.For("HOOK-ALG-NONE") {
//		tokens, err := attack.Build(m)
//		if errors.As(err, &missing) { … } // say what was not tried
//		for _, f := range tokens {
//			request, err := f.Apply(valid) // the valid request, with this token
//		}
//	}
//
// How forged tokens are made, so that a refusal means something: they keep the
// page's sub, iss, aud and every other claim, are fresh, and are for the right
// chat, so that nothing but the one fault speaks against them. Only the name is
// changed, to a canary: a canary in an answer proves that the token was believed.
// (sub, email and user names are kept, since a webhook that looks the user up would
// turn an unknown one away without looking at the signature.)
package forge

import (
	"crypto/rsa"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"
)

// Material is what attacks are made from.
type Material struct {
	Token     Secret          // the page's valid token
	Public    *rsa.PublicKey  // the key that is uploaded to Kindly
	PublicPEM []byte          // the same as it was uploaded, byte for byte
	Private   *rsa.PrivateKey // nil: attacks that need it are not built
	ChatID    string          // of the request that the token will go with
	As        TokenMistake    // by which the webhook expects tokens otherwise; the zero value: by none
	// NumericSub says that the customer's own tokens, as they are signed, have a number
	// for a sub: their webhooks have to take one.
	NumericSub bool
	Now        time.Time
	Rand       io.Reader
	Attacker   *Attacker // the key of whoever forges; one for the whole run
	// Listener returns the base URL of a local server that serves
	// Attacker.Documents: a new one at each call, so that it is known which token
	// made somebody fetch.
	Listener func() string
	// Canary returns a new unique marker of a kind: "sub", "name", "email".
	// Nil means Canaries(Rand).
	Canary func(kind string) string
}

// Format keeps the token and the key out of whatever prints a Material.
func (m Material) Format(w fmt.State, _ rune) { io.WriteString(w, "forge.Material for chat "+m.ChatID) }

// A Need is one thing that an attack cannot be built without.
type Need uint

const (
	NeedToken    Need = 1 << iota // Material.Token
	NeedPublic                    // Material.Public
	NeedPrivate                   // Material.Private
	NeedAttacker                  // Material.Attacker
	NeedListener                  // Material.Listener
)

var needNames = []struct {
	need  Need
	name  string
	given func(Material) bool
}{
	{NeedToken, "the page's token", func(m Material) bool { return m.Token != "" }},
	{NeedPublic, "the public key", func(m Material) bool { return m.Public != nil }},
	{NeedPrivate, "the private key", func(m Material) bool { return m.Private != nil }},
	{NeedAttacker, "an attacker's key", func(m Material) bool { return m.Attacker != nil }},
	{NeedListener, "a listener", func(m Material) bool { return m.Listener != nil }},
}

// MissingError says what an attack lacks. The attack was not built, so its
// check must not pass in silence.
type MissingError struct {
	Check string
	What  []string // in words: "the public key"
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("forging for %s: %s is missing", e.Check, strings.Join(e.What, ", "))
}

// A Want is what a sound webhook does with a forged token.
type Want string

const (
	// Refused: it must not be believed. The rule; the others are exceptions.
	Refused Want = ""
	// Accepted: it must be believed, like the page's own token.
	Accepted Want = "accepted"
	// Silent: it may be believed, but no canary may show in the answer,
	// however escaped.
	Silent Want = "silent"
	// Escaped: it may be believed, but no canary may show verbatim in the
	// answer's decoded text.
	Escaped Want = "escaped"
	// Baseline: it is sent to compare with. Where its canary shows in the
	// answer, the attack's Silent tokens prove nothing.
	Baseline Want = "baseline"
	// Anything: there is no right answer, only something to report.
	Anything Want = "anything"
	// Genuine: it is refused, and must not break anything. Belief in it is no
	// more than a note: it is the shop's own token, with something behind it.
	Genuine Want = "genuine"
)

// A Grade says how bad it is when a forged token gets what it should not.
type Grade string

const (
	Full    Grade = ""        // as bad as the check's level says
	Warning Grade = "warning" // a warning, whatever the level
	Note    Grade = "note"    // worth a remark
)

// A Forged is one token to try.
type Forged struct {
	Name       string // unique within its check: "alg None, old signature"
	Token      Secret
	Carriage   Carriage // how it travels; the zero value is Authorization: Bearer
	Canaries   []string // markers that only this token carries
	Want       Want
	Grade      Grade
	OmitChatID bool   // send it in a request without chat_id
	Listener   string // the base URL that it names; "" if none
}

// An Attack is one idea of how a token could be forged.
type Attack struct {
	Check  string // "HOOK-ALG-NONE"
	Name   string
	Why    string // one sentence: what goes wrong where it works
	Source string // the standard or advisory that describes it
	Needs  Need
	// NeedsKey: its tokens are signed with the customer's own private key.
	NeedsKey bool

	build func(*bench)
}

// Attacks returns all attacks, in the order in which a report reads well.
func Attacks() []Attack {
	return slices.Concat(signatureAttacks(), algorithmAttacks(), keyAttacks(), kidAttacks(),
		shapeAttacks(), carriageAttacks(), timeAttacks(), claimAttacks(), mintedHeaderAttacks())
}

// For returns the attacks of one check.
func For(check string) []Attack {
	return slices.DeleteFunc(Attacks(), func(a Attack) bool { return a.Check != check })
}

// Build makes the attack's tokens. It fails with a *MissingError where m lacks
// what the attack needs, and where the page's token cannot be read.
func (a Attack) Build(m Material) ([]Forged, error) { return a.BuildSome(m, 0, math.MaxInt) }

// BuildSome makes those of the attack's tokens that stand at first and after it, n at
// most: who needs a few does not wait for the others' signatures, a millisecond each.
func (a Attack) BuildSome(m Material, first, n int) ([]Forged, error) {
	missing := &MissingError{Check: a.Check}
	for _, n := range needNames {
		if a.Needs&n.need != 0 && !n.given(m) {
			missing.What = append(missing.What, n.name)
		}
	}
	if missing.What != nil {
		return nil, missing
	}
	b, err := newBench(m)
	if err != nil {
		return nil, fmt.Errorf("forging for %s: %w", a.Check, err)
	}
	b.first, b.n = first, n
	a.build(b)
	if b.err != nil {
		return nil, fmt.Errorf("forging for %s: %w", a.Check, b.err)
	}
	some := b.out[min(first, len(b.out)):]
	return some[:min(n, len(some))], nil
}
