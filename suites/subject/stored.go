package subject

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/internal/wire"
)

// errStoredEnded marks a session that was stored once, and is none any more.
var errStoredEnded = errors.New("the stored session has ended")

// storedEnded says of a visit without a token that the session which a file brought
// has ended. That is no mistake of the page or its endpoint: who is not logged in
// gets no token. It is told by the file's own dates, or by a server that does not
// know the session.
func (s *Session) storedEnded(v *Visit) error {
	login := v.login
	if login == nil || v.Token != "" || v.Callback == nil && !IsLogin(v.State, v.Record) {
		return nil
	}
	text := v.notKnown()
	other := v.storedElsewhere()
	switch {
	case text == "" || login.Stored == "" && len(login.Steps) == 0 && other == "":
		return nil
	case len(login.Steps) > 0:
		return s.stepsLeftNobody(v, text)
	case other != "":
		text = fmt.Sprintf("nobody is logged in with %s: it holds nothing for %s, but for %s", cmp.Or(login.Stored, "the cookies of page.login"), wire.OriginOf(v.State.URL), other)
		s.Problem(text, "Browsers keep each origin's cookies and storage apart, and localhost and 127.0.0.1 are two: write page.url with the host that the session is of, or give (store) one of the page's host.")
		return settledError{fmt.Errorf("%s: %w", text, errStoredEnded)}
	}
	text = "nobody is logged in with " + login.Stored + ": " + text
	asked := s.Target.PageURL
	if r, ok := v.CallbackRequest(); ok {
		asked = r.URL
	}
	if ended := expired(login, asked, s.Options.Now()); ended != "" {
		text = ended
	}
	hint := "Log in again, and store the session anew: context.storageState({path}) of Playwright."
	if v.page.HasDatabases(s.Base) {
		hint += " The page has an IndexedDB, which is not restored: an app that keeps its session there needs steps (page.login)."
	}
	s.Problem(text, hint)
	return settledError{fmt.Errorf("%s: %w", text, errStoredEnded)}
}

// expired names a cookie of a stored session that is out of date, and went with what was
// asked before it was; "" if none is. One that scripts may write is another's, more often
// than not: statistics' live for a minute.
func expired(login *browser.Login, asked string, now time.Time) string {
	for _, c := range login.Cookies {
		if c.HTTPOnly && !c.Expires.IsZero() && c.Expires.Before(now) && CookiesFor([]browser.StoredCookie{{Cookie: c}}, asked) != "" {
			return fmt.Sprintf("the session in %s has expired: its cookie %s was valid until %s", login.Stored, c.Name, c.Expires.UTC().Format(time.RFC3339))
		}
	}
	return ""
}

// notKnown says how a visit shows that nobody is logged in; "" if it does not.
func (v *Visit) notKnown() string {
	if IsLogin(v.State, v.Record) {
		return "the page leads to a login at " + redact.URL(v.State.URL)
	}
	r, asked := v.CallbackRequest()
	switch {
	case !asked && v.Callback.Outcome == "empty":
		return "getAuthToken asks nobody, and gives no token"
	case asked && (r.Status == http.StatusUnauthorized || r.Status == http.StatusForbidden) && !v.leavesCookies(r):
		return Answered(r, v.ChatURL())
	}
	return ""
}

// leavesCookies says whether a request went without a cookie by which the login is known,
// and that the browser still has: who is refused then may be logged in all the same.
func (v *Visit) leavesCookies(r browser.Request) bool {
	kept := slices.DeleteFunc(slices.Clone(v.State.Cookies), func(c browser.StoredCookie) bool {
		return len(v.login.Steps) == 0 && !slices.ContainsFunc(v.login.Cookies, func(of browser.Cookie) bool { return of.Name == c.Name })
	})
	forScripts := func(c browser.StoredCookie) bool { return !c.HTTPOnly }
	elsewhere := len(v.login.Steps) > 0 || len(v.login.Headers) > 0 || len(v.login.LocalStorage) > 0 || len(v.login.Storage) > 0
	if elsewhere || slices.ContainsFunc(kept, func(c browser.StoredCookie) bool { return c.HTTPOnly }) {
		kept = slices.DeleteFunc(kept, forScripts) // those are no session where something else is
	}
	withheld := slices.ContainsFunc(r.Withheld, func(k browser.KeptBack) bool {
		return slices.ContainsFunc(kept, func(c browser.StoredCookie) bool { return c.Name == k.Name }) &&
			slices.ContainsFunc(k.Reasons, func(why string) bool { return why != "NotOnPath" && why != "DomainMismatch" })
	})
	return withheld || wire.HeaderValue(r.Header, "Cookie") == "" && wire.HeaderValue(r.Header, "Authorization") == "" && CookiesFor(kept, r.URL) != ""
}

