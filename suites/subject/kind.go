package subject

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
)

// What requests have in common that meet the same code of a service: a process that
// ends of one token whose signature is wrong ends of the next one too, and each time
// costs the run seconds.

// kind names what is out of order about a request, rather than what stands in it.
func (s *Session) kind(r wire.Request) string {
	address, query := r.URL, ""
	if u, err := url.Parse(r.URL); err == nil {
		query = strings.Join(slices.Sorted(maps.Keys(u.Query())), "&")
		u.RawQuery = ""
		address = u.String()
	}
	body := s.kinds.of(s.Options.Now(), [2]string{"body", string(r.Body)}, func() string { return bodyKind(r.Body) })
	parts := []string{r.Method, address, query, body}
	secret := s.secretOf(r)
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		for _, v := range r.Header[name] {
			switch canonical := http.CanonicalHeaderKey(name); {
			case canonical == "Authorization":
				v = s.credentialsKind(v, r.Body)
			case canonical == http.CanonicalHeaderKey(webhook.HeaderHMAC):
				v = signatureKind(secret, v, r.Body)
			case len(v) > 1<<10:
				v = fmt.Sprintf("%d KB", len(v)>>10)
			}
			parts = append(parts, name+"="+v)
		}
	}
	return strings.Join(parts, "\n")
}

// secretOf is the secret that requests to a webhook are signed with; "" for what is
// no webhook.
func (s *Session) secretOf(r wire.Request) string {
	for _, h := range s.Webhooks {
		if h.Config.URL == r.URL {
			return h.Config.Secret
		}
	}
	return ""
}

// credentialsKind is what is wrong with the token in an Authorization header. Whoever
// verifies RS256 does the same with all signatures that don't verify; with other
// algorithms it depends on what was signed with, so that each token is of its own kind.
func (s *Session) credentialsKind(value string, body []byte) string {
	var message struct {
		ChatID string `json:"chat_id"`
	}
	if len(body) <= maxKnown {
		_ = json.Unmarshal(body, &message) // whose chat is none has another kind of body
	}
	return s.kinds.of(s.Options.Now(), [2]string{message.ChatID, value}, func() string { return s.tokenKind(value, message.ChatID) })
}

func (s *Session) tokenKind(value, chatID string) string {
	scheme, raw, _ := strings.Cut(value, " ")
	result := s.checkToken(token.Raw(raw), chatID)
	kind := []string{scheme, fmt.Sprint(strings.Count(raw, ".")), fmt.Sprint(strings.HasSuffix(raw, "."))}
	for _, m := range result.Token.Header.Members() {
		if kind = append(kind, m.Name); m.Name == "alg" || m.Name == "kid" || m.Name == "typ" {
			kind = append(kind, m.Value.JSON())
		}
	}
	if alg := result.Token.Algorithm(); alg != "RS256" && result.Token.Header.Exists() {
		kind = append(kind, raw)
	}
	for _, v := range result.Refused() {
		kind = append(kind, v.Rule.ID)
	}
	return strings.Join(kind, " ")
}

// signatureKind says how Kindly-HMAC is written where it is not right.
func signatureKind(secret, value string, body []byte) string {
	if secret != "" && webhook.Verify(secret, body, value) {
		return "right"
	}
	return fmt.Sprintf("%d %t", len(value), utf8.ValidString(value) && strings.IndexFunc(value, func(c rune) bool { return c > 126 }) < 0)
}

// bodyKind is the shape of a body: JSON by its members and their types, and what is long by
// how long it is.
func bodyKind(body []byte) string {
	if len(body) > maxKnown {
		return fmt.Sprintf("%d KB, %.8q", len(body)>>10, body)
	}
	members, err := webhook.Members(body)
	switch {
	case err == nil:
		return fmt.Sprint(members) // in the order of their names
	case json.Valid(body):
		return "JSON " + string(bytes.TrimSpace(body)[:1])
	}
	return fmt.Sprintf("no JSON %t", len(body) == 0)
}

// knownKinds are those that were told within the same second, in which a token does not
// change its kind: signatures and headers are tried by the dozen with the same token and
// the same body, and each look at a token verifies its signature.
type knownKinds struct {
	mu     sync.Mutex
	second int64
	known  map[[2]string]string
}

// maxKnown bounds what is looked into and remembered, in bytes.
const maxKnown = 64 << 10

func (k *knownKinds) of(now time.Time, what [2]string, tell func() string) string {
	if len(what[1]) > maxKnown {
		return tell()
	}
	k.mu.Lock()
	if second := now.Unix(); second != k.second || k.known == nil {
		k.second, k.known = second, map[[2]string]string{}
	}
	known := k.known
	kind, ok := known[what]
	k.mu.Unlock()
	if ok {
		return kind
	}
	kind = tell()
	k.mu.Lock()
	defer k.mu.Unlock()
	known[what] = kind
	return kind
}
