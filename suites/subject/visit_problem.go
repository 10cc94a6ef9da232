package subject

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/suites/service"
)

// errUnreachable marks a page that gave no document at all.
var errUnreachable = errors.New("the page could not be opened")

const wantsCertificate = "The server wants a client certificate: " + ClientCertificate

// pageProblem is what keeps the page from being looked at.
func (s *Session) pageProblem(err error) Problem {
	err = s.orCertificate(err)
	text, hint := s.tellPageProblem(err)
	var chrome browserError
	return Problem{text, hint, errors.As(err, &chrome) || errors.Is(err, browser.ErrEnded)}
}

// orCertificate is why a document did not come: a certificate that lacks, if that is so.
func (s *Session) orCertificate(err error) error {
	at := s.Target.PageURL
	var step *browser.StepError
	switch {
	case errors.As(err, &step) && step.Down() && step.Status == 0:
		at = step.Selector
	case !errors.Is(err, errUnreachable):
		return err
	}
	if !errors.Is(err, wire.ErrCertificate) && s.LacksCertificate(at) {
		return fmt.Errorf("%w: %w", err, wire.ErrCertificate)
	}
	return err
}

// LacksCertificate asks a server that gave Chrome no answer, and says whether it wants a
// client certificate: to Chrome that is a connection which broke off, more often than not.
func (s *Session) LacksCertificate(url string) bool {
	if !strings.HasPrefix(url, "https:") {
		return false
	}
	ctx, cancel := service.WithTimeout(s.Base, s.Patience.Request)
	defer cancel()
	return errors.Is(s.Client.Do(ctx, wire.Request{Method: http.MethodGet, URL: url}).Err, wire.ErrCertificate)
}

// tellPageProblem says it in words, with the way out.
func (s *Session) tellPageProblem(err error) (text, hint string) {
	var none *browser.NotFoundError
	var step *browser.StepError
	var chrome browserError
	switch {
	case errors.As(err, &none):
		return strings.TrimSuffix(none.Error(), " "+none.Hint), none.Hint
	case errors.As(err, &chrome):
		return err.Error(), "Does it start from a shell? --browser PATH names another one, --browser-url ws://… one that runs."
	case errors.Is(err, browser.ErrEnded):
		return err.Error(), "Something ended Chrome, or it had too little memory: see to the machine's (or the container's) memory, and run it again."
	case errors.As(err, &step) && wire.AsksForCertificate(step.Status, step.Title):
		return err.Error(), wantsCertificate
	case errors.As(err, &step) && step.Status == http.StatusProxyAuthRequired:
		return err.Error(), ThroughProxy
	case errors.As(err, &step) && step.Down():
		return err.Error(), cmp.Or(wayThere(err, "page.login"), "The app is down, or can't be reached from here: nothing is wrong with the step. Open it in a browser on this machine.")
	case errors.As(err, &step) && step.Of == "page":
		return err.Error(), "Check page.steps: they run on the page at each visit, and each selector must match an element that can be seen."
	case errors.As(err, &step):
		return err.Error(), cmp.Or(wayIn(step), wayBefore(step), "Check page.login: the steps run in order, and each selector must match an element that can be seen. A login that can't be automated, or opens a window of its own, is stored instead: page.login.storage_state (docs/staging.md, \"A stored session\").")
	case errors.Is(err, errUnreachable) && strings.Contains(err.Error(), "ERR_UNSAFE_PORT"):
		return fmt.Sprintf("%s: %v", redact.URL(s.Target.PageURL), err), "Browsers refuse to call this port; serve the page on another one."
	case errors.Is(err, errUnreachable):
		return fmt.Sprintf("%s: %v", redact.URL(s.Target.PageURL), err), cmp.Or(wayThere(err, "page.url"), "Is it running? Open it in a browser on this machine.")
	case errors.Is(err, context.DeadlineExceeded):
		return err.Error(), "The page was not ready in time, or is too busy to be looked at; --timeout gives it longer."
	}
	return err.Error(), ""
}

