package subject

import (
	"encoding/base64"
	"fmt"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/mockkindly/token"
)

func lasting(until time.Time, id int) browser.CallResult {
	part := base64.RawURLEncoding.EncodeToString
	return browser.CallResult{Token: part([]byte(`{"alg":"RS256"}`)) + "." + part(fmt.Appendf(nil, `{"exp":%d,"jti":"%d"}`, until.Unix(), id)) + ".AA"}
}

// exp counts whole seconds, so that two tokens of one second last equally long: a callback is
// asked again until one lasts longer, for a second, and once more by a clock that is put
// forward where it keeps its token.
func TestACallbackIsAskedAgainUntilItsTokenLastsLonger(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		call             func(n int) browser.CallResult
		most             int
		longer, advanced bool
	}{
		"a new token each time":       {func(n int) browser.CallResult { return lasting(time.Now().Add(time.Minute), n) }, renewTries + 1, true, false},
		"another one, no later":       {func(n int) browser.CallResult { return lasting(time.Unix(4e9, 0), n) }, renewTries + 1, false, false},
		"the same one until near exp": {func(n int) browser.CallResult { return lasting(time.Unix(4e9+int64(n/(renewTries+2)), 0), 1) }, renewTries + 2, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := 0
			r, err := renewOn(t.Context(), func(time.Duration) error { return nil }, func(string) (browser.CallResult, error) {
				n++
				return row.call(n), nil
			}, "chat", time.Now)
			if err != nil || n < 2 || n > row.most {
				t.Errorf("called %d times (%v), want at most %d", n, err, row.most)
			}
			if longer := ExpiryOf(token.Raw(r.After.Token)).After(ExpiryOf(token.Raw(r.Before.Token))); longer != row.longer || (r.Advanced > 0) != row.advanced {
				t.Errorf("longer: %v, by a clock put forward: %s", longer, r.Advanced)
			}
		})
	}
}
