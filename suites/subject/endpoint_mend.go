package subject

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/kindlytest/kindlytest/internal/forge"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// A page whose callback gets no token makes a request that its endpoint refuses.
// The usual reasons are tried, one request each: what then gives a token names
// the mistake, and stands for the endpoint in all other checks, as if it were
// mended.

// A Mending is what was changed in the page's request so that it got a token.
type Mending struct {
	What  string // as in "it gives one to the same request with …"
	Cause string // the cause's ID
	Fix   string
}

// A mendedRequest is one that would be right, and how it came to be so where the
// mending alone does not say it.
type mendedRequest struct {
	wire.Request
	how string
}

func as(r wire.Request) []mendedRequest { return []mendedRequest{{r, ""}} }

// mendings are the usual mistakes of a page's request: each makes the requests
// that would be right.
var mendings = []struct {
	what, cause, fix string
	mend             func(e *Endpoint, v *Visit) []mendedRequest
}{

	{"the page's cookies, which the page does not send", "callback-without-credentials", `Send them: fetch(url, {credentials: "include", …}).`, withCookies},
	{"Content-Type: application/json", "callback-without-content-type", `Say what the body is: headers: {"Content-Type": "application/json"}.`, asJSON},
	{"a slash at the end of the path, or without it", "callback-wrong-slash", "Call the path exactly as the server has it: a redirect makes a GET of the POST, or loses the body.", withSlash},
	{"the URL to which it redirects", "callback-redirected", "Call that URL at once: browsers make a GET of a POST that is redirected.", redirected},
	{"the page's CSRF token in a header", "callback-csrf", "Send the token that stands in the cookie or in the tag of the page, in the header that the framework expects.", withCSRF},
	{"the chat id under another name", "callback-chat-id-name", fixChatName, withChatName},
	{"the chat id as a member of an object, in JSON", "callback-chat-id-bare", fixChatBare, withChatInObject},
	{"X-Requested-With: XMLHttpRequest", "callback-without-header", "Send it, as jQuery and axios of old did: frameworks tell by it that a script asks.", asScript},
}

const fixChatName = "Read it by the name that the page sends, or let the page send the one that the endpoint reads."

// mend looks for what would give the page a token for its chat, and changes the
// endpoint to it. A token that names no chat is none: the endpoint has not found
// the chat id in the request.
func (s *Session) mend(e *Endpoint, v *Visit) {
	hung := false
	gets := func(title string, r wire.Request) (token.Raw, bool) {
		if hung { // what is right is answered soon
			r.Timeout = s.Options.Timeout / 4
		}
		ev, raw := s.Ask(s.Base, title, replacedChat(r, e.ChatID, s.NewChatID()))
		hung = hung || ev.Exchange.Kind() == wire.KindTimeout
		return raw, raw != "" && namesChat(raw)
	}
	raw, named := gets("as the page asks", e.Request)
	if named {
		return
	}
	for _, m := range mendings {
		if raw != "" && m.cause != "callback-chat-id-name" && m.cause != "callback-chat-id-bare" && m.cause != "callback-without-content-type" {
			continue // it gives a token, and only the chat id is not read
		}
		for _, r := range m.mend(e, v) {
			tried := &Endpoint{ChatID: e.ChatID, Request: r.Request}
			s.Redact.Learn(tried.Credentials()...)
			if given, named := gets("with "+m.what, r.Request); given != "" && (raw == "" || named) {
				e.Request, e.Mended = r.Request, &Mending{cmp.Or(r.how, m.what), m.cause, m.fix}
				return
			}
		}
	}
}

// namesChat says whether a token is for some chat, as far as it can be read: the
// name of a missing value is none.
func namesChat(raw token.Raw) bool {
	t, err := token.Decode(raw)
	return err != nil || !slices.Contains([]string{"", "undefined", "null", "None"}, t.ChatID())
}

// chatNames are how endpoints call the chat id, the likeliest first.
var chatNames = []string{"chat_id", "chatId", "chatID", "chat", "id", "chatid"}

const fixChatBare = `Send an object: headers: {"Content-Type": "application/json"}, body: JSON.stringify({chatId}).`

