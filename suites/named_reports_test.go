package suites_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// digestOf is the HMAC of a body, as bytes.
func digestOf(secret string, body []byte) []byte {
	b, _ := base64.StdEncoding.DecodeString(hmacOf(secret, body))
	return b
}

// refusesMembers is a webhook that verifies tokens, and answers those of members with
// something else than an answer.
func refusesMembers(status int, body string) plainHook {
	h := plain()
	h.before = func(w http.ResponseWriter, r *http.Request) bool {
		inner := httptest.NewRecorder()
		plain().ServeHTTP(inner, r)
		if !strings.Contains(inner.Body.String(), "your order") {
			says(inner.Code, "application/json", inner.Body.String())(w, r)
			return true
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
		return true
	}
	return h
}

// Each is what somebody has reported, and asked for hours: it is named as what it was.
func TestWhatWasReportedOfSignaturesAndTokensIsNamed(t *testing.T) {
	t.Parallel()
	with := func(secret func(string) string) func() plainHook {
		return func() plainHook {
			return signs(func(s string, _ *http.Request, body []byte) string { return hmacOf(secret(s), body) })
		}
	}
	written := func(write func([]byte) string) func() plainHook {
		return func() plainHook {
			return signs(func(s string, _ *http.Request, body []byte) string { return write(digestOf(s, body)) })
		}
	}
	areNamedAlone(t, []namedMistake{
		{"Python prints the bytes of the digest", "hmac-printed", written(func(b []byte) string { return "b'" + base64.StdEncoding.EncodeToString(b) + "'" }), []string{"b'…'", ".decode()"}, "compare the two secrets"},
		{"Go prints the bytes of the digest", "hmac-printed", written(func(b []byte) string { return fmt.Sprint(b) }), []string{"[1 2 …]", "EncodeToString"}, "compare the two secrets"},
		{"C# writes hex with dashes", "hmac-hex", written(func(b []byte) string { return strings.ReplaceAll(fmt.Sprintf("% X", b), " ", "-") }), []string{"with dashes", "Convert.ToBase64String"}, "compare the two secrets"},
		{"an object is encoded instead of its bytes", "hmac-constant", func() plainHook {
			return signs(func(string, *http.Request, []byte) string {
				return base64.StdEncoding.EncodeToString([]byte("[object ArrayBuffer]"))
			})
		}, []string{"the same text for every body", "new Uint8Array(signature)"}, "compare the two secrets"},
		{"its secret was encoded twice for Kubernetes", "hmac-secret-encoded", with(func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s + "\n")) }), []string{"stringData", "printf %s"}, "trim"},
		{"its secret begins with a byte order mark", "hmac-secret-unseen", with(func(s string) string { return "\ufeff" + s }), []string{"byte order mark", "UTF-8 with BOM"}, "trim"},
		{"its secret ends in a space", "hmac-secret-unseen", with(func(s string) string { return s + " " }), []string{"ends in a space"}, "trim"},
		{"its secret is the JSON that holds it", "hmac-secret-json", with(func(s string) string { return `{"KINDLY_HMAC_SECRET":"` + s + `"}` }), []string{"SecretString"}, "trim"},
		{"it joins the body's lines", "hmac-body-rewritten", func() plainHook {
			return signs(func(s string, _ *http.Request, body []byte) string {
				return hmacOf(s, []byte(strings.NewReplacer("\r", "", "\n", "").Replace(string(body))))
			})
		}, []string{"readAllBytes"}, "compare the two secrets"},
		{"a parser writes the body again", "hmac-body-rewritten", func() plainHook {
			return signs(func(s string, _ *http.Request, body []byte) string {
				var out bytes.Buffer
				json.Compact(&out, body)
				return hmacOf(s, out.Bytes())
			})
		}, []string{"writing the parsed JSON again"}, "readAllBytes"},
		{"Ruby's encode64 ends in a line end", "hmac-refused", written(func(b []byte) string { return base64.StdEncoding.EncodeToString(b) + "\n" }), []string{"strict_encode64", "timingSafeEqual"}, "Route"},
		{"a guard of NestJS stands before each route", "webhook-behind-login", func() plainHook {
			return answers(401, "application/json", `{"message":"Unauthorized","statusCode":401}`)
		}, []string{"inferred from the answers", "@Public()"}, "encode64"},
		{"Laravel's login", "webhook-behind-login", func() plainHook { return answers(401, "application/json", `{"message":"Unauthenticated."}`) }, []string{"auth:sanctum"}, "encode64"},
		{"WordPress has no permission_callback", "webhook-behind-login", func() plainHook {
			return answers(401, "application/json", `{"code":"rest_forbidden","message":"Sorry, you are not allowed to do that.","data":{"status":401}}`)
		}, []string{"__return_true"}, "encode64"},
		{"a login that nobody knows by name", "webhook-behind-login", func() plainHook {
			return answers(403, "application/json", `{"error":{"code":"AUTHENTICATION_REQUIRED","detail":"You must be logged in."}}`)
		}, []string{"no session and no account"}, "encode64"},
		{"a login that reads each Bearer token", "webhook-behind-login", func() plainHook {
			h := plain()
			h.before = func(w http.ResponseWriter, r *http.Request) bool {
				says := "Not authenticated"
				if r.Header.Get("Authorization") != "" {
					says = "Could not validate credentials"
				}
				return answers(401, "application/json", `{"detail":"`+says+`"}`).before(w, r)
			}
			return h
		}, []string{"FastAPI's HTTPBearer"}, "encode64"},
		{"a filter has read the body, and its answer says nothing of it", "webhook-body-read-before", func() plainHook {
			h := plain()
			h.before = func(w http.ResponseWriter, r *http.Request) bool {
				inner := httptest.NewRecorder()
				if plain().ServeHTTP(inner, r); inner.Code == 401 && strings.Contains(inner.Body.String(), "signed") {
					says(inner.Code, "application/json", inner.Body.String())(w, r)
					return true
				}
				return answers(400, "application/json", fmt.Sprintf(`{"timestamp":"%s","status":400,"error":"Bad Request","path":"/kindly"}`, time.Now().Format(time.RFC3339Nano))).before(w, r)
			}
			return h
		}, []string{"an empty body and a form", "inferred from the answers", "wrapper with a copy"}, "as a form"},
		{"it reads the body as a form", "webhook-misses-input", func() plainHook {
			h := plain()
			h.before = func(w http.ResponseWriter, r *http.Request) bool {
				body, _ := io.ReadAll(r.Body)
				r.Body = io.NopCloser(bytes.NewReader(body))
				if r.Header.Get("Kindly-HMAC") != hmacOf(plainSecret, body) {
					return answers(401, "application/json", `{"error":"signature"}`).before(w, r)
				}
				if r.FormValue("message") == "" {
					return answers(400, "application/json", `{"error":"Bad Request"}`).before(w, r)
				}
				return answers(200, "application/json", `{"reply":"Hello!"}`).before(w, r)
			}
			return h
		}, []string{"a form with the message in it", "(confirmed)", "Read the body as JSON"}, "copy"},
		{"it reads of the verified token what .NET has renamed", "webhook-fails-after-verifying", func() plainHook {
			return refusesMembers(500, "System.NullReferenceException: Object reference not set to an instance of an object.\n   at Shop.Controllers.KindlyController.Hook(KindlyRequest body)")
		}, []string{"it is verified", "MapInboundClaims = false"}, "a field that the request has not"},
		{"no header of that name arrives", "hmac-not-found", func() plainHook {
			return answers(401, "application/json", `{"message":"missing signature header"}`)
		}, []string{"inferred from the answers", `headers["kindly-hmac"]`}, "compare the two secrets"},
		{"CloudFront passes on no such header", "hmac-not-found", func() plainHook {
			return answers(400, "text/plain", "Missing Kindly-HMAC header", "Via", "1.1 8c2f.cloudfront.net (CloudFront)")
		}, []string{"origin request policy"}, "compare the two secrets"},
		{"one that may be wrong or missing is not said to be missing", "hmac-refused", func() plainHook {
			return answers(401, "application/json", `{"message":"Invalid or missing signature"}`)
		}, []string{"compare the two secrets"}, "origin request policy"},
		{"something takes Authorization away, and the webhook says that it lacks it", "token-does-not-arrive", func() plainHook {
			h := plain()
			h.before = func(_ http.ResponseWriter, r *http.Request) bool { r.Header.Del("Authorization"); return false }
			h.stranger = func(w http.ResponseWriter) { says(401, "application/json", `{"error":"No token provided"}`)(w, nil) }
			return h
		}, []string{"CGIPassAuth", "inferred from the answers", "No token provided"}, "compare the two secrets"},
		{"the same, before anything looks at the signature", "token-does-not-arrive", func() plainHook {
			return answers(401, "application/json", `{"msg":"Missing Authorization Header"}`)
		}, []string{"CGIPassAuth", "inferred from the answers"}, "compare the two secrets"},
		{"the same, and it is called a bad request", "token-does-not-arrive", func() plainHook {
			h := plain()
			h.before = func(_ http.ResponseWriter, r *http.Request) bool { r.Header.Del("Authorization"); return false }
			h.stranger = func(w http.ResponseWriter) { says(400, "application/json", `{"error":"token is required"}`)(w, nil) }
			return h
		}, []string{"CGIPassAuth", "inferred from the answers"}, "compare the two secrets"},
		{"the same, and it is an error", "token-does-not-arrive", func() plainHook {
			h := plain()
			h.before = func(_ http.ResponseWriter, r *http.Request) bool { r.Header.Del("Authorization"); return false }
			h.stranger = func(w http.ResponseWriter) {
				says(500, "text/plain", "JsonWebTokenError: jwt must be provided")(w, nil)
			}
			return h
		}, []string{"CGIPassAuth", "inferred from the answers"}, "JSON parser"},
		{"it checks the signature, and fails with what comes next", "webhook-fails-on-everything", func() plainHook {
			h := plain()
			h.stranger = func(w http.ResponseWriter) { says(500, "text/plain", "Internal Server Error")(w, nil) }
			h.before = func(_ http.ResponseWriter, r *http.Request) bool { r.Header.Del("Authorization"); return false }
			return h
		}, []string{"It checks the signature, and fails with what it does next"}, "JSON parser"},
		{"it fails wherever there is a signature to check", "hmac-check-throws", func() plainHook {
			h := plain()
			h.before = func(w http.ResponseWriter, r *http.Request) bool {
				return r.Header.Get("Kindly-HMAC") != "" && answers(500, "text/plain", "Internal Server Error").before(w, r)
			}
			return h
		}, []string{"express.raw"}, "compare the two secrets"},
		{"a token that may be wrong or missing is not said to be missing", "webhook-refuses-everybody", func() plainHook {
			h := plain()
			h.stranger = func(w http.ResponseWriter) {
				says(401, "application/json", `{"error":"Missing or invalid token"}`)(w, nil)
			}
			h.before = func(_ http.ResponseWriter, r *http.Request) bool { r.Header.Del("Authorization"); return false }
			return h
		}, []string{"CGIPassAuth", "a token of its own"}, "compare the two secrets"},
		{"one HMAC goes on from the last body", "webhook-works-once", func() plainHook {
			var once sync.Once
			var mu sync.Mutex
			var mac hash.Hash
			return signs(func(secret string, _ *http.Request, body []byte) string {
				once.Do(func() { mac = hmac.New(sha256.New, []byte(secret)) })
				mu.Lock()
				defer mu.Unlock()
				mac.Write(body)
				return base64.StdEncoding.EncodeToString(mac.Sum(nil))
			})
		}, []string{"each one since is refused", "goes on from the last body"}, "compare the two secrets"},
		{"one of two instances has an old secret", "webhook-differs-by-turn", func() plainHook {
			var n atomic.Int64
			return signs(func(secret string, _ *http.Request, body []byte) string {
				if n.Add(1)%2 == 0 {
					secret = "of last year"
				}
				return hmacOf(secret, body)
			})
		}, []string{"the very same request", "Several instances"}, "compare the two secrets"},
		{"one of two instances has an old key", "webhook-differs-by-turn", func() plainHook {
			var n atomic.Int64
			h := plain()
			h.believe = func(header, claims map[string]any, signed bool, chat string) bool {
				return n.Add(1)%2 == 0 && soundly(header, claims, signed, chat)
			}
			return h
		}, []string{"the very same request", "Several instances"}, "compare the two secrets"},
		{"it wants a scope", "webhook-wants-permission", func() plainHook { return refusesMembers(403, "") }, []string{"it is verified", "inferred from the answers", "authenticated()"}, "public half of"},
		{"it looks for a user by another id", "webhook-knows-no-such-user", func() plainHook { return refusesMembers(404, `{"error":"no such user"}`) }, []string{"it is verified", "into sub"}, "public half of"},
		{"it looks for the claims where they are not", "webhook-fails-after-verifying", func() plainHook { return refusesMembers(500, "Internal Server Error") }, []string{"it is verified", "(confirmed)", "req.auth"}, "public half of"},
		{"a plugin judges each token, at any path", "gateway-takes-token", func() plainHook {
			h := plain()
			h.before = func(w http.ResponseWriter, r *http.Request) bool {
				switch {
				case r.Header.Get("Authorization") != "":
					http.Error(w, `{"error":"who are you?"}`, http.StatusForbidden)
				case strings.Contains(r.URL.Path, "nowhere"):
					http.NotFound(w, r)
				default:
					return false
				}
				return true
			}
			return h
		}, []string{"at whatever path", "before the webhook"}, "public half of"},
		{"nobody handles the path", "webhook-not-found", func() plainHook { return answers(200, "", "") }, []string{"at any path", "Caddy"}, "acknowledges"},
	})
}

