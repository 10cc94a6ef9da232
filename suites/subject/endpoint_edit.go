package subject

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// Probes send the request of the page again, with one thing in it changed.

// withChat is the request for another chat: the id is a UUID, so that it is
// replaced wherever it stands (body, query, path, header).
func (e *Endpoint) WithChat(chatID string) wire.Request {
	r := e.Request.Clone()
	r.URL = strings.ReplaceAll(r.URL, e.ChatID, chatID)
	r.Body = bytes.ReplaceAll(r.Body, []byte(e.ChatID), []byte(chatID))
	for _, values := range r.Header {
		for i := range values {
			values[i] = strings.ReplaceAll(values[i], e.ChatID, chatID)
		}
	}
	return r
}

// errNoChatMember says that the chat id can't be varied by type.
var errNoChatMember = MissingError("the page does not send the chat id as a member of a JSON or form body")

// withValue is the request with the chat id replaced by any JSON value; an
// error says that the chat id is not in a JSON body.
func (e *Endpoint) WithValue(value any) (wire.Request, error) {
	return e.EditBody(func(member map[string]any, key string) { member[key] = value },
		func(form url.Values, key string) { form.Set(key, formValue(value)) })
}

// withoutChat is the request without a chat id.
func (e *Endpoint) WithoutChat() (wire.Request, error) {
	r, err := e.EditBody(func(member map[string]any, key string) { delete(member, key) },
		func(form url.Values, key string) { form.Del(key) })
	if err == nil {
		return r, nil
	}
	u, parseErr := url.Parse(e.Request.URL)
	if parseErr != nil || !strings.Contains(u.RawQuery, e.ChatID) {
		return r, err
	}
	query := u.Query()
	for key, values := range query {
		if len(values) > 0 && values[0] == e.ChatID {
			query.Del(key)
		}
	}
	u.RawQuery = query.Encode()
	r = e.Request.Clone()
	r.URL = u.String()
	return r, nil
}

// withMembers is the request for a chat with further members in its JSON body.
// A member that holds the chat id is added to, and keeps it.
func (e *Endpoint) WithMembers(chatID string, members map[string]any) (wire.Request, error) {
	r := e.WithChat(chatID)
	var body map[string]any
	if err := json.Unmarshal(r.Body, &body); err != nil || body == nil {
		return r, errNoChatMember
	}
	for k, v := range members {
		if !editMembers(body[k], chatID, func(object map[string]any, key string) { addMembers(object, key, v) }) {
			body[k] = v
		}
	}
	return setJSON(r, body)
}

// addMembers adds the members of v, if it is an object, all but the one named.
func addMembers(to map[string]any, but string, v any) {
	more, _ := v.(map[string]any)
	for name, member := range more {
		if name != but {
			to[name] = member
		}
	}
}

func (e *Endpoint) EditBody(inJSON func(map[string]any, string), inForm func(url.Values, string)) (wire.Request, error) {
	r := e.Request.Clone()
	var body any
	if json.Unmarshal(r.Body, &body) == nil {
		if !editMembers(body, e.ChatID, inJSON) {
			return r, errNoChatMember
		}
		return setJSON(r, body)
	}
	form, err := url.ParseQuery(string(r.Body))
	if err != nil {
		return r, errNoChatMember
	}
	for key := range form {
		if form.Get(key) == e.ChatID {
			inForm(form, key)
			r.Body = []byte(form.Encode())
			return r, nil
		}
	}
	return r, errNoChatMember
}

// editMembers calls edit for each object member whose value is the chat id.
func editMembers(value any, chatID string, edit func(map[string]any, string)) bool {
	found := false
	switch value := value.(type) {
	case map[string]any:
		for key, member := range value {
			if member == chatID {
				edit(value, key)
				found = true
			} else if editMembers(member, chatID, edit) {
				found = true
			}
		}
	case []any:
		for _, member := range value {
			found = editMembers(member, chatID, edit) || found
		}
	}
	return found
}

func setJSON(r wire.Request, body any) (wire.Request, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(body); err != nil {
		return r, fmt.Errorf("encoding the body: %w", err)
	}
	r.Body = bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
	return r, nil
}

func formValue(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(raw)
}

// browserHeaders are those that browsers send of themselves. Any other may
// carry a session.
var BrowserHeaders = regexp.MustCompile(`(?i)^(Accept.*|Content-.*|User-Agent|Origin|Referer|Sec-.*|Cache-Control|Pragma|Dnt|Priority|Upgrade-Insecure-Requests|X-Requested-With|Te)$`)

// withoutCredentials drops the session: cookies, Authorization, and every
// header that browsers don't send of themselves.
func WithoutCredentials(r wire.Request) wire.Request {
	r = r.Clone()
	for name := range r.Header {
		if !BrowserHeaders.MatchString(name) {
			delete(r.Header, name)
		}
	}
	return r
}

// withoutSession is withoutCredentials, but keeps what protects from CSRF: a
// request that is refused for the lack of that says nothing about the session.
func WithoutSession(r wire.Request) wire.Request {
	out := WithoutCredentials(r)
	for name, values := range r.Header {
		if IsCSRFName(name) {
			out.Header[name] = slices.Clone(values)
		}
	}
	var kept []string
	for _, pair := range strings.Split(r.Header.Get("Cookie"), ";") {
		if name, _, _ := strings.Cut(pair, "="); IsCSRFName(name) {
			kept = append(kept, strings.TrimSpace(pair))
		}
	}
	if len(kept) > 0 {
		out.Header.Set("Cookie", strings.Join(kept, "; "))
	}
	return out
}

func IsCSRFName(name string) bool {
	name = strings.ToLower(name)
	return strings.Contains(name, "csrf") || strings.Contains(name, "xsrf")
}