// withChatInObject sends JSON with the chat id in it, where the page sends it as it is,
// as a text in JSON, or as a field of a form.
func withChatInObject(e *Endpoint, _ *Visit) []mendedRequest {
	var object map[string]any
	if e.ChatID == "" || json.Unmarshal(e.Request.Body, &object) == nil || !strings.Contains(string(e.Request.Body), e.ChatID) {
		return nil
	}
	var out []mendedRequest
	for _, name := range []string{"chatId", "chat_id"} {
		r := e.Request.Clone()
		r.Body = fmt.Appendf(nil, `{%q:%q}`, name, e.ChatID)
		r.Header.Set("Content-Type", "application/json")
		out = append(out, mendedRequest{r, "the JSON object {\"" + name + "\": …} for its body"})
	}
	return out
}

func asScript(e *Endpoint, _ *Visit) []mendedRequest {
	if wire.HeaderValue(e.Request.Header, "X-Requested-With") != "" {
		return nil
	}
	r := e.Request.Clone()
	r.Header.Set("X-Requested-With", "XMLHttpRequest")
	return as(r)
}

// memberOfChat is the member of a JSON body that holds the chat id.
func memberOfChat(r wire.Request, chatID string) string {
	var body map[string]any
	if json.Unmarshal(r.Body, &body) != nil {
		return ""
	}
	for _, name := range slices.Sorted(maps.Keys(body)) {
		if body[name] == chatID {
			return name
		}
	}
	return ""
}

// withChatName names the chat id in a JSON body otherwise.
func withChatName(e *Endpoint, _ *Visit) []mendedRequest {
	sent := memberOfChat(e.Request, e.ChatID)
	if sent == "" {
		return nil
	}
	var out []mendedRequest
	for _, name := range chatNames {
		if name == sent {
			continue
		}
		r := e.Request.Clone()
		without, err := forge.Without(r.Body, sent)
		if err != nil {
			return nil
		}
		if r.Body, err = forge.With(without, name, []byte(strconv.Quote(e.ChatID))); err == nil {
			out = append(out, mendedRequest{r, "the chat id under the name " + name})
		}
	}
	return out
}

func replacedChat(r wire.Request, from, to string) wire.Request {
	return (&Endpoint{ChatID: from, Request: r}).WithChat(to)
}

func withCookies(e *Endpoint, v *Visit) []mendedRequest {
	cookies := CookiesFor(v.State.Cookies, e.Request.URL)
	if cookies == "" || e.Request.Header.Get("Cookie") != "" {
		return nil
	}
	r := e.Request.Clone()
	r.Header.Set("Cookie", cookies)
	return as(r)
}

func asJSON(e *Endpoint, _ *Visit) []mendedRequest {
	if !json.Valid(e.Request.Body) || strings.HasPrefix(e.Request.Header.Get("Content-Type"), "application/json") {
		return nil
	}
	r := e.Request.Clone()
	r.Header.Set("Content-Type", "application/json")
	return as(r)
}

func withSlash(e *Endpoint, _ *Visit) []mendedRequest {
	u, err := url.Parse(e.Request.URL)
	if err != nil || u.Path == "" || u.Path == "/" {
		return nil
	}
	path, had := strings.CutSuffix(u.EscapedPath(), "/")
	if !had {
		path += "/"
	}
	if u.Path, err = url.PathUnescape(path); err != nil {
		return nil
	}
	u.RawPath = path
	r := e.Request.Clone()
	r.URL = u.String()
	return as(r)
}

// redirected follows a redirect within the origin: the session goes nowhere else.
func redirected(e *Endpoint, _ *Visit) []mendedRequest {
	if e.Seen.Exchange.Status()/100 != 3 {
		return nil
	}
	base, err := url.Parse(e.Request.URL)
	if err != nil {
		return nil
	}
	to, err := base.Parse(wire.HeaderValue(e.Seen.Exchange.Response.Header, "Location"))
	if err != nil || wire.OriginOf(to.String()) != e.Origin() {
		return nil
	}
	r := e.Request.Clone()
	r.URL = to.String()
	return as(r)
}

func withCSRF(e *Endpoint, v *Visit) []mendedRequest {
	var out, last []mendedRequest
	in := func(header string, t csrfToken) mendedRequest {
		r := e.Request.Clone()
		r.Header.Set(header, t.value)
		return mendedRequest{r, "the page's CSRF token, of the " + t.where + " " + t.name + ", in the header " + header}
	}
	for _, t := range csrfTokens(v) {
		own := csrfHeader(t.name)
		out = append(out, in(own, t))
		for _, header := range csrfHeaders {
			if t.where == inScript && header != own { // the page's author has named it, not the framework
				last = append(last, in(header, t))
			}
		}
	}
	out = append(out, last...)
	return out[:min(len(out), 10)]
}