// wayThere says what to do about a document that did not come; "" if the error tells
// nothing. key is where its URL stands.
func wayThere(err error, key string) string {
	says := func(codes ...string) bool {
		return slices.ContainsFunc(codes, func(code string) bool { return strings.Contains(err.Error(), code) })
	}
	switch {
	case errors.Is(err, wire.ErrCertificate), says("CLIENT_AUTH_CERT"):
		return wantsCertificate
	case says("ERR_CERT_AUTHORITY_INVALID"):
		return PrivateAuthority
	case Untrusted(err):
		return WayOut(err, "")
	case says("ERR_PROXY", "ERR_TUNNEL", "the proxy "):
		return ThroughProxy
	case says("ERR_SSL_PROTOCOL_ERROR"):
		return "What listens at that port speaks no TLS: is it http:// (" + key + "), or another port?"
	case says("ERR_EMPTY_RESPONSE", "ERR_INVALID_HTTP_RESPONSE"):
		return "What listens at that port does not speak plain HTTP, as it seems: is it https:// (" + key + "), or another port?"
	}
	return ""
}

const storeIt = "Let staging do without it, or with the provider's test keys, or store a session once (page.login.storage_state; docs/staging.md, \"A stored session\")."

// wayIn says how to get further with a login's step, by what the page shows; "" if
// that tells nothing.
func wayIn(e *browser.StepError) string {
	why := e.Err.Error()
	switch {
	case strings.Contains(why, "covers it") && e.Cover != "":
		return "Something lies over it, " + e.Cover + ", as banners of cookies do: click that away first, as a visitor does (its button is among the fields)."
	case e.Action == "goto":
		return ""
	case len(e.Refused) > 0:
		return FixOfKeptCookie(e.Refused[0].Reasons...)
	case e.Captcha && e.Says == "" || ofRobots.MatchString(e.Says):
		return "There is a captcha, which steps can't solve. " + storeIt
	case e.Code && !(e.Action == "fill" && strings.Contains(e.Selector, "ass")):
		return "The page asks for a one-time code: fill it with ${totp:NAME}, which makes it of the authenticator's secret (docs/staging.md, \"One-time code\")."
	case e.Action == "wait_for" && (ofLimits.MatchString(e.Says) || e.Status == http.StatusTooManyRequests):
		return "The login takes no more tries for now. Wait, and give the test user (or this machine) more of them, or store a session once (page.login.storage_state; docs/staging.md, \"A stored session\"): each run logs in."
	case e.Says != "" && e.Action == "wait_for":
		return "It is the login that was refused, by what the page says: are the name and the password the right ones (in the environment's variables), and may this user log in here?"
	case e.Failed != "" && e.Action == "wait_for":
		return "The login did not come about, for its script failed: look at the page's console and network there, as a user sees it. (Is it the right server that it asks, and does it run?)"
	case e.Action == "fill" && !e.Password && asksPassword.MatchString(e.Selector):
		return "There is no field for a password on the page yet: if it asks for name and password one after the other, click on to the second between the two (docs/staging.md, \"Two steps\")."
	case strings.Contains(why, "is disabled"):
		return "It stays disabled: does the page want something else first, such as a box to be ticked or a field to be filled?"
	}
	return ""
}

// wayBefore says how to get to where a login begins, where something refuses it, or it is
// somewhere else; "" if the step got there.
func wayBefore(e *browser.StepError) string {
	if e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden {
		if before := BeforeOf(e.Document); before != nil {
			return before.Page
		}
		if way := wayThroughScheme(e.Document); way != "" {
			return way
		}
	}
	if e.Action != "goto" {
		return ""
	}
	return "Is it the right address of the login (page.login)? If a gate stands before it, gate in kindlytest.yaml tells the header or cookie that lets one through (docs/staging.md, \"A gate\")."
}

var (
	asksPassword = regexp.MustCompile(`(?i)pass|pwd`)
	ofRobots     = regexp.MustCompile(`(?i)captcha|robot|verify (?:that )?you are human|security check`)
	ofLimits     = regexp.MustCompile(`(?i)too many|try again (?:in|later)|locked|rate limit`)
)
