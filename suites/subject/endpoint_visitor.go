package subject

import (
	"slices"
	"strings"
	"unicode"

	"github.com/kindlytest/kindlytest/internal/param"
	"github.com/kindlytest/kindlytest/internal/wire"
)

// AmongVisitors is the endpoint with the cookies known that have nothing to do with who
// is logged in: all who open the page have them, as where its URL opens a gate.
func (s *Session) AmongVisitors(e *Endpoint) *Endpoint {
	if s.Target.Login == nil || s.Target.PageURL == "" {
		return e
	}
	v, err := s.VisitLoggedOut()
	if err != nil {
		return e
	}
	out := *e
	out.everybodys = cookiePairs([]string{CookiesFor(v.State.Cookies, e.Request.URL)})
	out.visitors = csrfTokens(v)
	out.public = publicHeaders(e, v)
	return &out
}

// publicHeaders are those of the endpoint's request whose name and value stand in what the
// page serves to one who is not logged in: a key of the gateway, the name of a brand.
func publicHeaders(e *Endpoint, v *Visit) map[string]bool {
	public := map[string]bool{}
	for name, values := range e.Request.Header {
		if !mayBeSession(name) || name == "Cookie" || len(values) != 1 || !strings.ContainsFunc(values[0], unicode.IsLetter) {
			continue
		}
		for _, r := range v.Record.Requests {
			served := string(r.ResponseBody)
			quoted := strings.Contains(served, `"`+values[0]+`"`) || strings.Contains(served, "'"+values[0]+"'") || strings.Contains(served, "`"+values[0]+"`")
			if !r.Kindly && (r.ResourceType == "Document" || r.ResourceType == "Script") && quoted && strings.Contains(strings.ToLower(served), strings.ToLower(name)) {
				public[name] = true
			}
		}
	}
	return public
}

// ByVisitor is the request of one who has opened the page and is not logged in, with
// the cookies that this one has got, and what protects from CSRF as the page gave it to
// this one: where that is bound to the session, the user's own is refused for it before
// anything else is looked at. False where the visitor has got nothing.
func (e *Endpoint) ByVisitor(chatID string) (wire.Request, bool) {
	r := e.WithoutSession(e.WithChat(chatID))
	r, got := e.withVisitorsCSRF(r)
	pairs := cookiePairs(r.Header["Cookie"])
	for _, pair := range e.everybodys {
		if slices.Contains(pairs, pair) {
			continue
		}
		name, _, _ := strings.Cut(pair, "=")
		pairs = append(slices.DeleteFunc(pairs, func(p string) bool { return strings.HasPrefix(p, name+"=") }), pair)
		got = true
	}
	if len(pairs) > 0 {
		r.Header["Cookie"] = []string{strings.Join(pairs, "; ")}
	}
	return r, got
}

// withVisitorsCSRF is a request with what protects from CSRF as one got it who is not
// logged in, and whether there was any.
func (e *Endpoint) withVisitorsCSRF(r wire.Request) (of wire.Request, some bool) {
	of, err := param.Walk(r, chosenHeader, func(l param.Leaf) any {
		if !isCSRFField(l.Name()) || l.Place == param.InHeader && e.takes(l.Name()) {
			return param.Keep
		}
		i := slices.IndexFunc(e.visitors, func(t csrfToken) bool { return csrfHeader(t.name) == csrfHeader(l.Name()) })
		if i < 0 && len(e.visitors) > 0 {
			i = 0 // called otherwise where it comes from
		}
		if i < 0 || e.visitors[i].value == l.Text() {
			return param.Keep
		}
		some = true
		return e.visitors[i].value
	})
	if err != nil {
		return r, false
	}
	return of, some
}
