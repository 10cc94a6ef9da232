package subject

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/internal/wire"
)

// errNotThePage marks a document that is not the page that was meant.
var errNotThePage = errors.New("it is not the page that was meant")

// notThePage says what came instead of the page: an error page, or a form to log
// in. There the chat is not missing; nothing about it could be found out. Where
// there is a chat all the same, it is the page.
func (s *Session) notThePage(v *Visit) error {
	isChat := func(tag browser.Script) bool { return tag.ID == "kindly-chat" }
	if len(v.Started) > 0 || slices.ContainsFunc(v.State.Scripts, isChat) {
		return nil
	}
	var text, hint string
	nav := v.Record.Navigation
	before := v.before()
	switch title := Title(v.State); {
	case before != nil && !wire.AsksForCertificate(nav.Status, v.State.Title):
		text = fmt.Sprintf("what answers in the place of the page %s%s, %d %s, is %s", redact.URL(v.State.URL), title, nav.Status, http.StatusText(nav.Status), before.Who)
		hint = before.Page
	case wire.AsksForCertificate(nav.Status, v.State.Title):
		text = fmt.Sprintf("the page %s answers %d %s%s", redact.URL(v.State.URL), nav.Status, http.StatusText(nav.Status), title)
		hint = wantsCertificate
	case nav.Status >= 400:
		text = fmt.Sprintf("the page %s answers %d %s%s", redact.URL(v.State.URL), nav.Status, http.StatusText(nav.Status), title)
		hint = cmp.Or(v.wayThroughGate(), "Is it the right address (page.url), and is the application up? Open it in a browser on this machine.")
	case IsLogin(v.State, v.Record) && s.Target.Login == nil:
		text = fmt.Sprintf("the page %s leads to a login at %s%s", redact.URL(s.Target.PageURL), redact.URL(v.State.URL), title)
		hint = "Give a login in kindlytest.yaml (page.login): its steps, or, where a link by mail, a passkey or a person lets one in, a session that was stored once (storage_state)."
	case IsLogin(v.State, v.Record):
		text = fmt.Sprintf("the page %s leads to a login at %s%s, though a login was given", redact.URL(s.Target.PageURL), redact.URL(v.State.URL), title)
		hint = "The login in kindlytest.yaml (page.login) does not log in: are its cookies out of date, or the password another one?"
	default:
		return nil
	}
	s.Problem(text, hint)
	return settledError{fmt.Errorf("%s: %w", text, errNotThePage)}
}

// Title is the document's title in brackets, "" if it has none.
func Title(state browser.State) string {
	if state.Title == "" {
		return ""
	}
	return fmt.Sprintf(" (%q)", Bound(state.Title, 80))
}

var loginWords = regexp.MustCompile(`(?i)(^|[/._-])(log-?_?in|sign-?_?in|auth|authorize|sso|oauth2?|saml)([/._?-]|$)`)

// IsLogin says whether a page was left for one to log in at.
func IsLogin(state browser.State, record browser.Record) bool {
	if state.Passwords > 0 && len(record.Navigation.Redirects) > 0 {
		return true
	}
	u, err := url.Parse(state.URL)
	if err != nil {
		return false
	}
	moved := len(record.Navigation.Redirects) > 0
	for _, r := range record.Requests { // by a script
		if !moved && r.ResourceType == "Document" && r.Target == "page" && wire.OriginOf(r.URL) != "" {
			first, err := url.Parse(r.URL)
			moved = err == nil && (first.Path != u.Path || first.Host != u.Host)
			break
		}
	}
	return moved && loginWords.MatchString(u.Path)
}

// TurnsAway says whether a page refuses the visitor itself, or shows another document
// than the first user gets.
func (s *Session) TurnsAway(v *Visit) bool {
	if status := v.Record.Navigation.Status; status/100 == 4 || IsLogin(v.State, v.Record) {
		return true
	}
	place := func(v *Visit) string { return wire.OriginOf(v.State.URL) + pathOf(v.State.URL) }
	first, err := s.VisitFirst()
	return err == nil && place(first) != place(v)
}

// wayThroughGate says how to get past what refuses the page; "" if nothing does.
func (v *Visit) wayThroughGate() string {
	way := ""
	for _, r := range v.Record.Requests {
		if r.ResourceType == "Document" && r.Status == http.StatusUnauthorized {
			way = wayThroughScheme(r)
		}
	}
	if status := v.Record.Navigation.Status; way != "" || status != http.StatusUnauthorized && status != http.StatusForbidden {
		return way
	}
	return "If a gate stands before it, gate in kindlytest.yaml tells the header or cookie that lets one through (docs/staging.md, \"A gate\"); if it wants a login, page.login. Else: is it the right address (page.url)?"
}

// wayThroughScheme says how to get past who asks for authorization of a scheme; "" if they
// ask for none.
func wayThroughScheme(r browser.Request) string {
	scheme, _, _ := strings.Cut(strings.TrimSpace(wire.HeaderValue(r.ResponseHeader, "WWW-Authenticate")), " ")
	switch strings.ToLower(scheme) {
	case "":
		return ""
	case "basic":
		return "It asks for a name and a password: gate in kindlytest.yaml, with basic: {user: …, password: …}; or page.login, with headers: {Authorization: …}, where each user has their own (docs/staging.md, \"Basic auth\")."
	}
	return "It asks for " + Bound(scheme, 20) + " authorization, which kindlytest does not speak. Let the gate take Basic authorization or a header from the test, and name that with gate in kindlytest.yaml (docs/staging.md, \"A gate\")."
}
