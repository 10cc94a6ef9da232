package config

import (
	"encoding/json"

	"github.com/goccy/go-yaml/ast"

	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
)

// dialogues reads what kindlytest serve does about messages. Each is complete in
// itself; what one says of webhooks and other dialogues is looked at by
// kindlytest serve, whose flags may name webhooks too.
func (d *decoder) dialogues(n ast.Node) {
	for _, item := range d.items(n, "dialogues", false) {
		var dialogue mockkindly.Dialogue
		a := &dialogue.Answer
		d.mapping(item, "a dialogue",
			field{"slug", d.text(&dialogue.Slug, "slug")},
			field{"phrases", d.texts(&dialogue.Phrases, "phrases")},
			field{"fallback", d.boolean(&dialogue.Fallback, "fallback")},
			field{"webhook", d.text(&dialogue.Webhook, "webhook")},
			field{"reply", d.text(&a.Reply, "reply")},
			field{"exchange_slug", d.text(&a.ExchangeSlug, "exchange_slug")},
			field{"new_context", func(n ast.Node) { a.NewContext = d.object(n, "new_context") }},
			field{"buttons", func(n ast.Node) { d.shaped(n, "buttons", &a.Buttons) }},
			field{"image_carousel", func(n ast.Node) { d.shaped(n, "image_carousel", &a.ImageCarousel) }},
		)
		d.config.Dialogues = append(d.config.Dialogues, dialogue)
	}
}

// shaped reads a list by the rules by which Kindly reads it in an answer.
func (d *decoder) shaped(n ast.Node, name string, into any) {
	list := []any{}
	for _, item := range d.items(n, name, false) {
		list = append(list, d.object(item, name))
	}
	text, err := json.Marshal(map[string]any{name: list})
	if err != nil {
		d.problem(n, "%s: %v", name, err)
		return
	}
	answer, problems, err := webhook.ParseAnswer(text)
	if err != nil {
		d.problem(n, "%s: %v", name, err)
	}
	for _, p := range problems {
		if p.Level == rule.Must {
			d.problem(n, "%s: expected %s, got %s", p.Path, p.Expected, p.Actual)
		}
	}
	switch into := into.(type) {
	case *[]webhook.Button:
		*into = answer.Buttons
	case *[]webhook.Image:
		*into = answer.ImageCarousel
	}
}

// MockWebhooks are the target's webhooks as the mock knows them.
func (c *Config) MockWebhooks() []mockkindly.Webhook {
	hooks := make([]mockkindly.Webhook, len(c.Target.Webhooks))
	for i, w := range c.Target.Webhooks {
		hooks[i] = mockkindly.Webhook{Name: w.Name, URL: w.URL, ConnectTo: w.ConnectTo, Secret: w.Secret}
	}
	return hooks
}
