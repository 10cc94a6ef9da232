package server

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/kindlytest/kindlytest/mockkindly"

	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// problemType is the prefix of the type member of every problem.
const problemType = "urn:kindlytest:problem:"

// A problem is an RFC 9457 answer, and the error with which a handler asks for it.
type problem struct {
	Type       string            `json:"type"`
	Title      string            `json:"title"`
	Status     int               `json:"status"`
	Detail     string            `json:"detail"`
	Violations []token.Violation `json:"violations,omitempty"`
	Unjudged   []token.Unjudged  `json:"unjudged,omitempty"`
	Advice     []advice          `json:"advice,omitempty"`

	allow string // for 405
}

func (p *problem) Error() string { return p.Title + ": " + p.Detail }

func newProblem(status int, slug, title, format string, args ...any) *problem {
	return &problem{
		Type: problemType + slug, Title: title, Status: status,
		Detail: fmt.Sprintf(format, args...),
	}
}

func badRequest(format string, args ...any) *problem {
	return newProblem(http.StatusBadRequest, "bad-request", "The request is not understood", format, args...)
}

// problemOf finds the answer to an error. An error that nobody foresaw is told
// in general words: it may hold what the caller must not see.
func problemOf(err error) *problem {
	var p *problem
	var tooLarge *http.MaxBytesError
	var store *mockkindly.StoreError
	var resend *mockkindly.ResendError
	var checks *ChecksError
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &tooLarge):
		return newProblem(http.StatusRequestEntityTooLarge, "too-large", "The body is too large",
			"A body may have up to %d bytes.", tooLarge.Limit)
	case errors.Is(err, mockkindly.ErrUnknownChat):
		return newProblem(http.StatusNotFound, "unknown-chat", "Unknown chat",
			"There is no such chat. It was never made, or the mock was reset, or newer chats took its place. POST /mock/v1/chats makes one.")
	case errors.Is(err, mockkindly.ErrUnknownBot):
		return newProblem(http.StatusNotFound, "unknown-bot", "Unknown bot",
			"No bot has this key. Compare data-bot-key of the page with the key that the mock was given; POST /mock/v1/bots adds a bot.")
	case errors.Is(err, mockkindly.ErrUnknownDelivery):
		return newProblem(http.StatusNotFound, "unknown-delivery", "Unknown delivery",
			"The journal holds no webhook request with this number. It keeps the newest events only.")
	case errors.As(err, &resend):
		return newProblem(http.StatusConflict, "not-possible", "It cannot be sent so", "%s", resend.Problem)
	case errors.As(err, &checks):
		return checksProblem(checks)
	case errors.As(err, &store):
		return newProblem(http.StatusServiceUnavailable, "not-kept", "The journal could not be kept", "%s", store.Error())
	case errors.Is(err, mockkindly.ErrClosed):
		return newProblem(http.StatusServiceUnavailable, "closed", "The mock is closed", "It is shutting down.")
	}
	var invalid *mockkindly.InputError
	if errors.As(err, &invalid) {
		return badRequest("%s", invalid.Error())
	}
	return newProblem(http.StatusInternalServerError, "internal", "The mock failed", "This is a fault of the mock, not of the caller.")
}

// refusal is the answer to a token that Kindly would not take.
func refusal(res token.Result) *problem {
	p := newProblem(http.StatusUnprocessableEntity, "token-refused", "The token is refused", "%s", refusalDetail(res))
	p.Violations, p.Unjudged = res.Violations, res.Unjudged
	return p
}

func refusalDetail(res token.Result) string {
	var broken []string
	for _, v := range res.Refused() {
		broken = append(broken, v.Rule.ID)
	}
	switch len(broken) {
	case 0:
		return "Its signature could not be judged; unjudged says why. The chat goes on unauthenticated."
	case 1:
		return "It breaks " + broken[0] + ". The chat goes on as it was."
	}
	return fmt.Sprintf("It breaks %d rules: %s. The chat goes on as it was.", len(broken), strings.Join(broken, ", "))
}

func methodNotAllowed(method, allow string) *problem {
	p := newProblem(http.StatusMethodNotAllowed, "method-not-allowed", "Method not allowed",
		"This path does not take %s, but %s.", method, allow)
	p.allow = allow
	return p
}
