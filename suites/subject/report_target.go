package subject

import (
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/target"
)

// Report is a target as a report names it, without credentials.
func Report(t target.Target, args []string) reports.Target {
	r := reports.Target{Name: t.Name, Page: redact.URL(t.PageURL), Args: args}
	if t.Endpoint != nil {
		r.Endpoint = t.Endpoint.String()
	}
	for _, w := range t.Webhooks {
		r.Webhooks = append(r.Webhooks, reports.Webhook{Name: w.Name, URL: redact.URL(w.URL), ConnectTo: redact.URL(w.ConnectTo)})
	}
	return r
}

// Clean takes out of a report's target what is known to be secret by its value.
// The name stays: it tells targets apart.
func (s *Session) Clean(t reports.Target) reports.Target {
	t.Page, t.Endpoint = s.Redact.Text(t.Page), s.Redact.Text(t.Endpoint)
	for i := range t.Webhooks {
		w := &t.Webhooks[i]
		w.URL, w.ConnectTo = s.Redact.Text(w.URL), s.Redact.Text(w.ConnectTo)
	}
	t.Args = slices.Clone(t.Args)
	for i := range t.Args {
		t.Args[i] = s.Redact.Text(SafeArgument(s.Target, t.Args[i]))
	}
	return t
}

// SafeArgument is an argument in which the target's URLs hold no credential.
func SafeArgument(t target.Target, arg string) string {
	for _, raw := range t.Urls() {
		if raw != "" {
			arg = strings.ReplaceAll(arg, raw, redact.URL(raw))
		}
	}
	return arg
}
