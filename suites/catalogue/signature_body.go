package catalogue

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/forge"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
	"github.com/kindlytest/kindlytest/suites/subject"
)

var sigBody = signed(func(ctx context.Context, h *subject.Webhook, st subject.Standing, c subject.Call) subject.Verdict {
	var ways []alteration
	for _, change := range bodyChanges {
		ways = append(ways, alteration{change.what, func(r *wire.Request) { r.Body = change.of(r.Body) }})
	}
	return altered(ctx, h, st, rule.Must, c, ways...)
})

// bodyChanges are changes of a signed body: of its meaning, and of bytes only.
var bodyChanges = []struct {
	what string
	of   func([]byte) []byte
}{

	{"a member added after signing", func(b []byte) []byte {
		changed, err := forge.With(b, "kindlytest", []byte("1"))
		if err != nil {
			return append(b, ' ')
		}
		return changed
	}},
	{"a line end added after signing", func(b []byte) []byte { return append(b, '\n') }},
}

var sigRawBody = signed(func(ctx context.Context, h *subject.Webhook, st subject.Standing, c subject.Call) subject.Verdict {
	some, err := h.RefusesSome(ctx)
	switch {
	case err != nil:
		return subject.CouldNotRun(err)
	case some && st.Signature == nil:
		return subject.Missing("some bodies are refused however they are spelled (see SIG-VALID)")
	}
	c.Payload = func(p *webhook.Payload) { p.Context = withNote(p.Context) }
	var spellings []forge.Spelling
	var attempts []subject.Attempt
	for i := 0; i == 0 || i < len(spellings); i++ {
		c, err := h.Another(ctx, st, c)
		if err != nil {
			return subject.CouldNotRun(err)
		}
		r, err := h.Request(c) // each another message: one that comes twice may be answered once
		if err != nil {
			return subject.CouldNotRun(err)
		}
		if spellings, err = forge.RawJSON(r.Body); err != nil {
			return subject.CouldNotRun(err)
		}
		spellings = append([]forge.Spelling{{Name: "letters beyond ASCII", Bytes: r.Body}}, spellings...)
		r.Body = spellings[i].Bytes
		h.Sign(&r)
		attempts = append(attempts, subject.Attempt{Title: spellings[i].Name, Request: r})
	}
	for _, note := range unusualNotes {
		c, err := h.ControlCall(ctx, st) // with a token that is still good
		if err != nil {
			return subject.CouldNotRun(err)
		}
		c.Payload = func(p *webhook.Payload) { p.Context = withNote(p.Context); p.Context["note"] = note.text }
		r, err := h.Request(c)
		if err != nil {
			return subject.CouldNotRun(err)
		}
		attempts = append(attempts, subject.Attempt{Title: note.what, Request: r})
	}
	answers := h.Session.DoAll(ctx, attempts)
	var refused []subject.Evidence
	var names []string
	for i, ev := range answers[:len(spellings)] {
		if !h.AcceptableStatus(ev) {
			refused, names = append(refused, ev), append(names, spellings[i].Name)
		}
	}
	spelled := len(refused)
	for i, ev := range answers[len(spellings):] {
		if st := ev.Exchange.Status(); st == http.StatusUnauthorized || st == http.StatusForbidden { // else it is refused for what it says
			refused, names = append(refused, ev), append(names, unusualNotes[i].what)
		}
	}
	count := len(answers)
	if len(refused) == 0 {
		return subject.Holds("%d spellings accepted", count)
	}
	if spelled == len(spellings) && h.AcceptableStatus(st.Control()) {
		switch plain, forbidden, err := forbidsNote(ctx, h, st, c); {
		case err != nil:
			return subject.CouldNotRun(err)
		case forbidden:
			return subject.Doubtful("accepted: the signature is right", "a member of the context is refused however it is spelled, and otherwise than a wrong signature: "+subject.Describe(plain.Exchange)).
				Because("webhook-forbids-members").With(plain)
		}
	}
	v := subject.Violated("accepted: the signature is right",
		fmt.Sprintf("%d of %d refused: %s: %s", len(refused), count, strings.Join(names[:min(3, len(names))], ", "), subject.Describe(refused[0].Exchange))).With(refused[0])
	if m, answers, ok := h.WhatAccepts(ctx, refused); ok {
		v.Actual += "; it accepts " + m.Name
		v.Evidence = append([]subject.Evidence{m.Seen}, v.Evidence...)
		var still []string
		for i, ev := range answers {
			if !h.AcceptableStatus(ev) {
				still = append(still, names[i])
			}
		}
		if len(still) > 0 {
			v.Actual += ", but for " + strings.Join(still[:min(3, len(still))], ", ")
			m.Fix += " Beside that: " + wholeBody
		}
		return v.Because(m.Cause).Fix(m.Fix)
	}
	if spelled == 0 {
		other := anotherSecret(h.Config.Secret)
		c.Secret = &other
		own, err := h.Call(ctx, "a short one, signed with another secret", c)
		if err != nil {
			return subject.CouldNotRun(err)
		}
		if !slices.ContainsFunc(refused, func(ev subject.Evidence) bool { return sameRefusal(own, ev) }) {
			return subject.Doubtful(v.Expected, v.Actual+"; a wrong signature is refused otherwise: "+subject.Describe(own.Exchange)).With(refused[0], own).
				Says("The webhook, or something before it, refuses some messages though they are signed rightly.", "Whoever writes such a message gets no answer.").
				Fix("Find out what answers so (a firewall, a gateway), and let it take all that users write.")
		}
		return v.Fix(wholeBody)
	}
	return v.Because("hmac-body-rewritten")
})

