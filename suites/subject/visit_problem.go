package subject

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/target"
)

// errUnreachable marks a page that gave no document at all.
var errUnreachable = errors.New("the page could not be opened")

const wantsCertificate = "The server wants a client certificate: " + target.ClientCertificate

// pageProblem is what keeps the page from being looked at.
func (s *Session) pageProblem(err error) Problem {
	text, hint := s.tellPageProblem(err)
	var chrome browserError
	return Problem{text, hint, errors.As(err, &chrome) || errors.Is(err, browser.ErrEnded)}
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
	case errors.As(err, &step) && step.Down():
		return err.Error(), "The app is down, or can't be reached from here: nothing is wrong with the step. Open it in a browser on this machine."
	case errors.As(err, &step) && step.Of == "page":
		return err.Error(), "Check page.steps: they run on the page at each visit, and each selector must match an element that can be seen."
	case errors.As(err, &step):
		return err.Error(), "Check page.login: the steps run in order, and each selector must match an element that can be seen. A login that can't be automated, or opens a window of its own, is stored instead: page.login.storage_state (docs/staging.md, \"A stored session\")."
	case errors.Is(err, errUnreachable) && (errors.Is(err, wire.ErrCertificate) || strings.Contains(err.Error(), "CLIENT_AUTH_CERT")):
		return fmt.Sprintf("%s: %v", SafeURL(s.Target.PageURL), err), wantsCertificate
	case errors.Is(err, errUnreachable) && (strings.Contains(err.Error(), "ERR_PROXY") || strings.Contains(err.Error(), "ERR_TUNNEL")):
		return fmt.Sprintf("%s: %v", SafeURL(s.Target.PageURL), err), "The proxy does not let it through: proxy in kindlytest.yaml, else HTTPS_PROXY, HTTP_PROXY and NO_PROXY."
	case errors.Is(err, errUnreachable) && strings.Contains(err.Error(), "ERR_UNSAFE_PORT"):
		return fmt.Sprintf("%s: %v", SafeURL(s.Target.PageURL), err), "Browsers refuse to call this port; serve the page on another one."
	case errors.Is(err, errUnreachable) && strings.Contains(err.Error(), "ERR_CERT_AUTHORITY_INVALID"):
		return fmt.Sprintf("%s: %v", SafeURL(s.Target.PageURL), err), target.PrivateAuthority
	case errors.Is(err, errUnreachable) && target.Untrusted(err):
		return fmt.Sprintf("%s: %v", SafeURL(s.Target.PageURL), err), target.WayToTrust(err, "")
	case errors.Is(err, errUnreachable):
		return fmt.Sprintf("%s: %v", SafeURL(s.Target.PageURL), err), "Is it running? Open it in a browser on this machine."
	case errors.Is(err, context.DeadlineExceeded):
		return err.Error(), "The page was not ready in time, or is too busy to be looked at; --timeout gives it longer."
	}
	return err.Error(), ""
}
