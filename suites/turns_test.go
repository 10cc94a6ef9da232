package suites_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
)

// A webhook that takes each message once answers the same one again with 409: no two
// requests of a check are the same message.
func TestAWebhookThatTakesEachMessageOnceIsSound(t *testing.T) {
	t.Parallel()
	for name, believe := range map[string]func(header, claims map[string]any, signed bool, chat string) bool{
		"sound": nil,
		"any chat's token": func(header, claims map[string]any, signed bool, _ string) bool {
			chat, _ := claims["chat"].(map[string]any)
			id, _ := chat["id"].(string)
			return soundly(header, claims, signed, id)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := plain()
			h.believe = believe
			var seen sync.Map
			h.before = func(w http.ResponseWriter, r *http.Request) bool {
				body, _ := io.ReadAll(io.LimitReader(r.Body, 4<<20))
				r.Body = io.NopCloser(bytes.NewReader(body))
				var in struct {
					ChatID, Message any
					Exchange        struct{ ExchangeID any }
				}
				json.Unmarshal(bytes.ReplaceAll(body, []byte("_id"), []byte("ID")), &in)
				if in.Exchange.ExchangeID == nil || r.Header.Get("Kindly-HMAC") != kindlySignature(body) {
					return false
				}
				_, again := seen.LoadOrStore(fmt.Sprint(in, r.Header["Authorization"]), true)
				if again {
					http.Error(w, "it is being answered", http.StatusConflict)
				}
				return again
			}
			run := suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{})
			soundBut(t, run, believe != nil, "HOOK-OTHER-CHAT")
		})
	}
}

// A webhook that answers the messages of a chat one after another turns away what
// comes meanwhile. That is seen, and each request has a chat of its own then.
func TestAWebhookThatAnswersAChatOneByOneIsSound(t *testing.T) {
	t.Parallel()
	for name, believe := range map[string]func(header, claims map[string]any, signed bool, chat string) bool{
		"sound": nil,
		"any signature": func(header, claims map[string]any, _ bool, chat string) bool {
			return soundly(header, claims, true, chat)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := plain()
			h.believe = believe
			var busy sync.Map
			h.before = func(w http.ResponseWriter, r *http.Request) bool {
				body, _ := io.ReadAll(io.LimitReader(r.Body, 4<<20))
				r.Body = io.NopCloser(bytes.NewReader(body))
				chat := member(body, "chat_id")
				if _, taken := busy.LoadOrStore(chat, true); taken && chat != "" {
					http.Error(w, "one after another", http.StatusConflict)
					return true
				}
				context.AfterFunc(r.Context(), func() { busy.Delete(chat) }) // when it is answered
				time.Sleep(20 * time.Millisecond)                            // as if it asked a database
				return false
			}
			run := suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{})
			soundBut(t, run, believe != nil, "HOOK-SIGNATURE")
		})
	}
}

// A webhook that keeps its answers is sound where it keeps them by all that they depend
// on: the whole request, or who has been verified. One that looks into what it keeps
// before it verifies believes whoever names a user that it knows.
func TestACachingWebhookIsSound(t *testing.T) {
	t.Parallel()
	whole := func(r *http.Request, body []byte) string {
		return fmt.Sprint(r.Method, r.Header["Authorization"], r.Header["Kindly-Hmac"], r.Header["Kindly-Hmac-Algorithm"], string(body))
	}
	user := func(r *http.Request, body []byte) string {
		_, claims, _ := plain().read(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		if claims == nil || r.Header.Get("Kindly-HMAC") != kindlySignature(body) {
			return ""
		}
		return fmt.Sprint(claims["sub"], member(body, "message"))
	}
	for name, row := range map[string]struct {
		key      func(r *http.Request, body []byte) string // "": nothing is kept
		verified bool                                      // what is kept is given to those alone who got an answer now
		faulty   bool
	}{
		"by the whole request":                {whole, false, false},
		"by the user, who was verified":       {user, true, false},
		"by the user, before any is verified": {user, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var kept sync.Map
			run := suites.RunQuietly(t.Context(), servedHook(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(io.LimitReader(r.Body, 4<<20))
				r.Body = io.NopCloser(bytes.NewReader(body))
				key := row.key(r, body)
				answer, there := kept.Load(key)
				if !there || row.verified {
					fresh := httptest.NewRecorder()
					plain().ServeHTTP(fresh, r)
					if !there || fresh.Code != http.StatusOK {
						answer = fresh
					}
					if key != "" && fresh.Code == http.StatusOK {
						kept.LoadOrStore(key, fresh)
					}
				}
				was := answer.(*httptest.ResponseRecorder)
				maps.Copy(w.Header(), was.Header())
				w.WriteHeader(was.Code)
				w.Write(was.Body.Bytes())
			})), suites.Options{})
			soundBut(t, run, row.faulty, "HOOK-SIGNATURE")
		})
	}
}

// kindlySignature is Kindly's of a body.
func kindlySignature(body []byte) string {
	mac := hmac.New(sha256.New, []byte(plainSecret))
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// soundBut holds a run to be clean; or, of a webhook with a fault, to find that.
func soundBut(t *testing.T, run reports.Run, faulty bool, check string) {
	t.Helper()
	if faulty {
		if c := find(t, run, check); c.Outcome != reports.Failed {
			t.Errorf("%s is %s", c.ID, c.Outcome)
			describe(t, c)
		}
		return
	}
	noneIs(t, run, reports.Failed, reports.Warned, reports.Errored)
	if run.ExitCode != 0 {
		t.Errorf("exit code %d, and the run says %q", run.ExitCode, run.Problem)
	}
}
