package subject

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"mime/multipart"
	"net/url"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/param"
	"github.com/kindlytest/kindlytest/internal/wire"
)

// Probes send the request of the page again, with one thing in it changed. They
// do so by what stands in it, whatever its form is.

// WithChat is the request for another chat: the id is a UUID, so that it is
// replaced wherever it stands, and all else stays byte for byte.
func (e *Endpoint) WithChat(chatID string) wire.Request {
	r := forChat(e.Request, e.ChatID, chatID)
	if e.way != nil {
		r.Way = e.way.forChat(e.ChatID, chatID)
	}
	return r
}

// forChat is a request with another chat's id wherever one stands.
func forChat(r wire.Request, from, to string) wire.Request {
	r = r.Clone()
	r.URL = param.ReplaceID(r.URL, from, to)
	r.Body = []byte(param.ReplaceID(string(r.Body), from, to))
	for _, values := range r.Header {
		for i := range values {
			values[i] = param.ReplaceID(values[i], from, to)
		}
	}
	return r
}

// Slots are the places at which the chat id stands: by itself, or with something
// around it ("kindly:…"), which makes a text of whatever takes its place.
func (e *Endpoint) Slots() []param.Leaf {
	var out []param.Leaf
	for _, l := range param.All(e.Request, e.chosen) {
		if before, after, ok := e.around(l); ok {
			l.Typed = l.Typed && before+after == ""
			out = append(out, l)
		}
	}
	return out
}

// chosenHeader says whether a script may have set a header.
func chosenHeader(header, cookie string) bool { return cookie == "" && mayBeSession(header) }

// chosen is chosenHeader, and says so of the cookie that holds the chat id.
func (e *Endpoint) chosen(header, cookie string) bool {
	return chosenHeader(header, cookie) || cookie != "" && e.ChatCookie(cookie)
}

// around is what stands before and after the chat id in a leaf that holds it once.
func (e *Endpoint) around(l param.Leaf) (before, after string, ok bool) {
	text, isText := l.Value.(string)
	if !isText || e.ChatID == "" {
		return "", "", false
	}
	for _, pair := range param.Spellings(e.ChatID, "") {
		if before, after, ok = strings.Cut(text, pair[0]); ok {
			return before, after, !param.HoldsID(before+"\n"+after, e.ChatID)
		}
	}
	return "", "", false
}

// NamesChat says whether the request carries its chat's id. Where it does not, that
// stands in it as something else (a hash), or was told before.
func (e *Endpoint) NamesChat() bool {
	if param.HoldsID(e.Request.URL, e.ChatID) || e.ReadsBody() {
		return true
	}
	for _, values := range e.Request.Header {
		if slices.ContainsFunc(values, func(v string) bool { return param.HoldsID(v, e.ChatID) }) {
			return true
		}
	}
	return false
}

// SendsChatIn says whether the chat id stands in such a place.
func (e *Endpoint) SendsChatIn(places ...param.Place) bool {
	return slices.ContainsFunc(e.Slots(), func(l param.Leaf) bool { return slices.Contains(places, l.Place) })
}

// ReadsBody says whether the chat id is in the body. Where it is not, any body
// will do.
func (e *Endpoint) ReadsBody() bool { return param.HoldsID(string(e.Request.Body), e.ChatID) }

// ErrNoSlot says that the chat id can't be varied by itself.
var ErrNoSlot = MissingError("the chat id does not stand by itself in the page's request, so that nothing else can take its place")

// WithValue is the request with the chat id replaced by any JSON value, or where
// it stands in text (a form, a URL, a header) by that value as text.
func (e *Endpoint) WithValue(value any) (wire.Request, error) {
	return e.editChat(func(l param.Leaf) any {
		if raw, ok := value.(json.RawMessage); ok && !l.Typed {
			var text string
			if json.Unmarshal(raw, &text) == nil {
				return text
			}
		}
		return value
	})
}

// WithoutChat is the request without a chat id.
func (e *Endpoint) WithoutChat() (wire.Request, error) {
	return e.editChat(func(param.Leaf) any { return param.Drop })
}

func (e *Endpoint) editChat(edit param.Visitor) (wire.Request, error) {
	found := false
	r, err := param.Walk(e.Request, e.chosen, func(l param.Leaf) any {
		before, after, ok := e.around(l)
		if !ok {
			return param.Keep
		}
		found = true
		value := edit(l)
		switch {
		case before+after == "" || value == any(param.Keep):
			return value
		case value == any(param.Drop):
			return before + after
		}
		return before + param.Text(value) + after
	})
	if err == nil && !found {
		err = ErrNoSlot
	}
	return r, err
}

// WithLeaf is a request with another value at one place.
func WithLeaf(r wire.Request, at param.Leaf, value any) (wire.Request, error) {
	return param.Walk(r, chosenHeader, func(l param.Leaf) any {
		if l.Same(at) {
			return value
		}
		return param.Keep
	})
}

// Sent are the values that the page sends besides the chat id and the session.
func (e *Endpoint) Sent() []param.Leaf {
	return slices.DeleteFunc(param.All(e.Request, chosenHeader), func(l param.Leaf) bool {
		return l.Place == param.InPath || l.Place == param.InText && len(l.Steps) == 0 || IsCSRFName(l.Name()) || param.HoldsID(l.Text(), e.ChatID) || e.isBearer(l)
	})
}

