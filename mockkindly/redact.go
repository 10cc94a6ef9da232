package mockkindly

import "github.com/kindlytest/kindlytest/internal/redact"

// learn makes the credentials of webhooks secret: a visitor or another webhook
// may repeat them.
func (k *Kindly) learn(hooks ...Webhook) {
	for _, w := range hooks {
		w.teach(k.redact)
	}
}

func (w Webhook) teach(r *redact.Redactor) {
	r.Learn(w.Secret)
	r.Learn(redact.URLSecrets(w.URL)...)
	r.Learn(redact.URLSecrets(w.ConnectTo)...)
}

// withoutSecrets is e without what is known to be secret, and with the means to
// leave out what will be known when it is written.
func (k *Kindly) withoutSecrets(e Event) Event {
	e.redact = k.redact
	switch {
	case e.Message != nil:
		m := *e.Message
		m.Text, m.Slug = k.redact.Known(m.Text), k.redact.Known(m.Slug)
		e.Message = &m
	case e.Callback != nil:
		c := *e.Callback
		c.Error = k.redact.Known(c.Error)
		e.Callback = &c
	case e.Delivery != nil: // its exchange is as on the wire
		e.Delivery.redact = k.redact
	}
	return e
}

// shownBody is the body of a message without credentials. cut says that it is
// the beginning of a longer one.
func (d Delivery) shownBody(body []byte) []byte {
	return d.redact.Raw(body, d.Truncated && len(body) >= maxJournalBody)
}
