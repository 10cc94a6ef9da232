package subject

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/oracle"
	"github.com/kindlytest/kindlytest/internal/recording"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
	"github.com/kindlytest/kindlytest/reports"
)

// A Said is a message as somebody has written it to the real Kindly, with the
// dialogue that it led to and what the chat had collected.
type Said struct {
	Number   int // of the delivery in its recording, from 1
	Message  string
	Slug     string
	Language string
	Source   webhook.Source
	Context  map[string]any
	Kept     bool // as it was written; a stand-in otherwise
}

// maxSaid bounds how many different messages are tried at each webhook.
const maxSaid = 12

// SaidIn are the messages of recorded deliveries that differ in what an answer may
// depend on: dialogue, language, source, what was collected, and the words if they
// were kept. The commonest come first.
func SaidIn(deliveries iter.Seq[recording.Delivery]) []Said {
	type kind struct {
		said  Said
		times int
	}
	kinds := map[string]*kind{}
	n := 0
	for d := range deliveries {
		n++
		s, ok := saidIn(d)
		if !ok {
			continue
		}
		s.Number = n
		key := s.key()
		if kinds[key] == nil {
			kinds[key] = &kind{said: s}
		}
		kinds[key].times++
	}
	all := slices.SortedFunc(maps.Values(kinds), func(a, b *kind) int {
		return cmp.Or(b.times-a.times, a.said.Number-b.said.Number)
	})
	var out []Said
	for _, k := range all[:min(len(all), maxSaid)] {
		out = append(out, k.said)
	}
	return out
}

func saidIn(d recording.Delivery) (Said, bool) {
	var body struct {
		Message  string         `json:"message"`
		Context  map[string]any `json:"context"`
		Source   webhook.Source `json:"source"`
		Exchange struct {
			Slug     string `json:"exchange_slug"`
			Language string `json:"language_code"`
		} `json:"exchange"`
	}
	// A member of another type is left out: the rest is worth trying.
	if _, err := webhook.Members(d.Request.Body); err != nil || d.Request.Method != "POST" {
		return Said{}, false
	}
	_ = json.Unmarshal(d.Request.Body, &body)
	s := Said{Message: body.Message, Slug: body.Exchange.Slug, Language: body.Exchange.Language, Source: body.Source, Context: body.Context, Kept: d.Kept}
	return s, s.Message != ""
}

func (s Said) key() string {
	key := []string{s.Slug, s.Language, string(s.Source), strings.Join(slices.Sorted(maps.Keys(s.Context)), ",")}
	if s.Kept {
		key = append(key, s.Message)
	}
	return strings.Join(key, "\x00")
}

// say puts what was said into a payload.
func (s *Said) say(p *webhook.Payload) {
	p.Message, p.Exchange.Slug = s.Message, s.Slug
	p.Exchange.LanguageCode, p.Source = cmp.Or(s.Language, p.Exchange.LanguageCode), cmp.Or(s.Source, p.Source)
}

// chooseMessage tries the recorded messages as a stranger and as a member, and keeps
// the one to which the answers differ most: by that it shows best who is believed.
// What the target itself names stays.
func (h *Webhook) chooseMessage(ctx context.Context) error {
	all := h.Session.Options.Said
	if len(all) == 0 || h.Config.Message != "" || h.Config.Slug != "" || h.Config.Context != nil {
		return nil
	}
	p, err := h.Witness(ctx)
	if err != nil {
		h.say(all[0], "the commonest of %d", len(all)) // nothing tells them apart
		return nil
	}
	best, most := 0, -1
	for i := range all {
		h.said = &all[i]
		distance, err := h.distance(ctx, p)
		if err != nil {
			return err
		}
		if distance > most {
			best, most = i, distance
		}
	}
	if most == 0 {
		h.say(all[best], "the commonest of %d: to none of them are members answered otherwise than strangers", len(all))
		return nil
	}
	h.say(all[best], "of %d the one to which members and strangers are answered most differently", len(all))
	return nil
}

func (h *Webhook) say(s Said, format string, args ...any) {
	h.said = &s
	dialogue := ""
	if s.Slug != "" {
		dialogue = fmt.Sprintf(" (dialogue %s)", s.Slug)
	}
	h.Session.Note(reports.Informed, "%s is judged by recorded message %d%s, %s.", h.Name(), s.Number, dialogue, fmt.Sprintf(format, args...))
}

// distance is how much the answers to what is said now differ; -1 where a member's
// is none that is good.
func (h *Webhook) distance(ctx context.Context, p ChatToken) (int, error) {
	member, err := h.sample(ctx, "a recorded message, with a valid token", Call{ChatID: p.ChatID, Token: p.Raw})
	if err != nil {
		return 0, err
	}
	if !h.Acceptable(member[0]) {
		return -1, nil
	}
	stranger, err := h.sample(ctx, "a recorded message, without a token", Call{})
	if err != nil {
		return 0, err
	}
	o, err := oracle.Learn(oracle.Controls{Valid: exchanges(member), Anonymous: exchanges(stranger)}, oracle.Options{Markers: MarkersOf(p.Result.Token)})
	if err != nil {
		return -1, nil // one got no answer: another message may do better
	}
	return o.Distance(), nil
}
