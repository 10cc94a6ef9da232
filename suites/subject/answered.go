package subject

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/forge"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/suites/service"
	"golang.org/x/sync/errgroup"
)

var pageTitle = regexp.MustCompile(`(?is)<title[^>]*>\s*([^<]{1,200})`)

// WhatAnswered says in a line who answered: the status, the type, the server and
// the first words. A proxy or a framework shows by them that it is not the app.
func WhatAnswered(ex wire.Exchange) string {
	if ex.Response == nil {
		return Describe(ex)
	}
	parts := []string{fmt.Sprintf("status %d", ex.Status())}
	if t := ex.Response.Header.Get("Content-Type"); t != "" {
		parts = append(parts, Bound(t, 60))
	}
	if s := ex.Response.Header.Get("Server"); s != "" {
		parts = append(parts, "Server: "+Bound(s, 60))
	}
	return strings.Join(append(parts, firstWords(ex)...), ", ") + certificateWanted(ex)
}

var errorDescription = regexp.MustCompile(`error_description="([^"]{1,300})"`)

// refusedFor is why a token was refused, as WWW-Authenticate tells it (RFC 6750): a
// framework's answer may have no body. "" where it does not.
func refusedFor(ex wire.Exchange) string { return RefusedFor(ex.Response.Header) }

// RefusedFor is why a request was refused, as WWW-Authenticate tells it (RFC 6750).
func RefusedFor(h http.Header) string {
	if m := errorDescription.FindStringSubmatch(wire.HeaderValue(h, "WWW-Authenticate")); m != nil {
		return Bound(strings.ToValidUTF8(m[1], ""), 120)
	}
	return ""
}

// firstWords are a page's title, or else the body's first line.
func firstWords(ex wire.Exchange) []string {
	body := strings.ToValidUTF8(string(ex.Body()[:min(len(ex.Body()), 4096)]), "")
	if m := pageTitle.FindStringSubmatch(body); m != nil {
		return []string{fmt.Sprintf("%q", Bound(html.UnescapeString(strings.TrimSpace(m[1])), 80))}
	}
	line, _, _ := strings.Cut(strings.TrimSpace(body), "\n")
	if line == "" {
		line = refusedFor(ex)
	}
	if line == "" {
		return nil
	}
	return []string{fmt.Sprintf("%q", Quote([]byte(line), ex.Response.Header.Get("Content-Type"), 120))}
}

// Expectation is what an answer to a valid request must be, for people.
func (h *Webhook) Expectation() string {
	e := h.Config.Authenticated
	if e == nil {
		return "status 200"
	}
	return "an answer as the configuration says of authenticated users: " + e.String()
}

// Arrives says whether the webhook shows that the token reaches it: it answers a
// member otherwise than a stranger, or refuses a token that is none.
func (h *Webhook) Arrives() bool {
	o, err := h.Oracle()
	if err != nil {
		return false
	}
	if o.Signal() {
		return true
	}
	st, err := h.Standing()
	if err != nil {
		return false
	}
	ev, err := h.Call(trying(h.Session.Base, "HOOK-GARBAGE"), "with a token that is none", Call{Token: "kindlytest"})
	return err == nil && ev.Exchange.Response != nil && ev.Exchange.Status() != st.Control().Exchange.Status()
}

// WhatAccepts looks for the mistake by which a webhook would accept what it refuses
// though it is signed rightly: of the first that is accepted so. The answers are those
// to all of them, signed so; what is refused even then is so for another reason.
func (h *Webhook) WhatAccepts(ctx context.Context, refused []Evidence) (mended Mended, answers []Evidence, ok bool) {
	mistakes := append(forge.TextMistakes(), forge.SignatureMistakes()...)
	for i, first := range refused {
		for j := range mistakes {
			m := &mistakes[j]
			ev, tried := h.resign(ctx, first.Exchange.Request, m)
			if !tried || !h.AcceptableStatus(ev) {
				continue
			}
			answers = slices.Clone(refused)
			answers[i] = ev
			for k, other := range refused {
				if k == i {
					continue
				}
				if ev, tried := h.resign(ctx, other.Exchange.Request, m); tried {
					answers[k] = ev
				}
			}
			return Mended{Cause: m.ID, Name: m.Name, Fix: m.Fix, Seen: ev}, answers, true
		}
	}
	return Mended{}, nil, false
}

// DoAll sends attempts, and returns the answers in their order.
func (s *Session) DoAll(ctx context.Context, attempts []Attempt) []Evidence {
	out := make([]Evidence, len(attempts))
	var group errgroup.Group
	// The one after which a service is dead has killed it; but a slow service would
	// be waited for minutes.
	if s.InOrder() || service.RunningOf(ctx).Alone && len(attempts) > 0 && !s.Slow(attempts[0].Request) {
		group.SetLimit(1)
	}
	for i, a := range attempts {
		group.Go(func() error {
			out[i] = s.Do(ctx, a.Title, a.Request)
			return nil
		})
	}
	group.Wait() // the functions return no errors
	return out
}

// Each does n things: at the same time, unless one is to be done after another.
// It returns the first error.
func (s *Session) Each(n int, do func(i int) error) error {
	var group errgroup.Group
	if s.InOrder() {
		group.SetLimit(1)
	}
	for i := range n {
		group.Go(func() error { return do(i) })
	}
	return group.Wait()
}
