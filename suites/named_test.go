package suites_test

import (
	"bytes"
	"compress/gzip"
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// Each is one mistake, and is named as that: by one cause, with nothing beside it,
// in words that help; and what would mislead is not said.
func TestOneMistakeOfAWebhookIsNamedAlone(t *testing.T) {
	t.Parallel()
	areNamedAlone(t, []namedMistake{
		{"a parser of forms has found nothing in the body", "hmac-body-empty", func() plainHook {
			return signs(func(secret string, _ *http.Request, _ []byte) string { return hmacOf(secret, []byte("{}")) })
		}, []string{"a signature over {}", "express.urlencoded"}, "compare the two secrets"},
		{"PHP has written an empty $_POST", "hmac-body-empty", func() plainHook {
			return signs(func(secret string, _ *http.Request, _ []byte) string { return hmacOf(secret, []byte("[]")) })
		}, []string{"a signature over []", "php://input"}, "compare the two secrets"},
		{"the check is that of another service", "hmac-refused", func() plainHook {
			return answers(400, "application/json", `{"error":"Webhook Error: Unable to extract timestamp and signatures from header"}`)
		}, []string{"Stripe", "no time stamp"}, "compare the two secrets"},
		{"nginx wants a client certificate", "gateway-refuses", func() plainHook {
			return answers(400, "text/html", "<html><head><title>400 No required SSL certificate was sent</title></head><center>nginx/1.24.0</center>")
		}, []string{"client certificate", "ssl_verify_client"}, "secrets"},
		{"nginx looks for a file", "webhook-takes-no-post", func() plainHook {
			return answers(405, "text/html", "<html><head><title>405 Not Allowed</title></head><center>nginx/1.24.0</center>")
		}, []string{"proxy_pass", "a server of files"}, "business"},
		{"the server's default page", "webhook-answers-a-page", func() plainHook {
			return answers(200, "text/html", "<html><body><h1>It works!</h1></body></html>")
		}, []string{"server_name", "no site by this name"}, "login"},
		{"Vercel's function never ends", "gateway-without-service", func() plainHook {
			return answers(504, "text/plain", "An error occurred with your deployment\n\nFUNCTION_INVOCATION_TIMEOUT", "X-Vercel-Error", "FUNCTION_INVOCATION_TIMEOUT")
		}, []string{"takes too long", "never comes"}, "certificate"},
		{"a Worker throws", "webhook-fails-on-everything", func() plainHook {
			return answers(500, "text/html", "<title>Worker threw exception | hooks.example.com | Cloudflare</title>")
		}, []string{"wrangler tail"}, "JSON parser"},
		{"a field is required, whoever asks", "webhook-misses-input", func() plainHook {
			return answers(400, "application/json", `{"title":"One or more validation errors occurred.","errors":{"Attachments":["The Attachments field is required."]}}`)
		}, []string{"does not find", "not always there"}, "secrets"},
		{"the signature is required, whoever asks", "hmac-refused", func() plainHook {
			return answers(400, "application/json", `{"error":"The Signature field is required."}`)
		}, []string{"compare the two secrets"}, "as a form"},
		{"nobody has kept the raw body", "webhook-fails-on-everything", func() plainHook {
			return answers(500, "text/plain", `TypeError: The "data" argument must be of type string or an instance of Buffer, TypedArray, or DataView. Received undefined`)
		}, []string{"rawBody is undefined"}, "gets an object"},
		{"it reads a field that is not there", "webhook-fails-on-everything", func() plainHook {
			return answers(500, "text/html", "<title>KeyError at /kindly/</title>")
		}, []string{"its error names it"}, "JSON parser"},
		{"a gateway wants a key of its own", "gateway-refuses", func() plainHook {
			return answers(401, "application/json", `{"message":"No API key found in request"}`, "Server", "kong/3.4.2")
		}, []string{"key-auth"}, "secrets"},
		{"a gateway judges the token", "gateway-takes-token", func() plainHook {
			return ifToken(answers(401, "text/plain", "Jwt issuer is not configured", "Server", "istio-envoy"))
		}, []string{"RequestAuthentication"}, "public half"},
		{"a service mesh", "gateway-refuses", func() plainHook { return answers(403, "text/plain", "RBAC: access denied") }, []string{"AuthorizationPolicy"}, "secrets"},
		{"Google's proxy", "gateway-refuses", func() plainHook { return answers(401, "text/html", "Invalid IAP credentials: empty token") }, []string{"IAP"}, "secrets"},
		{"a tunnel's own page", "gateway-refuses", func() plainHook {
			return answers(511, "text/html", "<!doctype html><title>Tunnel website ahead!</title>")
		}, []string{"cloudflared"}, "parser"},
		{"there is no such app", "webhook-not-found", func() plainHook {
			return answers(404, "text/html", "<!DOCTYPE html><title>Heroku | No such app</title>")
		}, []string{"Heroku"}, "business"},
		{"fields that it does not know", "webhook-forbids-members", func() plainHook {
			h := plain()
			h.before = func(w http.ResponseWriter, r *http.Request) bool {
				return r.Header.Get("Kindly-HMAC") != "" && answers(422, "application/json", `{"detail":[{"type":"extra_forbidden","loc":["body","_links"],"msg":"Extra inputs are not permitted"}]}`).before(w, r)
			}
			return h
		}, []string{"fields that it does not know", "Take no notice"}, "not as a form"},
		{"the library is not told the algorithm", "webhook-fails-on-tokens", func() plainHook {
			return ifToken(answers(500, "application/json", `{"detail":"It is required that you pass in a value for the \"algorithms\" argument when calling decode()."}`))
		}, []string{`algorithms=["RS256"]`}, "public half"},
		{"a framework says why in a header alone", "webhook-refuses-valid-tokens", func() plainHook {
			return ifToken(answers(401, "", "", "WWW-Authenticate", `Bearer error="invalid_token", error_description="The signature key was not found"`))
		}, []string{"“The signature key was not found”", "IssuerSigningKey"}, "public half of"},
		{"tokens are good for five minutes more", "webhook-forgives-expiry", func() plainHook {
			h := plain()
			h.believe = func(header, claims map[string]any, signed bool, chat string) bool {
				return soundly(header, claims, signed, chat) || soundlyAt(time.Now().Add(-299*time.Second), header, claims, signed, chat)
			}
			return h
		}, []string{"ClockSkew", "290 seconds"}, "Require exp"},
		{"the secret of the webhook ends in a line end", "hmac-secret-line-end", func() plainHook {
			return signs(func(secret string, _ *http.Request, body []byte) string { return hmacOf(secret+"\n", body) })
		}, []string{"ends in a line end"}, "public half"},
		{"letters beyond ASCII are lost before the hash", "hmac-ascii", func() plainHook {
			return signs(func(secret string, _ *http.Request, body []byte) string {
				text := strings.Map(func(r rune) rune {
					if r > 127 {
						return '?'
					}
					return r
				}, string(body))
				return hmacOf(secret, []byte(text))
			})
		}, []string{"beyond ASCII", "Hash the bytes"}, "Keep the bytes"},
		{"the body is hashed as Latin-1", "hmac-latin1", func() plainHook {
			return signs(func(secret string, _ *http.Request, body []byte) string {
				var text []byte
				for _, r := range string(body) {
					text = append(text, byte(r))
				}
				return hmacOf(secret, text)
			})
		}, []string{"Latin-1"}, "Keep the bytes"},
		{"a gateway hands the body over in base64", "hmac-body-base64", func() plainHook {
			return signs(func(secret string, _ *http.Request, body []byte) string {
				return hmacOf(secret, []byte(base64.StdEncoding.EncodeToString(body)))
			})
		}, []string{"isBase64Encoded"}, "public half"},
		{"it wants a time stamp that Kindly does not send", "hmac-refused", func() plainHook {
			return signs(func(secret string, r *http.Request, body []byte) string {
				return hmacOf(secret, []byte(r.Header.Get("Kindly-Timestamp")+"."+string(body)))
			})
		}, []string{"no time stamp", "compare the two secrets"}, "public half"},
		{"the hash gets an object, and throws", "webhook-fails-on-everything", func() plainHook {
			return signs(func(string, *http.Request, []byte) string { return "throw" })
		}, []string{"express.raw", "status 500"}, "public half"},
		{"the comparison throws on another length", "hmac-compare-throws", func() plainHook {
			return signs(func(secret string, r *http.Request, body []byte) string {
				if len(strings.Join(r.Header.Values("Kindly-HMAC"), ", ")) != 44 {
					return "throw"
				}
				return hmacOf(secret, body)
			})
		}, []string{"timingSafeEqual", "status 500"}, "leave the signature out"},
		{"an empty signature is none", "webhook-checks-hmac-if-there", func() plainHook {
			return signs(func(secret string, r *http.Request, body []byte) string {
				if r.Header.Get("Kindly-HMAC") == "" {
					r.Header["Kindly-HMAC"], r.Header["Kindly-Hmac-Algorithm"] = []string{""}, []string{"HMAC-SHA-256 (base64 encoded)"}
					return ""
				}
				return hmacOf(secret, body)
			})
		}, []string{"Answer 401 where Kindly-HMAC is missing"}, "constant time"},
		{"it checks what says the right algorithm", "webhook-checks-hmac-by-algorithm", func() plainHook {
			return signs(func(secret string, r *http.Request, body []byte) string {
				if algorithm := "HMAC-SHA-256 (base64 encoded)"; r.Header.Get("Kindly-HMAC-algorithm") != algorithm {
					r.Header.Set("Kindly-HMAC", "")
					r.Header.Set("Kindly-HMAC-algorithm", algorithm)
					return ""
				}
				return hmacOf(secret, body)
			})
		}, []string{"whatever Kindly-HMAC-algorithm says"}, "where Kindly-HMAC is missing"},
		{"an empty signature is none, and one beyond ASCII throws", "webhook-checks-hmac-if-there", func() plainHook {
			return signs(func(secret string, r *http.Request, body []byte) string {
				given := r.Header.Get("Kindly-HMAC")
				if given == "" {
					r.Header["Kindly-HMAC"], r.Header["Kindly-Hmac-Algorithm"] = []string{""}, []string{"HMAC-SHA-256 (base64 encoded)"}
					return ""
				}
				if strings.ContainsFunc(given, func(c rune) bool { return c > '~' }) {
					return "throw"
				}
				return hmacOf(secret, body)
			})
		}, []string{"Answer 401 where Kindly-HMAC is missing"}, "constant time"},
		{"a gateway writes a token of its own", "webhook-refuses-everybody", func() plainHook {
			h := plain()
			h.stranger = func(w http.ResponseWriter) { http.Error(w, `{"error":"bad token"}`, http.StatusUnauthorized) }
			h.believe = func(map[string]any, map[string]any, bool, string) bool { return false }
			return h
		}, []string{"gateway may put a token", "status 401"}, ""},
		{"the body is hashed as UTF-16", "hmac-utf16", func() plainHook {
			return signs(func(secret string, _ *http.Request, body []byte) string {
				var wide []byte
				for _, c := range utf16.Encode([]rune(string(body))) {
					wide = append(wide, byte(c), byte(c>>8))
				}
				return hmacOf(secret, wide)
			})
		}, []string{"UTF-16", "Encoding.UTF8"}, "decode it"},
		{"its secret is not set", "hmac-secret-missing", func() plainHook {
			return signs(func(_ string, _ *http.Request, body []byte) string { return hmacOf("undefined", body) })
		}, []string{`the secret "undefined"`, "Give the webhook the secret"}, "time stamp"},
		{"it decodes as hex what is none", "hmac-secret-missing", func() plainHook {
			return signs(func(_ string, _ *http.Request, body []byte) string { return hmacOf("", body) })
		}, []string{"an empty secret", `Buffer.from(secret, "hex")`}, "time stamp"},
		{"it reads the signature from another header", "hmac-header-name", func() plainHook {
			return signs(func(secret string, r *http.Request, body []byte) string {
				if r.Header.Get("X-Kindly-Hmac") != hmacOf(secret, body) {
					return "never"
				}
				return r.Header.Get("Kindly-HMAC")
			})
		}, []string{"X-Kindly-HMAC", "Read it from Kindly-HMAC"}, "time stamp"},
		{"it knows the algorithm by another name", "hmac-algorithm-name", func() plainHook {
			h := plain()
			h.before = func(_ http.ResponseWriter, r *http.Request) bool {
				name := "none"
				if r.Header.Get("Kindly-HMAC-algorithm") == "sha256" {
					name = "HMAC-SHA-256 (base64 encoded)"
				}
				r.Header.Set("Kindly-HMAC-algorithm", name)
				return false
			}
			return h
		}, []string{"Kindly-HMAC-algorithm: sha256", "(base64 encoded)"}, "secret"},
		{"it takes the whole of Authorization for the token", "webhook-misreads-bearer", func() plainHook {
			return readsToken(func(authorization string) string { return authorization })
		}, []string{"without Bearer", `split(" ")[1]`}, "public half"},
		{"it leaves the space before the token", "webhook-misreads-bearer", func() plainHook {
			return readsToken(func(authorization string) string { return strings.TrimPrefix(authorization, "Bearer") })
		}, []string{`split(" ")[1]`}, "public half"},
		{"it looks for the chat in chatId of the request", "webhook-misses-chat", func() plainHook {
			h := plain()
			h.chat = "chatId"
			return h
		}, []string{"under the name chatId", "chat_id of the request"}, "public half"},
		{"it looks for the chat in another claim", "webhook-misses-chat", func() plainHook {
			h := plain()
			h.believe = func(header, claims map[string]any, signed bool, chat string) bool {
				return claims["chat_id"] == chat && soundly(header, claims, signed, chat)
			}
			return h
		}, []string{"claim chat_id", "claim chat.id"}, "public half"},
		{"it compares the times with milliseconds", "webhook-wants-milliseconds", func() plainHook {
			h := plain()
			h.believe = func(header, claims map[string]any, signed bool, chat string) bool {
				for _, name := range []string{"iat", "exp", "nbf"} {
					if ms, ok := claims[name].(float64); ok {
						claims[name] = ms / 1000
					}
				}
				return soundly(header, claims, signed, chat)
			}
			return h
		}, []string{"in milliseconds", "Math.floor(Date.now() / 1000)"}, "public half"},
		{"it compares with the chat id in capitals", "webhook-changes-chat", func() plainHook {
			h := plain()
			h.believe = func(header, claims map[string]any, signed bool, chat string) bool {
				return soundly(header, claims, signed, strings.ToUpper(chat))
			}
			return h
		}, []string{"in capitals", "as it came"}, "public half"},
		{"it expects another issuer", "webhook-wants-issuer", func() plainHook {
			h := plain()
			h.believe = func(header, claims map[string]any, signed bool, chat string) bool {
				return claims["iss"] == "https://kindly.ai" && soundly(header, claims, signed, chat)
			}
			return h
		}, []string{`iss is "https://kindly.ai"`, "the very iss"}, "public half"},
		{"it expects its own URL for audience", "webhook-wants-audience", func() plainHook {
			h := plain()
			h.believe = func(header, claims map[string]any, signed bool, chat string) bool {
				return claims["aud"] == "https://hook1.shop.example" && soundly(header, claims, signed, chat)
			}
			return h
		}, []string{"aud", "need no aud"}, "public half"},
		{"it requires nbf", "webhook-wants-audience", func() plainHook {
			h := plain()
			h.believe = func(header, claims map[string]any, signed bool, chat string) bool {
				return claims["nbf"] != nil && soundly(header, claims, signed, chat)
			}
			return h
		}, []string{"need no nbf"}, "public half"},
		{"it verifies with its secret", "webhook-verifies-with-secret", func() plainHook {
			h := plain()
			h.verify = func(input string, signature []byte) bool {
				mac := hmac.New(sha256.New, []byte(plainSecret))
				mac.Write([]byte(input))
				return hmac.Equal(mac.Sum(nil), signature)
			}
			h.believe = signedWith("HS256")
			return h
		}, []string{"signed with the webhook's secret", "your public key"}, "chat_id"},
		{"it accepts another algorithm", "webhook-wants-algorithm", func() plainHook {
			h := plain()
			h.verify = func(input string, signature []byte) bool {
				sum := sha512.Sum512([]byte(input))
				return rsa.VerifyPKCS1v15(h.key, crypto.SHA512, sum[:], signature) == nil
			}
			h.believe = signedWith("RS512")
			return h
		}, []string{"signed with RS512", `algorithms: ["RS256"]`}, "public half"},
		{"it verifies with another key", "webhook-refuses-valid-tokens", func() plainHook {
			h := plain()
			h.believe = func(map[string]any, map[string]any, bool, string) bool { return false }
			return h
		}, []string{"public half of the key"}, "gateway may put"},
		{"its key can't be read: each token is an exception", "webhook-fails-on-tokens", func() plainHook {
			h := plain()
			h.before = func(w http.ResponseWriter, r *http.Request) bool {
				if r.Header.Get("Authorization") != "" && r.Header.Get("Kindly-HMAC") != "" {
					http.Error(w, "Internal Server Error", http.StatusInternalServerError)
					return true
				}
				return false
			}
			return h
		}, []string{`\n as two characters`, "500 text/plain"}, "public half"},
		{"nothing is behind the gateway", "gateway-without-service", func() plainHook {
			return answers(502, "text/html", "<title>502 Bad Gateway</title>", "Server", "nginx/1.22.1")
		}, []string{"Start the app", "nginx/1.22.1"}, "public half"},
		{"a login page answers with 200", "webhook-answers-a-page", func() plainHook {
			return answers(200, "text/html", "<!doctype html><title>Log in</title><form>")
		}, []string{"Log in", "without a login"}, "signature"},
		{"a middleware redirects to the login", "webhook-redirects-to-login", func() plainHook {
			return answers(307, "text/plain", "", "Location", "/login?next=/kindly")
		}, []string{"/login?next=/kindly", "without a session"}, "Register the final URL"},
		{"it redirects to https", "webhook-redirects", func() plainHook {
			return answers(301, "text/plain", "", "Location", "https://hook1.shop.example/kindly")
		}, []string{"https://hook1.shop.example/kindly"}, "public half"},
		{"a gateway forbids it", "hmac-refused", func() plainHook {
			return answers(403, "application/json", `{"message":"Forbidden"}`, "Server", "awselb/2.0")
		}, []string{"awselb/2.0", "a gateway before it"}, "public half"},
		{"it is behind a password", "webhook-behind-password", func() plainHook {
			return answers(401, "text/html", "<title>401 Authorization Required</title>", "WWW-Authenticate", `Basic realm="Staging"`)
		}, []string{"HTTP Basic", "out of the password"}, "secret"},
		{"the framework wants its CSRF token", "webhook-wants-csrf", func() plainHook {
			return answers(419, "text/html", "<!doctype html><title>Page Expired</title>")
		}, []string{"routes/api.php", "419"}, "secret"},
		{"API Gateway has no such route", "webhook-not-found", func() plainHook {
			return answers(403, "application/json", `{"message":"Missing Authentication Token"}`, "X-Amzn-Errortype", "MissingAuthenticationTokenException")
		}, []string{"no such path", "no token is missing"}, "secret"},
		{"API Gateway takes the token for a signature", "gateway-takes-token", func() plainHook {
			return ifToken(answers(403, "application/json", `{"message":"Authorization header requires 'Credential' parameter."}`))
		}, []string{"IAM", "valid token gets status 403"}, "public half"},
		{"API Gateway does not understand the function", "gateway-without-service", func() plainHook {
			return answers(502, "application/json", `{"message": "Internal server error"}`, "X-Amzn-Errortype", "InternalServerErrorException")
		}, []string{"body a string", "CloudWatch"}, "Start the app"},
		{"Cloud Run lets nobody in, and says two things", "gateway-refuses", func() plainHook {
			const page = "<html><title>Error</title><h2>Your client does not have permission to get URL <code>/</code> from this server.</h2>"
			h, known := answers(403, "text/html", page), answers(401, "text/html", page)
			strangers := h.before
			h.before = func(w http.ResponseWriter, r *http.Request) bool {
				if r.Header.Get("Authorization") != "" {
					return known.before(w, r)
				}
				return strangers(w, r)
			}
			return h
		}, []string{"unauthenticated invocations"}, "digest"},
		{"two things are said, and nobody knows by whom", "webhook-refuses-valid-tokens", func() plainHook {
			h := answers(403, "application/json", `{}`)
			strangers := h.before
			h.before = func(w http.ResponseWriter, r *http.Request) bool {
				if r.Header.Get("Authorization") != "" {
					return answers(401, "application/json", `{}`).before(w, r)
				}
				return strangers(w, r)
			}
			return h
		}, nil, "digest"},
		{"Supabase reads Authorization itself", "gateway-takes-token", func() plainHook {
			return ifToken(answers(401, "application/json", `{"code":401,"message":"Invalid JWT"}`))
		}, []string{"verify_jwt"}, "public half"},
		{"Cloudflare takes it for a bot", "gateway-refuses", func() plainHook {
			return answers(403, "text/html", "<!doctype html><title>Just a moment...</title>", "Server", "cloudflare")
		}, []string{"Write a rule at Cloudflare"}, "secret"},
		{"a filter takes browsers only", "gateway-refuses", func() plainHook {
			h := plain()
			h.before = func(w http.ResponseWriter, r *http.Request) bool {
				return !strings.Contains(r.UserAgent(), "Mozilla") && answers(403, "text/html", "<html><title>Forbidden</title>").before(w, r)
			}
			return h
		}, []string{"User-Agent of a browser", "whatever their User-Agent"}, "secret"},
		{"the framework does not know the host", "gateway-refuses", func() plainHook {
			return answers(400, "text/html", "<!doctype html><title>DisallowedHost at /kindly</title><pre>Invalid HTTP_HOST header: &#x27;hooks.example.com&#x27;.</pre>")
		}, []string{"ALLOWED_HOSTS", "does not know the host"}, "secret"},
		{"the development server does not know the host", "gateway-refuses", func() plainHook {
			return answers(403, "text/plain", `Blocked request. This host ("hooks.example.com") is not allowed.`)
		}, []string{"server.allowedHosts"}, "secret"},
		{"a list of addresses", "gateway-refuses", func() plainHook {
			return answers(403, "application/json", `{"detail":"IP 127.0.0.1 is not on the allow list"}`)
		}, []string{"a list of addresses", "from any address"}, "secret"},
		{"the CORS check wants an Origin", "webhook-fails-on-everything", func() plainHook {
			return answers(500, "text/html", "<pre>Error: Not allowed by CORS<br></pre>")
		}, []string{"Let requests without Origin through"}, "HMAC"},
		{"nothing has parsed the body", "webhook-fails-on-everything", func() plainHook {
			return answers(500, "text/html", "<pre>TypeError: Cannot destructure property &#39;chat_id&#39; of &#39;req.body&#39; as it is undefined.</pre>")
		}, []string{"express.json()", "was not parsed"}, "HMAC"},
		{"it looks for a key id", "webhook-refuses-valid-tokens", func() plainHook {
			return ifToken(answers(401, "application/json", `{"error":"No KID in JWT"}`))
		}, []string{"by the token's kid", "need none"}, "public half of"},
		{"it acknowledges, and says nothing", "answer-says-nothing", func() plainHook {
			return rewrites(func([]byte) any { return map[string]string{"status": "received"} })
		}, []string{"acknowledges", "no later call"}, "message"},
		{"the tunnel is closed", "gateway-without-service", func() plainHook {
			return answers(404, "text/html", "<!doctype html><title>ngrok</title>", "Ngrok-Error-Code", "ERR_NGROK_3200")
		}, []string{"Start the tunnel"}, "business"},
		{"no path is served", "webhook-not-found", func() plainHook {
			h := plain()
			h.before = func(w http.ResponseWriter, r *http.Request) bool {
				return answers(404, "text/plain", "nothing at "+r.URL.Path).before(w, r)
			}
			return h
		}, []string{"at any path", "its prefix"}, "business"},
		{"only GET is served", "webhook-takes-no-post", func() plainHook {
			return answers(405, "text/plain", "no", "Allow", "GET, HEAD")
		}, []string{"it takes GET, HEAD"}, "business"},
		{"it looks for a form", "webhook-misses-input", func() plainHook {
			h := plain()
			h.before = func(w http.ResponseWriter, r *http.Request) bool {
				return r.Header.Get("Kindly-HMAC") != "" && answers(400, "application/json", `{"error":"message is required"}`).before(w, r)
			}
			return h
		}, []string{"as JSON", "message is required"}, "business"},
		{"it hangs up", "webhook-hangs-up", func() plainHook {
			h := plain()
			h.before = func(w http.ResponseWriter, r *http.Request) bool {
				if strings.Contains(r.URL.Path, "nowhere") {
					http.NotFound(w, r)
					return true
				}
				panic(http.ErrAbortHandler)
			}
			return h
		}, []string{"no answer", "Look into its log"}, "0.0.0.0"},
		{"the container's port is published, and the app listens inside of it only", "webhook-port-unserved", func() plainHook {
			h := plain()
			h.before = func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) }
			return h
		}, []string{"no answer", "(confirmed)", "listen on 0.0.0.0"}, "log"},
		{"a platform wants a key of its own", "hmac-refused", func() plainHook {
			return answers(401, "", "")
		}, []string{"without a word", "?code="}, "time stamp"},
		{"its answer is a gateway's envelope", "answer-is-an-envelope", func() plainHook {
			return rewrites(func(answer []byte) any { return map[string]any{"statusCode": 200, "body": string(answer)} })
		}, []string{"envelope", "proxy integration"}, "Rename"},
		{"its answer stands within another", "answer-nested", func() plainHook {
			return rewrites(func(answer []byte) any { return map[string]any{"success": true, "data": json.RawMessage(answer)} })
		}, []string{"data.reply", "at its top"}, "as application/json"},
		{"its answer is in a list", "answer-nested", func() plainHook {
			return rewrites(func(answer []byte) any { return []any{json.RawMessage(answer)} })
		}, []string{"[0].reply"}, "as application/json"},
		{"its answer is JSON twice", "answer-encoded-twice", func() plainHook {
			return rewrites(func(answer []byte) any { return string(answer) })
		}, []string{"not res.json(JSON.stringify"}, "as application/json"},
		{"it prints a warning first", "answer-mixed", func() plainHook {
			return writes(func(answer []byte) []byte { return append([]byte("Warning: nothing in line 12\n"), answer...) })
		}, []string{"before the JSON object", "display_errors"}, "as application/json"},
		{"it counts letters, not bytes", "answer-cut-off", func() plainHook {
			return writes(func(answer []byte) []byte {
				wide := bytes.ReplaceAll(answer, []byte(`."`), []byte(`, på vei, blåbær."`))
				return wide[:utf8.RuneCount(wide)]
			})
		}, []string{"count bytes, not letters"}, "in UTF-8"},
		{"it writes Latin-1", "answer-not-utf8", func() plainHook {
			return writes(func(answer []byte) []byte { return bytes.ReplaceAll(answer, []byte("."), []byte("\xe5.")) })
		}, []string{"Write the answer in UTF-8"}, "as application/json"},
		{"it compresses, and does not say so", "answer-compressed", func() plainHook {
			return writes(func(answer []byte) []byte {
				var b bytes.Buffer
				z := gzip.NewWriter(&b)
				z.Write(answer)
				z.Close()
				return b.Bytes()
			})
		}, []string{"Content-Encoding: gzip"}, "as application/json"},
		{"the answer is called message", "answer-under-another-name", func() plainHook {
			return rewrites(func(answer []byte) any {
				return json.RawMessage(bytes.Replace(answer, []byte(`"reply"`), []byte(`"message"`), 1))
			})
		}, []string{"reply"}, "public half"},
	})
}

