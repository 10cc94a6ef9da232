package webhook

import (
	"fmt"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
)

// The rules that judge an answer's body.
var (
	RespJSON = rule.Rule{
		ID: "RESP-JSON", Level: rule.Must, Fidelity: rule.Documented, Code: "webhook",
		Broken: "Kindly can't read the webhook's answer: it is no JSON object.",
		Why:    "Text, HTML or a list holds no reply that could be shown: the user gets nothing, however right the answer is.",
		Kindly: "It wants a JSON object; {} is accepted.",
		Text:   "The body is a JSON object; application/json is a warning.",
		Source: rule.Webhooks,
		Fix:    "Answer with a JSON object, {} at least, as application/json.",
	}
	RespFields = rule.Rule{
		ID: "RESP-FIELDS", Level: rule.Must, Fidelity: rule.Documented, Code: "webhook",
		Broken: "A field of the webhook's answer has the wrong type.",
		Why:    "A number where a text should be, or one button instead of a list, is dropped at best. The user misses just that part.",
		Text:   "The fields that Kindly reads have the types it documents.",
		Source: rule.Webhooks,
		Fix:    "Give the field the documented type, or leave it out.",
	}
	RespFieldNames = rule.Rule{
		ID: "RESP-FIELD-NAMES", Level: rule.Should, Fidelity: rule.Assumed, Code: "webhook",
		Broken: "The webhook's answer uses a name that Kindly ignores.",
		Why:    "A misspelt field is no error: it is ignored. The button that you see in your code is never shown.",
		Text:   "No field is a look-alike that Kindly ignores.",
		Source: rule.Webhooks,
		Fix:    "Rename the field to the documented one.",
	}
	RespEmpty = rule.Rule{
		ID: "RESP-EMPTY", Level: rule.Should, Fidelity: rule.Documented, Code: "webhook",
		Broken: "The webhook's answer says nothing to the user.",
		Why:    "The user asked something, your code ran, and nothing is said. Nobody can tell that from an outage.",
		Text:   "It says something: a body without any field that Kindly reads is noted.",
		Source: rule.Webhooks,
		Fix:    "Answer with reply, exchange_slug, new_context, buttons, image_carousel or aiReply.",
	}
)

// Rules returns the rules that judge an answer's body.
func Rules() []rule.Rule { return []rule.Rule{RespJSON, RespFields, RespFieldNames, RespEmpty} }

// A Problem is one rule that an answer does not keep. It quotes no value of
// the answer: a webhook may well echo the token.
type Problem struct {
	Rule     rule.Rule
	Level    rule.Level // may be milder than the rule's
	Path     string     // "buttons[1].value"; empty: the whole body
	Expected string
	Actual   string
	Fix      string
}

// String is one line for people.
func (p Problem) String() string {
	path := p.Path
	if path == "" {
		path = "the body"
	}
	return fmt.Sprintf("%s %s: %s: expected %s, got %s", p.Rule.ID, p.Level, path, p.Expected, p.Actual)
}
