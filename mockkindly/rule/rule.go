// Package rule is the vocabulary in which requirements are written: an ID that
// never changes its meaning, a level, and how sure we are that Kindly does it.
//
// A requirement is written once, as one literal, where it is enforced:
//
//	var TokAlg = rule.Rule{
//		ID: "TOK-ALG", Level: rule.Must, Fidelity: rule.Documented, Code: "mint",
//		Text:   "The header's alg is exactly RS256.",
//		Source: rule.ChatAuthentication,
//		Fix:    "Sign with RS256.",
//	}
package rule

import "strings"

// Level says what a violation means for the run.
type Level string

const (
	Must   Level = "MUST"   // fails the run
	Should Level = "SHOULD" // warns; fails under --strict
	Info   Level = "INFO"   // reports only
)

// Fidelity says how we know that Kindly behaves so. Users need it to tell
// "Kindly will refuse this" from "we think that Kindly might".
type Fidelity string

const (
	Documented Fidelity = "documented" // stated in Kindly's documentation
	Observed   Fidelity = "observed"   // seen in code that Kindly publishes; may change
	Assumed    Fidelity = "assumed"    // nobody says; our choice
)

// Pages of Kindly's documentation, and standards, that rules cite.
const (
	ChatAuthentication = "https://docs.kindly.ai/guides-and-examples/chat-authentication"
	Webhooks           = "https://docs.kindly.ai/webhooks"
	HMAC               = "https://docs.kindly.ai/hmac"
	ChatClient         = "https://docs.kindly.ai/api/chat"
	RFC7515            = "https://www.rfc-editor.org/rfc/rfc7515"
	RFC7519            = "https://www.rfc-editor.org/rfc/rfc7519"
	RFC8725            = "https://www.rfc-editor.org/rfc/rfc8725"
)

// A Rule is one requirement.
type Rule struct {
	ID       string   // "TOK-ALG"; stable, never reused
	Level    Level    // what a violation means
	Fidelity Fidelity // how we know
	Text     string   // the sentence that a failure quotes
	Source   string   // a URL
	Fix      string   // what to change, in one or two sentences
	// Broken is the sentence of a report where the requirement does not hold:
	// Text says what is right, and reads like praise in red.
	Broken string
	// Why is what can happen then.
	Why string
	// Kindly is what is known of Kindly here, where that is not what holds for all of its area.
	Kindly string
	// Code names the region of internal/advice/samples that closes it; NoCode where none does.
	Code string
	// Refused says of a token's rule how we know that Kindly refuses a token
	// that breaks it. Empty: Kindly takes it, and it is unsafe or shown wrongly.
	Refused Fidelity
}

// NoCode is the Code of what is about a server's certificate, its speed or its framework, or
// where nothing is to be done.
const NoCode = "none"

// Area is the part of the ID before the first hyphen: "TOK".
func (r Rule) Area() string {
	area, _, _ := strings.Cut(r.ID, "-")
	return area
}