// A namedMistake is one of a webhook, the cause by which a run names it, and words of what
// the run says of it, or does not.
type namedMistake struct {
	name, cause string
	hook        func() plainHook
	says        []string // in what was seen, answered, or is to be done
	unsaid      string   // in the fix
}

func areNamedAlone(t *testing.T, all []namedMistake) {
	for _, row := range due(t, all, func(row namedMistake) string { return row.name }) {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			shop := targetOf(t, row.hook())
			shop.Webhooks[0].Secret = plainSecret
			shop.Endpoint, shop.PublicKeys = endpointThatSigns(t, 300), []*token.Key{publicOf(t)}
			run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"HOOK-*", "SIG-*", "RESP-*", "FWD-REDIRECT", "LIVE-HOOK-HEADERS"},
				Skip: []string{"HOOK-UNVERIFIED", "HOOK-DUPLICATE-CLAIMS"}})
			namesAlone(t, run, row.cause, row.says...)
			if fix := run.Causes[0].Fix; row.unsaid != "" && strings.Contains(fix, row.unsaid) {
				t.Errorf("the fix is %q", fix)
			}
		})
	}
}

// What sleeps until it is called is told so, and nothing else of it.
func TestAColdStartIsNamedAlone(t *testing.T) {
	t.Parallel()
	h := plain()
	var called atomic.Int32
	h.before = func(_ http.ResponseWriter, r *http.Request) bool {
		body, _ := io.ReadAll(r.Body) // else nobody notices that a client has given up
		r.Body = io.NopCloser(bytes.NewReader(body))
		if called.Add(1) <= 2 {
			<-r.Context().Done()
		}
		return false
	}
	run := suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{Timeout: 2600 * time.Millisecond, Only: []string{"HOOK-VALID", "HOOK-ANONYMOUS", "FWD-REDIRECT", "RESP-*", "SIG-VALID"}})
	namesAlone(t, run, "webhook-cold-start", "--timeout", "no answer in ", "s at first, and quick later")
}

// Where no HTTP comes back, it is not said to answer 200.
func TestAnotherProtocolAndSilenceAreNamedAlone(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		hook  func(t *testing.T, shop *target.Target)
		cause string
		says  string
	}{
		"https is asked of http": {func(t *testing.T, shop *target.Target) {
			shop.Webhooks[0].ConnectTo = strings.Replace(shop.Webhooks[0].ConnectTo, "http:", "https:", 1)
		}, "webhook-speaks-otherwise", "does not look like a TLS handshake"},
		"it never answers": {func(t *testing.T, shop *target.Target) { shop.Webhooks[0].ConnectTo = serve(t, hang) }, "webhook-silent", "what it waits for"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shop := targetOf(t, plain())
			row.hook(t, &shop)
			run := suites.RunQuietly(t.Context(), shop, suites.Options{Timeout: 300 * time.Millisecond, Only: []string{"HOOK-VALID", "RESP-STATUS", "RESP-JSON", "SIG-VALID"}})
			if text := namesAlone(t, run, row.cause, row.says); strings.Contains(text, "business says no") {
				t.Error(text)
			}
		})
	}
}