// On a narrow screen, too, it is read that Kindly sends no time stamp: a long fix is cut
// off there.
func TestANarrowScreenShowsWhatKindlySigns(t *testing.T) {
	t.Parallel()
	h := signs(func(secret string, r *http.Request, body []byte) string {
		return hmacOf(secret, []byte(r.Header.Get("Kindly-Timestamp")+"."+string(body)))
	})
	shop := targetOf(t, h)
	shop.Webhooks[0].Secret = plainSecret
	run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"SIG-VALID"}})
	if block := blockOf(t, run, 80); !strings.Contains(strings.Join(strings.Fields(block), " "), "with no time stamp") {
		t.Error(block)
	}
}

// Who waits for ever for a body that has been read before answers what is checked first.
func TestWhatASilentWebhookWaitsForIsSaid(t *testing.T) {
	t.Parallel()
	forever := func(w http.ResponseWriter, r *http.Request) bool {
		io.Copy(io.Discard, r.Body) // only who has read it hears of a client that hangs up
		<-r.Context().Done()
		return true
	}
	for _, row := range []struct {
		name   string
		before func(w http.ResponseWriter, r *http.Request) bool
		says   []string
	}{
		{"after the signature", func(w http.ResponseWriter, r *http.Request) bool {
			if r.Header.Get("Kindly-HMAC") == "" {
				http.Error(w, `{"error":"signature"}`, http.StatusUnauthorized)
				return true
			}
			return forever(w, r)
		}, []string{"It checks the signature", "has been read before"}},
		{"of every body", func(w http.ResponseWriter, r *http.Request) bool {
			if r.ContentLength == 0 {
				http.Error(w, `{"error":"signature"}`, http.StatusUnauthorized)
				return true
			}
			return forever(w, r)
		}, []string{"with an empty body", "has been read before"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			h := plain()
			h.before = row.before
			run := suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{Timeout: time.Second, Only: []string{"HOOK-VALID", "RESP-STATUS", "RESP-JSON", "SIG-VALID"}})
			namesAlone(t, run, "webhook-silent", row.says...)
		})
	}
}

// An endpoint that fails with a library's known error is told what to do about that, also
// where nobody has opened a page, and where its first token was a good one.
func TestAnEndpointsKnownErrorIsNamed(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ says, want string }{
		{"AttributeError: 'str' object has no attribute 'decode'", "PyJWT 2"},
		{"System.ObjectDisposedException: Cannot access a disposed object.\nObject name: 'RSAOpenSsl'.", "one RSA"},
		{"IDX10720: Unable to create KeyedHashAlgorithm for algorithm 'HS256'", "RsaSecurityKey"},
	} {
		t.Run(row.want, func(t *testing.T) {
			t.Parallel()
			shop := target.Target{Endpoint: &target.EndpointConfig{URL: serve(t, says(http.StatusInternalServerError, "text/plain", row.says)), ChatIDField: "chatId"}}
			run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"AUTH-POST-TOKEN"}})
			namesAlone(t, run, "callback-endpoint-error", row.want)
		})
	}
}
