package subject

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
)

// errStoredEnded marks a session that was stored once, and is none any more.
var errStoredEnded = errors.New("the stored session has ended")

// storedEnded says of a visit without a token that the session which a file brought
// has ended. That is no mistake of the page or its endpoint: who is not logged in
// gets no token. It is told by the file's own dates, or by a server that does not
// know the session.
func (s *Session) storedEnded(v *Visit) error {
	login := v.login
	if login == nil || login.Stored == "" || v.Token != "" || v.Callback == nil && !IsLogin(v.State, v.Record) {
		return nil
	}
	text := v.notKnown()
	if text == "" {
		return nil
	}
	text = "nobody is logged in with " + login.Stored + ": " + text
	if ended := expired(login, s.Options.Now()); ended != "" {
		text = ended
	}
	s.Problem(text, "Log in again, and store the session anew: context.storageState({path}) of Playwright.")
	return settledError{fmt.Errorf("%s: %w", text, errStoredEnded)}
}

// expired names a cookie of a stored session that is out of date; "" if none is.
func expired(login *browser.Login, now time.Time) string {
	for _, c := range login.Cookies {
		if !c.Expires.IsZero() && c.Expires.Before(now) {
			return fmt.Sprintf("the session in %s has expired: its cookie %s was valid until %s", login.Stored, c.Name, c.Expires.UTC().Format(time.RFC3339))
		}
	}
	return ""
}

// notKnown says how a visit shows that nobody is logged in; "" if it does not.
func (v *Visit) notKnown() string {
	if IsLogin(v.State, v.Record) {
		return "the page leads to a login at " + SafeURL(v.State.URL)
	}
	r, asked := v.CallbackRequest()
	switch {
	case !asked && v.Callback.Outcome == "empty":
		return "getAuthToken asks nobody, and gives no token"
	case asked && (r.Status == http.StatusUnauthorized || r.Status == http.StatusForbidden):
		return Answered(r, v.ChatURL())
	}
	return ""
}
