package subject

import (
	"bytes"
	"encoding/json"
	"html"
	"mime"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/internal/wire"
)

// Answered says what answered a request of the page, so that a reader knows who
// it was: `POST /auth: 403 text/html, "CSRF verification failed"`.
func Answered(r browser.Request, page string) string {
	where := redact.URL(r.URL)
	if origin := wire.OriginOf(page); origin != "" && wire.OriginOf(r.URL) == origin {
		where = strings.TrimPrefix(where, origin)
	}
	text := strings.TrimSpace(r.Method+" "+Bound(where, 200)) + ": "
	switch {
	case r.Status == 0 && r.Error != "":
		return text + r.Error
	case r.Status == 0:
		return text + "no answer yet"
	}
	text += strconv.Itoa(r.Status)
	if to := r.ResponseHeader.Get("Location"); to != "" && r.Status/100 == 3 {
		return text + " to " + Bound(redact.URL(to), 200)
	}
	if kind := mediaType(r); kind != "" {
		text += " " + kind
	}
	if says := Says(r); says != "" {
		text += `, "` + says + `"`
	}
	return text
}

func mediaType(r browser.Request) string {
	kind, _, err := mime.ParseMediaType(r.ResponseHeader.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return kind
}

// IsHTML says whether an answer is a page for people. JSON is none, whatever it is
// called: PHP says text/html of all that it is not told about.
func IsHTML(r browser.Request) bool {
	if isJSON(r.ResponseBody) {
		return false
	}
	body := strings.ToLower(strings.TrimSpace(string(r.ResponseBody[:min(len(r.ResponseBody), 1000)])))
	return mediaType(r) == "text/html" || strings.HasPrefix(body, "<!doctype html") || strings.HasPrefix(body, "<html")
}

// isJSON says whether a body is an object or a list in JSON.
func isJSON(body []byte) bool {
	body = bytes.TrimSpace(body)
	return len(body) > 0 && (body[0] == '{' || body[0] == '[') && json.Valid(body)
}

var (
	unseen = regexp.MustCompile(`(?is)<(script|style)\b.*?</(script|style)>|<!--.*?-->`)
	tags   = regexp.MustCompile(`(?s)<[^>]*>`)
)

// maxSays bounds what is quoted of an answer.
const maxSays = 240

// Says is the gist of an answer: a page's text, an error's message, or the body
// itself.
func Says(r browser.Request) string {
	body := string(r.ResponseBody[:min(len(r.ResponseBody), 64<<10)])
	if IsHTML(r) {
		body = html.UnescapeString(tags.ReplaceAllString(unseen.ReplaceAllString(body, " "), " "))
	} else if message := messageIn(r.ResponseBody); message != "" {
		body = message
	}
	return Quote([]byte(strings.Join(strings.Fields(body), " ")), r.ResponseHeader.Get("Content-Type"), maxSays)
}

// messageIn is the message of an error in JSON, by the names that people use.
func messageIn(body []byte) string {
	var members map[string]any
	if json.Unmarshal(body, &members) != nil {
		return ""
	}
	for _, name := range []string{"message", "error", "detail", "error_description", "title", "msg", "reason"} {
		switch v := members[name].(type) {
		case string:
			if v != "" {
				return v
			}
		case map[string]any:
			if message, ok := v["message"].(string); ok && message != "" {
				return message
			}
		}
	}
	return ""
}

// CookiesFor are the cookies that the browser keeps for a URL, as a header (RFC 6265,
// 5.1.3, 5.1.4 and 5.4). Loopback counts as secure, as Chrome has it.
func CookiesFor(cookies []browser.StoredCookie, raw string) string {
	r, err := http.NewRequest(http.MethodGet, raw, nil)
	if err != nil {
		return ""
	}
	host := strings.ToLower(r.URL.Hostname())
	path := r.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	var pairs []string
	for _, c := range cookies {
		domain := strings.ToLower(strings.TrimPrefix(c.Domain, "."))
		inDomain := host == domain || strings.HasPrefix(c.Domain, ".") && strings.HasSuffix(host, "."+domain)
		inPath := path == c.Path || strings.HasPrefix(path, strings.TrimSuffix(c.Path, "/")+"/")
		if inDomain && inPath && (!c.Secure || r.URL.Scheme == "https" || wire.IsLoopback(raw)) {
			pairs = append(pairs, c.Name+"="+c.Value)
		}
	}
	return strings.Join(pairs, "; ")
}

// Resend is a request of the page, to be made again.
func Resend(r browser.Request) wire.Request {
	return wire.Request{Method: r.Method, URL: r.URL, Header: resendable(r.Header), Body: r.Body}
}

// Asked are the requests until the callback settled that carry the chat's id,
// with what redirects made of them: on a busy machine they may have begun long
// before the chat client's own reports. Where none does, [Visit.CallbackRequests]
// are the best guess.
func (v *Visit) Asked() []browser.Request {
	var out []browser.Request
	hops, reports := map[string]bool{}, 0
	for _, r := range v.Record.Requests {
		if r.Kindly && strings.HasSuffix(pathOf(r.URL), "/"+v.ChatID+"/callbacks") {
			if reports++; reports == 2 { // it was called, and it settled
				break
			}
		}
		if !r.Kindly && r.ResourceType != "Preflight" && v.ChatID != "" && (hops[r.ID] || carriesChat(r, v.ChatID)) {
			hops[r.ID] = r.ID != ""
			out = append(out, r)
		}
	}
	if len(out) > 0 {
		return out
	}
	return v.CallbackRequests()
}

// CallbackEvidence are the page's requests that may have been for the token:
// what the callback asked for, or else what the page's scripts fetched.
func (v *Visit) CallbackEvidence() []Evidence {
	var out []Evidence
	for _, r := range v.Asked() {
		out = append(out, RequestEvidence("a request of the page's callback", r))
	}
	for _, r := range v.Record.Requests {
		if len(out) == 0 && !r.Kindly && (r.ResourceType == "Fetch" || r.ResourceType == "XHR") {
			out = append(out, RequestEvidence("a request of the page's scripts", r))
		}
	}
	return out[:min(5, len(out))]
}
