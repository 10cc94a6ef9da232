package target

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/kindlytest/kindlytest/internal/plainjson"
	"github.com/kindlytest/kindlytest/internal/wire"
)

// ChatID stands in an EndpointConfig where the chat id goes.
const ChatID = "${chat_id}"

// A RequestForm says how an auth endpoint is asked, where it does not take the
// chat id in a JSON body. ChatID may stand in any value.
type RequestForm struct {
	Path  string            // instead of the URL's
	Query map[string]string // added to the URL's
	Form  map[string]string // a form body
	Body  any               // a JSON body; text goes out as it is
	// Token is where the token stands in the answer, as data.kindly.token; empty
	// for the member token, or else whatever looks like one.
	Token string
	// SecondHeader is Header for the second user: their session.
	SecondHeader http.Header
}

// own says whether the form says where the chat id goes.
func (c EndpointConfig) own() bool {
	if strings.Contains(c.Path+c.URL, ChatID) || len(c.Query)+len(c.Form) > 0 || c.Body != nil {
		return true
	}
	for _, values := range c.Header {
		if strings.Contains(strings.Join(values, ""), ChatID) {
			return true
		}
	}
	return false
}

// Verb is the method: POST where there is a body.
func (c EndpointConfig) Verb() string {
	switch {
	case c.Method != "":
		return c.Method
	case c.own() && c.Body == nil && len(c.Form) == 0:
		return http.MethodGet
	}
	return http.MethodPost
}

// Request asks for a token for a chat.
func (c EndpointConfig) Request(chatID string) wire.Request {
	put := func(s string) string { return strings.ReplaceAll(s, ChatID, chatID) }
	header := http.Header{}
	for name, values := range c.Header {
		for _, v := range values {
			header.Add(name, put(v))
		}
	}
	body, kind := c.body(chatID, put)
	if kind != "" && header.Get("Content-Type") == "" {
		header.Set("Content-Type", kind)
	}
	return wire.Request{Method: c.Verb(), URL: c.address(put), Header: header, Body: body}
}

// address is the URL for a chat. One that can't be parsed fails where it is called.
func (c EndpointConfig) address(put func(string) string) string {
	raw := put(c.URL)
	u, err := url.Parse(raw)
	if err != nil || c.Path == "" && len(c.Query) == 0 {
		return raw
	}
	if c.Path != "" {
		u = u.ResolveReference(&url.URL{Path: put(c.Path)})
	}
	query := u.Query()
	for name, value := range c.Query {
		query.Set(name, put(value))
	}
	u.RawQuery = query.Encode()
	return u.String()
}

func (c EndpointConfig) body(chatID string, put func(string) string) (body []byte, contentType string) {
	switch text := c.Body.(type) {
	case string:
		return []byte(put(text)), "text/plain;charset=UTF-8"
	case nil:
	default:
		return plainjson.Must(fillIn(c.Body, put)), "application/json"
	}
	if len(c.Form) > 0 {
		form := url.Values{}
		for name, value := range c.Form {
			form.Set(name, put(value))
		}
		return []byte(form.Encode()), "application/x-www-form-urlencoded"
	}
	if c.own() {
		return nil, ""
	}
	members := map[string]string{"chat_id": chatID, "chatId": chatID}
	if c.ChatIDField != "" {
		members = map[string]string{c.ChatIDField: chatID}
	}
	return plainjson.Must(members), "application/json"
}

// fillIn returns a JSON value with the chat id put into its texts.
func fillIn(v any, put func(string) string) any {
	switch v := v.(type) {
	case string:
		return put(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = fillIn(v[i], put)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for name := range v {
			out[name] = fillIn(v[name], put)
		}
		return out
	}
	return v
}

// ForSecond is the endpoint with the session of the second user. A header in which
// the chat id goes is no session, and stays.
func (c EndpointConfig) ForSecond() EndpointConfig {
	header := c.SecondHeader.Clone()
	for name, values := range c.Header {
		if strings.Contains(strings.Join(values, ""), ChatID) && len(header.Values(name)) == 0 {
			header[name] = values
		}
	}
	c.Header = header
	return c
}

// Check says what can't be: two bodies, or a form in which the chat id goes
// nowhere.
func (c EndpointConfig) Check() error {
	if c.Body != nil && len(c.Form) > 0 {
		return errors.New("body and form are two bodies; give one")
	}
	a, b := c.Request("a"), c.Request("b")
	if a.URL != b.URL || !bytes.Equal(a.Body, b.Body) {
		return nil
	}
	for name := range a.Header {
		if a.Header.Get(name) != b.Header.Get(name) {
			return nil
		}
	}
	return errors.New("the chat id goes nowhere; ${chat_id} says where, in query, body, form, path or headers")
}