// storedElsewhere names the places that a stored session is for, if the page is none
// of them.
func (v *Visit) storedElsewhere() string {
	hosts := []string{hostOf(v.State.URL)}
	if r, asked := v.CallbackRequest(); asked {
		hosts = append(hosts, hostOf(r.URL))
	}
	if len(v.login.Headers) > 0 || len(v.login.LocalStorage) > 0 {
		return ""
	}
	places := map[string]bool{}
	for origin := range v.login.Storage {
		if origin == wire.OriginOf(v.State.URL) {
			return ""
		}
		places[origin] = true
	}
	for _, c := range v.login.Cookies {
		domain := strings.TrimPrefix(c.Domain, ".")
		if domain == "" || slices.ContainsFunc(hosts, func(h string) bool { return h == domain || strings.HasSuffix(h, "."+domain) }) {
			return ""
		}
		places[domain] = true
	}
	all := slices.Sorted(maps.Keys(places))
	return strings.Join(all[:min(3, len(all))], ", ")
}

func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

var errNobody = errors.New("the login's steps have let nobody in")

// stepsLeftNobody says of a visit without a token that the steps of the login, which
// all were done, have let nobody in: by what their last page shows, or as they have
// left nothing by which a user could be known.
func (s *Session) stepsLeftNobody(v *Visit, why string) error {
	ended := v.user.Ended()
	var seen, hint string
	switch {
	case len(ended.Refused) > 0:
		return nil // so it is for all users
	case ofRobots.MatchString(ended.Says) || ended.Captcha && ended.Password && ended.Says == "":
		seen, hint = "the last page, "+redact.URL(ended.URL)+", still asks for the password, and has a captcha", "Steps can't solve a captcha. "+storeIt
	case ended.Says != "" && ended.Password:
		seen, hint = fmt.Sprintf("the last page, %s, says %q", redact.URL(ended.URL), ended.Says), "Are the name and the password the right ones (in the environment's variables), and may this user log in here? A wait_for at the end of page.login says it at once."
	case ended.Code:
		seen, hint = "the last page, "+redact.URL(ended.URL)+", asks for a one-time code", "Fill it with ${totp:NAME}, which makes it of the authenticator's secret (docs/staging.md, \"One-time code\")."
	case !v.brings() && v.Bare("") && len(v.State.Cookies) == 0:
		seen = "they have left no cookie, and nothing stored"
		hint = "Log in so by hand: does the answer set a cookie? Behind a proxy that ends TLS, frameworks keep a Secure cookie to themselves until they trust the proxy (Express: app.set(\"trust proxy\", 1); Rails, Django, ASP.NET: X-Forwarded-Proto). If it comes later than the steps end, wait_for something that only users see."
	default:
		return nil
	}
	text := "nobody is logged in after the steps of the login: " + seen + " (" + why + ")"
	s.Problem(text, hint)
	return settledError{fmt.Errorf("%s: %w", text, errNobody)}
}

// LoginRefused are the requests of the login's steps whose answers set cookies that
// the browser did not take, and what each set.
func (v *Visit) LoginRefused() []browser.Request { return v.user.Ended().Refused }

// Bare says whether the browser has nothing after the login's steps by which somebody
// could be known: no storage, and no cookie that scripts can't read, or by that name.
func (v *Visit) Bare(cookie string) bool {
	return !v.user.Ended().Databases && len(v.State.LocalStorage) == 0 && len(v.State.SessionStorage) == 0 &&
		!slices.ContainsFunc(v.State.Cookies, func(c browser.StoredCookie) bool { return c.HTTPOnly || c.Name == cookie })
}

// brings says whether what the callback asks for brings something to be known by.
func (v *Visit) brings() bool {
	r, asked := v.CallbackRequest()
	return asked && r.Header.Get("Authorization") != ""
}
