package webhook

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
)

// An Answer is what Kindly reads of a webhook's answer. Members of a wrong type
// are left out. Numbers within NewContext and AIReply are json.Number.
type Answer struct {
	Reply         string         `json:"reply,omitempty"` // simple HTML; "\n\n" separates bubbles
	ExchangeSlug  string         `json:"exchange_slug,omitempty"`
	NewContext    map[string]any `json:"new_context,omitempty"` // merged into the chat's context
	Buttons       []Button       `json:"buttons,omitempty"`
	ImageCarousel []Image        `json:"image_carousel,omitempty"`
	AIReply       *AIReply       `json:"aiReply,omitempty"`
}

// A Button is shown below the reply.
type Button struct {
	Type  string `json:"button_type"` // see ButtonTypes
	Label string `json:"label"`
	Value string `json:"value,omitempty"`
}

// An Image is one slide of a carousel.
type Image struct {
	ImageURL    string `json:"imageUrl"`
	Title       string `json:"title,omitempty"`
	AltText     string `json:"altText,omitempty"`
	Description string `json:"description,omitempty"`
	LinkURL     string `json:"linkUrl,omitempty"`
	NewTab      bool   `json:"newTab,omitempty"`
}

// AIReply is data from which Kindly's model writes the reply.
//
// Source: https://docs.kindly.ai/smart-webhooks
type AIReply struct {
	Data any `json:"data"`
}

// Button types that Kindly is seen to use.
const (
	ButtonLink             = "link"
	ButtonQuickReply       = "quick_reply"
	ButtonDialogueTrigger  = "dialogue_trigger"
	ButtonEmail            = "email"
	ButtonPhone            = "phone"
	ButtonAbortFollowup    = "abort_followup"
	ButtonTakeoverRequest  = "takeover_request"
	ButtonUploadAttachment = "upload_attachment"
)

// ButtonTypes returns the known types. There may be others.
func ButtonTypes() []string {
	return []string{ButtonLink, ButtonQuickReply, ButtonDialogueTrigger, ButtonEmail, ButtonPhone,
		ButtonAbortFollowup, ButtonTakeoverRequest, ButtonUploadAttachment}
}

// needsValue are the types of button that do nothing without a value.
var needsValue = []string{ButtonLink, ButtonDialogueTrigger, ButtonEmail, ButtonPhone}

// ParseAnswer reads the body of an answer, and judges it by what Kindly
// documents: types of fields, look-alike names, emptiness. The error says that
// the body is no JSON object; the same is then a problem too. At most 50
// problems of each level are told. Nothing quotes a value of the body.
//
// Source: https://docs.kindly.ai/webhooks
func ParseAnswer(body []byte) (Answer, []Problem, error) {
	j := &judge{}
	o, ok := j.object(body)
	if !ok {
		last := j.problems[len(j.problems)-1]
		return Answer{}, j.problems, fmt.Errorf("the webhook's answer is no JSON object but %s", last.Actual)
	}
	a := j.answer(o)
	j.lookAlikes(o, answerFields)
	j.emptiness(o)
	return a, j.problems, nil
}

// A judge collects problems.
type judge struct {
	problems []Problem
	count    map[rule.Level]int
}

const maxProblems = 50 // of a level, so that many notes hide no failure

// add fills in what the rule says and keeps the problem.
func (j *judge) add(p Problem) {
	if p.Level == "" {
		p.Level = p.Rule.Level
	}
	if p.Fix == "" {
		p.Fix = p.Rule.Fix
	}
	if j.count == nil {
		j.count = map[rule.Level]int{}
	}
	if j.count[p.Level] < maxProblems {
		j.problems = append(j.problems, p)
	}
	j.count[p.Level]++
}

func (j *judge) answer(o object) Answer {
	var a Answer
	a.Reply, _ = member[string](j, o, "reply")
	a.ExchangeSlug, _ = member[string](j, o, "exchange_slug")
	a.NewContext, _ = member[map[string]any](j, o, "new_context")
	for _, b := range j.objects(o, "buttons") {
		a.Buttons = append(a.Buttons, j.button(b))
	}
	for _, i := range j.objects(o, "image_carousel") {
		a.ImageCarousel = append(a.ImageCarousel, j.image(i))
	}
	if ai, ok := member[map[string]any](j, o, "aiReply"); ok {
		a.AIReply = j.aiReply(object{path: "aiReply", members: ai})
	}
	return a
}

func (j *judge) button(o object) Button {
	var b Button
	j.lookAlikes(o, buttonFields)
	b.Type, _ = required[string](j, o, buttonFields, "button_type", rule.Must)
	b.Label, _ = required[string](j, o, buttonFields, "label", rule.Must)
	switch {
	case slices.Contains(needsValue, b.Type):
		b.Value, _ = required[string](j, o, buttonFields, "value", rule.Must)
	case b.Type == ButtonQuickReply:
		b.Value, _ = required[string](j, o, buttonFields, "value", rule.Should) // the label may do
	default:
		b.Value, _ = member[string](j, o, "value")
	}
	if b.Type != "" && !slices.Contains(ButtonTypes(), b.Type) {
		j.add(Problem{Rule: RespFields, Level: rule.Info, Path: o.at("button_type"),
			Expected: "a type that Kindly is seen to use", Actual: "another" + quoteName(b.Type),
			Fix: "Try the button in Kindly: the documentation's list of types may not be whole."})
	}
	return b
}

func (j *judge) image(o object) Image {
	var i Image
	j.lookAlikes(o, imageFields)
	i.ImageURL, _ = required[string](j, o, imageFields, "imageUrl", rule.Must)
	i.Title, _ = required[string](j, o, imageFields, "title", rule.Should)
	i.AltText, _ = required[string](j, o, imageFields, "altText", rule.Should)
	i.Description, _ = member[string](j, o, "description")
	i.LinkURL, _ = member[string](j, o, "linkUrl")
	i.NewTab, _ = member[bool](j, o, "newTab")
	return i
}

func (j *judge) aiReply(o object) *AIReply {
	data, ok := o.members["data"] // anything, null too
	if !ok {
		j.add(Problem{Rule: RespFields, Path: o.at("data"), Expected: "any value", Actual: "no such member",
			Fix: "Put what the model should know into aiReply.data."})
	}
	return &AIReply{Data: data}
}

// harmlessName is a name that can be shown: it holds no value.
var harmlessName = regexp.MustCompile(`^[A-Za-z_]\w{0,23}$`)

// emptiness notes an answer without any field that Kindly reads. {} is
// documented as accepted; anything else was probably meant to say something.
func (j *judge) emptiness(o object) {
	for _, f := range answerFields {
		if o.members[f.name] != nil {
			return
		}
	}
	p := Problem{Rule: RespEmpty, Expected: "a field that Kindly reads", Actual: "{}, which Kindly accepts and which says nothing"}
	if len(o.members) == 0 {
		p.Level = rule.Info
	} else {
		p.Actual = "none"
		names := slices.DeleteFunc(slices.Sorted(maps.Keys(o.members)), func(name string) bool { return !harmlessName.MatchString(name) })
		if len(names) > 0 {
			p.Actual += ": it has " + strings.Join(names[:min(4, len(names))], ", ")
		}
	}
	j.add(p)
}
