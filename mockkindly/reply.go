package mockkindly

import (
	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
)

// A Reply is one of the answers to a message: a webhook's, or a dialogue's own.
// One of the two is set. Its JSON form is for the page, which may be anybody's:
// it does not tell where the webhook is, nor what exactly went wrong on the way.
type Reply struct {
	Delivery *Delivery
	Dialogue *DialogueReport
}

// MarshalJSON hides in a webhook's reply what was sent to it, and what it may
// have learnt.
func (r Reply) MarshalJSON() ([]byte, error) {
	if r.Delivery == nil {
		return redact.JSON(r.Dialogue)
	}
	return r.Delivery.marshal(r.Delivery.widgetReply())
}

// answer is what the reply says.
func (r Reply) answer() webhook.Answer {
	if r.Delivery != nil {
		return r.Delivery.Answer
	}
	return r.Dialogue.Answer
}
