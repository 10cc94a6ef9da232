package mockkindly

import (
	"context"
	"errors"
	"testing"
)

// A webhook may be set up anew, elsewhere, under the name that it had.
func TestResendDecidesAnewWhereTheWebhookIsNow(t *testing.T) {
	const listed, moved = "https://hooks.example.com/", "https://evil.example.net/"
	tests := map[string]struct {
		state           TokenState
		domains         []string // of the token
		before, now     string   // the webhook's URL
		refused, allows bool
		withToken       bool
	}{
		"the same token is left out where it may not go":    {TokenSame, []string{"hooks.example.com"}, listed, moved, false, false, false},
		"no expired token goes where it may not":            {TokenExpired, []string{"hooks.example.com"}, listed, moved, true, false, false},
		"no other chat's token goes where it may not":       {TokenOtherChat, []string{"hooks.example.com"}, listed, moved, true, false, false},
		"without a token it goes, and the decision is new":  {TokenNone, []string{"hooks.example.com"}, listed, moved, false, false, false},
		"the same token goes where it may, too":             {TokenSame, []string{"hooks.example.com", "*.example.net"}, listed, moved, false, true, true},
		"an expired one goes where the webhook has come to": {TokenExpired, []string{"hooks.example.com"}, moved, listed, false, true, true},
		"another chat's goes where the webhook has come to": {TokenOtherChat, []string{"hooks.example.com"}, moved, listed, false, true, true},
		"what went without a token goes without it again":   {TokenSame, []string{"hooks.example.com"}, moved, listed, false, true, false},
		"a loopback address never gets one":                 {TokenSame, []string{"hooks.example.com", "localhost"}, listed, "http://localhost:1/", false, false, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			old, hook := newHook(t, replying("{}")), newHook(t, replying("{}"))
			k := newMock(t, Options{SigningKey: signingKey()}, Webhook{Name: "hook", URL: tt.before, ConnectTo: old.URL})
			chat, _ := authenticated(t, k, tt.domains...)
			say(t, k, chat.ID)
			e := lastEvent(k)
			if _, err := k.AddBot(MustBot("bot", publicPEM(), Webhook{Name: "hook", URL: tt.now, ConnectTo: hook.URL})); err != nil {
				t.Fatal(err)
			}
			again, err := k.Resend(context.Background(), e.Seq, tt.state)
			if tt.refused {
				var not *ResendError
				if !errors.As(err, &not) || len(hook.Requests) != 0 {
					t.Errorf("%v, and %d requests", err, len(hook.Requests))
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			d, sent := again.Delivery, hook.Last(t).Header.Get("Authorization")
			if (sent != "") != tt.withToken || d.WithToken != tt.withToken {
				t.Errorf("sent with a token: %v; it says %v, %s", sent != "", d.WithToken, d.Reason)
			}
			if d.Decision.Allowed != tt.allows || d.Decision.Reason == "" || d.URL != tt.now {
				t.Errorf("the decision about %s is %+v", d.URL, d.Decision)
			}
			if len(old.Requests) != 1 {
				t.Errorf("the old address got %d requests", len(old.Requests))
			}
		})
	}
}

// The page may have got another token since, with other domains.
func TestResendDecidesByTheDomainsOfTheTokenThatIsSent(t *testing.T) {
	hook := newHook(t, replying("{}"))
	k, chat, e := delivered(t, Options{SigningKey: signingKey()}, hook, "hooks.example.com")
	if _, err := k.Authenticate(chat.ID, sign(claims(chat.ID, now(), "elsewhere.example.com")), Expired); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Resend(context.Background(), e.Seq, TokenSame); err != nil || hook.Last(t).Header.Get("Authorization") == "" {
		t.Errorf("the first token may go there: %v", err)
	}
	n := len(hook.Requests)
	var not *ResendError
	if _, err := k.Resend(context.Background(), e.Seq, TokenExpired); !errors.As(err, &not) || len(hook.Requests) != n {
		t.Errorf("the claims of the newer one forbid it: %v", err)
	}
}
