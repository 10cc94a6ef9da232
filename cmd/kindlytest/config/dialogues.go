package config

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
)

type dialogueSection struct {
	Slug          text    `yaml:"slug" doc:"Its name, for triggers, buttons and exchange_slug."`
	Phrases       texts   `yaml:"phrases" doc:"Messages that it is for."`
	Fallback      bool    `yaml:"fallback" doc:"It is for all messages that match no other."`
	Webhook       text    `yaml:"webhook" doc:"The name of a webhook that it calls."`
	Reply         text    `yaml:"reply"`
	ExchangeSlug  text    `yaml:"exchange_slug" doc:"The dialogue that comes next."`
	NewContext    data    `yaml:"new_context" doc:"Set in the chat's context."`
	Buttons       objects `yaml:"buttons" doc:"As in a webhook's answer."`
	ImageCarousel objects `yaml:"image_carousel" doc:"As in a webhook's answer."`
}

func (dialogueSection) keywords() object {
	return object{
		{"title", "a dialogue"},
		{"description", "Messages that the bot knows, and what it does about them: it calls a webhook, or answers itself."},
	}
}

// dialogue reads what kindlytest serve does about messages. It is complete in
// itself; what it says of webhooks and other dialogues is looked at by kindlytest
// serve, whose flags may name webhooks too: see Place.
func (d *document) dialogue(at path, s dialogueSection) mockkindly.Dialogue {
	out := mockkindly.Dialogue{Slug: string(s.Slug), Phrases: s.Phrases, Fallback: s.Fallback, Webhook: string(s.Webhook)}
	out.Answer = webhook.Answer{Reply: string(s.Reply), ExchangeSlug: string(s.ExchangeSlug), NewContext: s.NewContext.object()}
	out.Answer.Buttons = d.shaped(at, "buttons", s.Buttons).Buttons
	out.Answer.ImageCarousel = d.shaped(at, "image_carousel", s.ImageCarousel).ImageCarousel
	return out
}

// shaped reads a list by the rules by which Kindly reads it in an answer.
func (d *document) shaped(at path, name string, list objects) webhook.Answer {
	if list.any == nil {
		return webhook.Answer{}
	}
	text, err := json.Marshal(map[string]any{name: list.any})
	if err != nil {
		d.problem(at.to(name), "%s: %v", name, err)
		return webhook.Answer{}
	}
	answer, problems, err := webhook.ParseAnswer(text)
	if err != nil {
		d.problem(at.to(name), "%s: %v", name, err)
	}
	for _, p := range problems {
		if p.Level == rule.Must {
			d.problem(d.nearest(at, p.Path), "%s: expected %s, got %s", p.Path, p.Expected, p.Actual)
		}
	}
	return answer
}

// fieldPlace splits buttons[1].value.
var fieldPlace = regexp.MustCompile(`[^.\[\]]+`)

// nearest is the path of the innermost thing in the file that a place such as
// buttons[1].value leads to.
func (d *document) nearest(at path, place string) path {
	steps := fieldPlace.FindAllString(place, -1)
	for end := len(steps); end > 0; end-- {
		if n, _ := find(d.root, at.to(steps[:end]...)); n != nil {
			return at.to(steps[:end]...)
		}
	}
	return at
}

// Place is where in the file something stands, such as dialogues[1].webhook, or
// the innermost thing around it: "kindlytest.yaml:12:5"; "" if nothing is known.
func (c *Config) Place(field string) string {
	if c.source == nil || !strings.HasPrefix(field, "dialogues") {
		return ""
	}
	n, _ := find(c.source.root, c.source.nearest(nil, field))
	line, column := position(n)
	if line == 0 {
		return ""
	}
	return fmt.Sprintf("%s:%d:%d", c.source.file, line, column)
}

// MockWebhooks are the target's webhooks as the mock knows them.
func (c *Config) MockWebhooks() []mockkindly.Webhook {
	hooks := make([]mockkindly.Webhook, len(c.Target.Webhooks))
	for i, w := range c.Target.Webhooks {
		hooks[i] = mockkindly.Webhook{Name: w.Name, URL: w.URL, ConnectTo: w.ConnectTo, Secret: w.Secret}
	}
	return hooks
}