// forbidsNote says whether it is for the note itself that a body is refused: also where
// nothing is unusual in how it is spelled, and otherwise than for a wrong signature.
func forbidsNote(ctx context.Context, h *subject.Webhook, st subject.Standing, c subject.Call) (plain subject.Evidence, forbidden bool, err error) {
	c.Payload = func(p *webhook.Payload) { p.Context = withNote(p.Context); p.Context["note"] = "ok" }
	send := func(title string) (subject.Evidence, error) {
		again, err := h.Another(ctx, st, c)
		if err != nil {
			return subject.Evidence{}, err
		}
		return h.Call(ctx, title, again)
	}
	if plain, err = send("a plain note"); err != nil || plain.Exchange.Response == nil || h.AcceptableStatus(plain) {
		return plain, false, err
	}
	again, err := send("a plain note, again")
	if err != nil {
		return plain, false, err
	}
	other := anotherSecret(h.Config.Secret)
	c.Secret = &other
	wrong, err := send("a plain note, signed with another secret")
	if err != nil {
		return plain, false, err
	}
	wrongAgain, err := send("a plain note, signed with another secret, again")
	if err != nil {
		return plain, false, err
	}
	o, told := tellApart([]wire.Exchange{plain.Exchange, again.Exchange}, []wire.Exchange{wrong.Exchange, wrongAgain.Exchange})
	return plain, told && o != nil, nil
}

// sameRefusal says whether two refusals come from the same code: what they say may hold a time
// or an ID.
func sameRefusal(a, b subject.Evidence) bool {
	media := func(ev subject.Evidence) string {
		t, _, _ := strings.Cut(wire.HeaderValue(ev.Exchange.Response.Header, "Content-Type"), ";")
		return strings.ToLower(strings.TrimSpace(t))
	}
	return a.Exchange.Response != nil && b.Exchange.Response != nil && a.Exchange.Status() == b.Exchange.Status() && media(a) == media(b)
}

const wholeBody = "Compute the HMAC over the bytes of the body as they came: all of them, and none changed (normalize, a limited reader)."

// unusualNotes are texts that code changes which takes a body for text, or reads a part
// of it only: letters that Unicode writes in two ways, and more than fits into a buffer.
var unusualNotes = []struct{ what, text string }{
	{"letters with combining marks", "bla\u030ab\u00e6r e\u0301"},
	{"10,000 letters", strings.Repeat("kindly and ", 910)},
}

// withNote adds text to a context that JSON can spell in several ways.
func withNote(context map[string]any) map[string]any {
	out := map[string]any{"note": "blåbær/ok"}
	maps.Copy(out, context)
	return out
}
