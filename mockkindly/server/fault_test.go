package server

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly"

	"github.com/kindlytest/kindlytest/mockkindly/webhook"
)

func TestFaults(t *testing.T) {
	hook := newHook(t, replying("{}"))
	start := func(t *testing.T, f mockkindly.Faults) mock {
		k := newMock(t, mockkindly.Options{NextSecret: "the next secret"},
			mockkindly.Webhook{Name: "hook", URL: "https://hooks.example.com/", ConnectTo: hook.URL, Secret: "the first secret"})
		if err := k.SetFaults(f); err != nil {
			t.Fatal(err)
		}
		return k
	}
	t.Run("refuse_tokens refuses a sound token, and says that it is on purpose", func(t *testing.T) {
		k := start(t, mockkindly.Faults{RefuseTokens: true})
		chat := newChat(t, k)
		raw := sign(claims(chat.ID, time.Now()))
		w := do(k, "POST", "/mock/v1/chats/"+chat.ID+"/token", `{"token":"`+raw.Secret()+`"}`)
		if w.Code != 422 || !strings.Contains(w.Body.String(), "FAULT-REFUSE-TOKENS") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		chat, _ = k.Chat(chat.ID)
		if chat.Authenticated || chat.Refused != 1 || !chat.Refusals[0].OnPurpose {
			t.Errorf("the chat is %+v", chat)
		}
	})
	t.Run("call_twice is a hint for the widget", func(t *testing.T) {
		w := do(start(t, mockkindly.Faults{CallTwice: true}), "POST", "/mock/v1/chats", `{"bot_key":"bot"}`)
		if !strings.Contains(w.Body.String(), `"hints":{"call_twice":true}`) {
			t.Error(w.Body)
		}
	})
	t.Run("renew_early asks again after two seconds, and a token that comes again is noted", func(t *testing.T) {
		k := start(t, mockkindly.Faults{RenewEarly: true})
		chat := newChat(t, k)
		body := `{"token":"` + sign(claims(chat.ID, time.Now())).Secret() + `"}`
		if w := do(k, "POST", "/mock/v1/chats/"+chat.ID+"/token", body); !strings.Contains(w.Body.String(), `"renew_in_ms":2000`) {
			t.Error(w.Body)
		}
		do(k, "POST", "/mock/v1/chats/"+chat.ID+"/token", body)
		events := k.Journal().Events(0)
		if events[1].Token.Repeated || !events[2].Token.Repeated {
			t.Errorf("%+v", events)
		}
	})
	t.Run("with its clock forward, tokens expire", func(t *testing.T) {
		k := start(t, mockkindly.Faults{})
		chat, raw := authenticated(t, k, "hooks.example.com")
		if d := say(t, k, chat.ID); !d.WithToken {
			t.Fatal(d.Reason)
		}
		if err := k.SetFaults(mockkindly.Faults{ClockForwardMinutes: 6}); err != nil {
			t.Fatal(err)
		}
		if d := say(t, k, chat.ID); d.WithToken || !strings.Contains(d.Reason, "expired") {
			t.Errorf("with the token: %v, %s", d.WithToken, d.Reason)
		}
		if res, err := k.Authenticate(chat.ID, raw, mockkindly.Expired); err != nil || res.Accepted() {
			t.Errorf("the old token is accepted, %v", err)
		}
	})
	t.Run("with its clock forward a little, it asks for the next token in time", func(t *testing.T) {
		k := start(t, mockkindly.Faults{ClockForwardMinutes: 4})
		chat := newChat(t, k)
		w := do(k, "POST", "/mock/v1/chats/"+chat.ID+"/token", `{"token":"`+sign(claims(chat.ID, time.Now())).Secret()+`"}`)
		var got struct {
			RenewInMS int `json:"renew_in_ms"`
		}
		// A minute is left by its clock, and it asks 30 s before the end.
		if json.Unmarshal(w.Body.Bytes(), &got) != nil || got.RenewInMS < 25_000 || got.RenewInMS > 30_000 {
			t.Error(w.Body)
		}
	})
	t.Run("rotate_secret signs with the other secret", func(t *testing.T) {
		k := start(t, mockkindly.Faults{RotateSecret: true})
		d := say(t, k, newChat(t, k).ID)
		got := hook.Last(t)
		signature, _ := webhook.Signature(got.Header)
		if !d.Rotated || !webhook.Verify("the next secret", got.Body, signature) || webhook.Verify("the first secret", got.Body, signature) {
			t.Errorf("rotated %v, signature %s", d.Rotated, signature)
		}
	})
	t.Run("slow_ms delays what a page asks, and nothing else", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { // whose clock goes on where all wait, and not else
			k := start(t, mockkindly.Faults{SlowMS: 60})
			began := time.Now()
			do(k, "GET", "/mock/v1/health", "")
			if d := time.Since(began); d > 0 {
				t.Errorf("the admin side took %v", d)
			}
			do(k, "POST", "/mock/v1/chats", `{"bot_key":"bot"}`)
			if d := time.Since(began); d != 60*time.Millisecond {
				t.Errorf("the widget's side took %v", d)
			}
		})
	})
	t.Run("slow_ms takes no time from the body", func(t *testing.T) {
		k := start(t, mockkindly.Faults{SlowMS: 200})
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(100 * time.Millisecond))
			k.ServeHTTP(w, r)
		}))
		t.Cleanup(server.Close)
		long := `{"bot_key":"bot"` + strings.Repeat(" ", 64<<10) + `}`
		res, err := http.Post(server.URL+"/mock/v1/chats", "application/json", strings.NewReader(long))
		if err != nil {
			t.Fatal(err)
		}
		if res.Body.Close(); res.StatusCode >= http.StatusBadRequest {
			t.Errorf("status %d", res.StatusCode)
		}
	})
	t.Run("they are bounded", func(t *testing.T) {
		k := start(t, mockkindly.Faults{})
		for _, f := range []mockkindly.Faults{{SlowMS: -1}, {SlowMS: 60_001}, {ClockForwardMinutes: -1}, {ClockForwardMinutes: 366*24*60 + 1}} {
			var invalid *mockkindly.InputError
			if err := k.SetFaults(f); !errors.As(err, &invalid) {
				t.Errorf("%+v: %v", f, err)
			}
		}
	})
	t.Run("PUT changes only what is named, and a reset ends all", func(t *testing.T) {
		k := start(t, mockkindly.Faults{CallTwice: true})
		w := do(k, "PUT", "/mock/v1/faults", `{"slow_ms":7}`)
		if want := (mockkindly.Faults{CallTwice: true, SlowMS: 7}); k.Faults() != want {
			t.Errorf("%d %+v", w.Code, k.Faults())
		}
		if err := k.Reset(); err != nil || k.Faults() != (mockkindly.Faults{}) {
			t.Errorf("%v %+v", err, k.Faults())
		}
	})
}