// WithMembers is the request for a chat with further members where the chat id
// stands: beside it and in the objects around it, or as fields of the form or the
// query. A member that holds the chat id is added to, and keeps it.
func (e *Endpoint) WithMembers(chatID string, members map[string]any) (wire.Request, error) {
	r := e.WithChat(chatID)
	switch kind := param.BodyKind(r); {
	case kind == param.JSONBody && e.ReadsBody():
		root, _ := param.DecodeJSON(string(r.Body))
		if addAround(root, chatID, members) {
			r.Body = []byte(param.EncodeJSON(root))
			return r, nil
		}
	case kind == param.TextBody && e.ReadsBody():
		if plain, encoding, ok := param.DecodeBase64(string(r.Body)); ok {
			if root, ok := param.JSONIn(plain); ok && addAround(root, chatID, members) {
				r.Body = []byte(encoding.EncodeToString([]byte(param.EncodeJSON(root))))
				return r, nil
			}
		}
	case kind == param.FormBody && e.ReadsBody():
		r.Body = append(append(r.Body, '&'), fields(members).Encode()...)
		return r, nil
	case kind == param.PartsBody && e.ReadsBody():
		return addParts(r, members)
	}
	return e.WithQuery(chatID, members)
}

// WithQuery is WithMembers in the query, whatever body there is.
func (e *Endpoint) WithQuery(chatID string, members map[string]any) (wire.Request, error) {
	r := e.WithChat(chatID)
	u, err := url.Parse(r.URL)
	if err != nil {
		return r, fmt.Errorf("the endpoint's URL: %w", err)
	}
	if query, ok := addInQuery(u.RawQuery, chatID, members); ok {
		u.RawQuery = query
	} else if u.RawQuery == "" {
		u.RawQuery = fields(members).Encode()
	} else {
		u.RawQuery += "&" + fields(members).Encode()
	}
	r.URL = u.String()
	return r, nil
}

// identityHeaders are those in which gateways tell an app who somebody is: for each of
// them the app must know that it comes from the gateway.
var identityHeaders = []string{"X-User-Id", "X-User", "X-User-Email", "X-Username", "X-Email", "X-Userinfo", "X-Auth-User", "X-Authenticated-User", "X-Authenticated-Userid",
	"X-Forwarded-User", "X-Forwarded-Email", "X-Forwarded-Preferred-Username", "X-Auth-Request-User", "X-Auth-Request-Email", "X-Remote-User", "Remote-User", "X-Webauth-User"}

// WithIdentityHeaders is the page's request for a chat, with a value in the headers that
// name a user, but for those that the page sends itself.
func (e *Endpoint) WithIdentityHeaders(chatID, value string) wire.Request {
	r := e.WithChat(chatID)
	for _, name := range identityHeaders {
		if r.Header.Get(name) == "" {
			r.Header.Set(name, value)
		}
	}
	return r
}

// addAround adds members to every object on the way to the chat id, but to those
// that only number a batch.
func addAround(value any, chatID string, members map[string]any) bool {
	switch value := value.(type) {
	case map[string]any:
		found := false
		holds := map[string]bool{}
		for _, name := range slices.Sorted(maps.Keys(value)) {
			if isOf(value[name], chatID) || addAround(value[name], chatID, nil) {
				found, holds[name] = true, true
			}
		}
		if !found || members == nil {
			return found
		}
		for name := range holds {
			if inner, ok := value[name].(map[string]any); ok {
				more, ok := members[name].(map[string]any)
				if !ok {
					more = members
				}
				addAround(inner, chatID, more)
			} else {
				addAround(value[name], chatID, members)
			}
		}
		if !batch(value) {
			for name, member := range members {
				if !holds[name] {
					value[name] = member
				}
			}
		}
		return true
	case []any:
		found := false
		for _, element := range value {
			found = isOf(element, chatID) || addAround(element, chatID, members) || found
		}
		return found
	}
	return false
}

// isOf says whether a value is a text that holds the chat id.
func isOf(value any, chatID string) bool {
	text, ok := value.(string)
	return ok && param.HoldsID(text, chatID)
}

// batch says whether an object's names are the numbers of a batch.
func batch(object map[string]any) bool {
	for name := range object {
		if strings.Trim(name, "0123456789") != "" {
			return false
		}
	}
	return true
}

// addInQuery is addAround where a parameter holds JSON.
func addInQuery(query, chatID string, members map[string]any) (string, bool) {
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		name, escaped, _ := strings.Cut(pair, "=")
		value, err := url.QueryUnescape(escaped)
		if err != nil {
			continue
		}
		if root, ok := param.JSONIn(value); ok && addAround(root, chatID, members) {
			pairs[i] = name + "=" + url.QueryEscape(param.EncodeJSON(root))
			return strings.Join(pairs, "&"), true
		}
	}
	return query, false
}

// fields are members as those of a form: chat[id].
func fields(members map[string]any) url.Values {
	out := url.Values{}
	for name, member := range members {
		object, ok := member.(map[string]any)
		if !ok {
			out.Set(name, param.Text(member))
			continue
		}
		for inner, value := range object {
			out.Set(name+"["+inner+"]", param.Text(value))
		}
	}
	return out
}

// addParts adds fields at the head of a multipart form, before its first boundary.
func addParts(r wire.Request, members map[string]any) (wire.Request, error) {
	first, _, ok := bytes.Cut(r.Body, []byte("\r\n"))
	if !ok {
		return r, ErrNoSlot
	}
	var buf bytes.Buffer
	w := multipart.NewWriter(&buf)
	if err := w.SetBoundary(strings.TrimPrefix(string(first), "--")); err != nil {
		return r, fmt.Errorf("the boundary of the page's form: %w", err)
	}
	more := fields(members)
	for _, name := range slices.Sorted(maps.Keys(map[string][]string(more))) {
		if err := w.WriteField(name, more.Get(name)); err != nil {
			return r, fmt.Errorf("writing the page's form: %w", err)
		}
	}
	r.Body = append(append(buf.Bytes(), "\r\n"...), r.Body...)
	return r, nil
}
