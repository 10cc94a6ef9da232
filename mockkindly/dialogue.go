package mockkindly

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/cases"

	"github.com/kindlytest/kindlytest/internal/clip"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
)

// Bounds of dialogues.
const (
	maxDialogues = 1000
	maxPhrases   = 100
	maxPhrase    = 1024 // bytes
	maxHops      = 5    // dialogues that one message can lead through
)

// A Dialogue is what the bot does about some messages. It answers by itself, or
// by a webhook, or both.
type Dialogue struct {
	// Slug names it, for buttons, triggers and exchange_slug.
	Slug string
	// Phrases are messages that it is for. How Kindly compares a message with
	// them is its own; here letter case, punctuation and spaces don't count, and
	// a message that holds the phrase among other words matches too (assumed).
	Phrases []string
	// Fallback makes it the dialogue of all messages that match no other.
	Fallback bool

	// Webhook is the name of one of the bot's; empty means none.
	Webhook string
	// Answer is what the bot says itself: as if a webhook had answered so.
	Answer webhook.Answer
}

// label is how the journal calls a dialogue.
func (d Dialogue) label() string {
	switch {
	case d.Slug != "":
		return d.Slug
	case d.Fallback:
		return "fallback"
	case len(d.Phrases) > 0:
		return d.Phrases[0]
	}
	return ""
}

// hasAnswer tells whether the dialogue says or does something by itself.
func (d Dialogue) hasAnswer() bool {
	a := d.Answer
	return a.Reply != "" || a.ExchangeSlug != "" || len(a.NewContext)+len(a.Buttons)+len(a.ImageCarousel) > 0
}

// A DialogueReport says which dialogue a message led to.
type DialogueReport struct {
	Slug           string    `json:"slug"` // its slug, or how it is called without one
	By             MatchedBy `json:"by"`   // why this one
	Phrase         string    `json:"phrase,omitempty"`
	Webhook        string    `json:"calls,omitempty"`
	webhook.Answer           // what it says itself
	Bubbles        []string  `json:"bubbles,omitempty"` // its reply as the visitor sees it
}

// MatchedBy says why a dialogue was taken.
type MatchedBy string

const (
	ByPhrase       MatchedBy = "phrase"
	BySlug         MatchedBy = "slug"          // the message was its slug, or triggered it
	ByExchangeSlug MatchedBy = "exchange_slug" // an answer led to it
	ByFallback     MatchedBy = "fallback"
	ByNothing      MatchedBy = "none" // no dialogue was found
	ByLoop         MatchedBy = "loop" // too many dialogues led to each other: it was not taken
)

func validateDialogues(ds []Dialogue, hooks []Webhook) error {
	if len(ds) > maxDialogues {
		return inputErrorf("dialogues", "more than %d", maxDialogues)
	}
	slugs, fallback := map[string]bool{}, false
	for i, d := range ds {
		field := fmt.Sprintf("dialogues[%d]", i)
		if err := d.validate(field, hooks); err != nil {
			return err
		}
		if d.Slug != "" && slugs[d.Slug] {
			return inputErrorf(field+".slug", "two dialogues are called %q", d.Slug)
		}
		if d.Fallback && fallback {
			return inputErrorf(field+".fallback", "there is a fallback already")
		}
		slugs[d.Slug], fallback = true, fallback || d.Fallback
	}
	for i, d := range ds {
		if to := d.Answer.ExchangeSlug; to != "" && !slugs[to] {
			return inputErrorf(fmt.Sprintf("dialogues[%d].exchange_slug", i), "no dialogue is called %q", clip.Text(to, 64))
		}
	}
	return nil
}

func (d Dialogue) validate(field string, hooks []Webhook) error {
	switch {
	case len(d.Slug) > maxName:
		return inputErrorf(field+".slug", "longer than %d bytes", maxName)
	case d.Slug == "" && len(d.Phrases) == 0 && !d.Fallback:
		return inputErrorf(field, "nothing leads to it; give it phrases, a slug, or fallback: true")
	case len(d.Phrases) > maxPhrases:
		return inputErrorf(field+".phrases", "more than %d", maxPhrases)
	case d.Webhook == "" && !d.hasAnswer():
		return inputErrorf(field, "it does nothing; give it a reply or a webhook")
	}
	for i, p := range d.Phrases {
		if len(p) > maxPhrase {
			return inputErrorf(fmt.Sprintf("%s.phrases[%d]", field, i), "longer than %d bytes", maxPhrase)
		}
		if plain(p) == "" {
			return inputErrorf(fmt.Sprintf("%s.phrases[%d]", field, i), "it has no letter or digit")
		}
	}
	if d.Webhook == "" {
		return nil
	}
	if _, ok := hookNamed(hooks, d.Webhook); !ok {
		return inputErrorf(field+".webhook", "the bot has no webhook called %q", clip.Text(d.Webhook, 64))
	}
	return nil
}

func hookNamed(hooks []Webhook, name string) (Webhook, bool) {
	for _, h := range hooks {
		if h.label() == name {
			return h, true
		}
	}
	return Webhook{}, false
}

// plain is a text by which messages are compared: its words in one case, one
// space apart.
func plain(s string) string {
	words := strings.FieldsFunc(cases.Fold().String(s), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	})
	return strings.Join(words, " ")
}

// match finds the dialogue for a message: by the slug that triggers it, by a
// slug or phrase that is the whole message, by the longest phrase within it;
// else the fallback.
func (b Bot) match(m Message) (Dialogue, DialogueReport) {
	if m.Slug != "" {
		if d, ok := b.dialogue(m.Slug); ok {
			return d, d.report(BySlug)
		}
		return b.otherwise(m.Slug)
	}
	if d, ok := b.dialogue(strings.TrimSpace(m.Text)); ok {
		return d, d.report(BySlug)
	}
	text := " " + plain(m.Text) + " "
	best, found, length := DialogueReport{}, -1, 0
	for i, d := range b.Dialogues {
		for _, phrase := range d.Phrases {
			p := " " + plain(phrase) + " "
			if len(p) > length && strings.Contains(text, p) {
				found, length, best = i, len(p), d.report(ByPhrase)
				best.Phrase = phrase
			}
		}
	}
	if found >= 0 {
		return b.Dialogues[found], best
	}
	return b.otherwise("")
}

// dialogue returns the one with a slug.
func (b Bot) dialogue(slug string) (Dialogue, bool) {
	for _, d := range b.Dialogues {
		if d.Slug == slug && slug != "" {
			return d, true
		}
	}
	return Dialogue{}, false
}

// otherwise is the fallback, if there is one.
func (b Bot) otherwise(slug string) (Dialogue, DialogueReport) {
	for _, d := range b.Dialogues {
		if d.Fallback {
			return d, d.report(ByFallback)
		}
	}
	return Dialogue{}, DialogueReport{Slug: clip.Text(slug, maxName), By: ByNothing}
}

func (d Dialogue) report(by MatchedBy) DialogueReport {
	return DialogueReport{Slug: d.label(), By: by, Webhook: d.Webhook, Answer: d.Answer, Bubbles: bubbles(d.Answer.Reply)}
}
