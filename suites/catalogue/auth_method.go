package catalogue

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/suites/subject"
)

var authMethod = onServing(func(ctx context.Context, s *subject.Session, e *subject.Endpoint) subject.Verdict {
	var verdicts []subject.Verdict
	for _, method := range otherMethods(e.Request.Method) {
		chatID := s.NewChatID()
		r, err := addQuery(e.WithChat(chatID), chatIDNames(e), chatID) // where a GET is expected to have it
		if err != nil {
			return subject.CouldNotRun(err)
		}
		r.Method = method
		verdicts = append(verdicts, refusesMethod(s, method, s.Do(ctx, method, r)))
	}
	return subject.Worst(rule.Must, verdicts...)
})

// refusesMethod is gaveNone, with a note where the method is not refused: HEAD
// has no body, but tells whether GET is served.
func refusesMethod(s *subject.Session, method string, ev subject.Evidence) subject.Verdict {
	v := gaveNone(s, method, ev)
	if st := ev.Exchange.Status(); v.Kind == subject.Held && st != http.StatusNotImplemented && (st < 400 || st >= 500) {
		return subject.Violated("405", v.Actual).At(rule.Info).Oddly(st).With(ev)
	}
	return v
}

// otherMethods are those that the page does not use. Where GET is served, HEAD is
// too, and has no body.
func otherMethods(own string) []string {
	all := []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete}
	return slices.DeleteFunc(all, func(m string) bool {
		return m == own || own == http.MethodGet && m == http.MethodHead
	})
}

// addQuery adds a value to the URL's query under each of the names.
func addQuery(r wire.Request, names []string, value string) (wire.Request, error) {
	u, err := url.Parse(r.URL)
	if err != nil {
		return r, fmt.Errorf("the endpoint's URL: %w", err)
	}
	query := u.Query()
	for _, name := range names {
		query.Set(name, value)
	}
	u.RawQuery = query.Encode()
	r.URL = u.String()
	return r, nil
}

var authHostHeader = onServing(func(ctx context.Context, s *subject.Session, e *subject.Endpoint) subject.Verdict {
	const forged = "kindlytest.evil.example"
	for _, name := range []string{"X-Forwarded-Host", "Host"} {
		r := e.WithChat(s.NewChatID())
		if name == "Host" {
			r.Host = forged
		} else {
			r.Header.Set(name, forged)
		}
		title := "a forged " + name
		ev, raw := s.Ask(ctx, title, r)
		if raw == "" && ev.Exchange.Response != nil && r.Header.Get("Origin") != "" { // frameworks want the Origin to be that of the host: who forges one, forges both
			r = r.Clone()
			r.Header.Set("Origin", "https://"+forged)
			r.Header.Set("Referer", "https://"+forged+"/")
			title += ", and an Origin like it"
			ev, raw = s.Ask(ctx, title, r)
		}
		t, err := token.Decode(raw)
		if raw == "" || err != nil {
			continue // refused: it changed nothing
		}
		if strings.Contains(t.Issuer(), forged) || strings.Contains(strings.Join(t.WebhookDomains(), " "), forged) {
			return subject.Violated("iss and domains as configured", "a forged "+name+" is in the token").With(ev)
		}
	}
	return subject.Holds("iss and domains stay the same")
})
