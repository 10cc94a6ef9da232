package target

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// Like is [EndpointConfig.Request], with what the file does not say taken from the
// request for the same chat that the page was seen to make: the method, further
// headers, and where the chat id goes. private says which headers are the page's
// session, which is left out where the file brings one, or names another origin; and
// holds which texts hold the chat id.
func (c EndpointConfig) Like(seen wire.Request, chatID string, private, holds func(string) bool) wire.Request {
	r := c.Request(chatID)
	says := c.own() || c.ChatIDField != ""
	if !says {
		r.URL = withPlaceIn(r.URL, seen.URL, holds)
	}
	same, sameOrigin := likeAddress(r.URL, seen.URL)
	if c.Method == "" && (same || !says) {
		r.Method = seen.Method
	}
	inBody := c.Body != nil || len(c.Form) > 0 || c.ChatIDField != ""
	if same || !says {
		r.URL = withQueryOf(r.URL, seen.URL, func(value string) bool { return says && holds(value) })
	}
	header := http.Header{}
	for name, values := range seen.Header {
		switch {
		case private(name) && (len(c.Header) > 0 || !sameOrigin):
		case says && slices.ContainsFunc(values, holds), inBody && name == "Content-Type":
		default:
			header[name] = values
		}
	}
	if !inBody && (same || !says) {
		r.Body = seen.Body
		r.Header.Del("Content-Type")
	}
	for name, values := range r.Header {
		header[http.CanonicalHeaderKey(name)] = values
	}
	r.Header, r.Follow = header, same && seen.Follow
	return r.Clone()
}

// likeAddress compares two addresses without their queries.
func likeAddress(a, b string) (same, sameOrigin bool) {
	x, err := url.Parse(a)
	if err != nil {
		return false, false
	}
	y, err := url.Parse(b)
	if err != nil {
		return false, false
	}
	sameOrigin = x.Scheme == y.Scheme && x.Host == y.Host
	return sameOrigin && x.Path == y.Path, sameOrigin
}

// withPlaceIn puts the chat id where it stands in the path of another URL, if that is
// the same otherwise: it was given for another chat then.
func withPlaceIn(raw, other string, holds func(string) bool) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	seen, err := url.Parse(other)
	if err != nil {
		return raw
	}
	mine, theirs := strings.Split(u.Path, "/"), strings.Split(seen.Path, "/")
	if len(mine) != len(theirs) {
		return raw
	}
	for i, segment := range theirs {
		if holds(segment) {
			mine[i] = segment
		}
	}
	if slices.Equal(mine, theirs) {
		u.Path = seen.Path
	}
	return u.String()
}

// withQueryOf adds to a URL what stands in the query of another and not in its own.
func withQueryOf(raw, other string, but func(value string) bool) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	seen, err := url.Parse(other)
	if err != nil {
		return raw
	}
	query := u.Query()
	for name, values := range seen.Query() {
		if !query.Has(name) && !slices.ContainsFunc(values, but) {
			query[name] = values
		}
	}
	u.RawQuery = query.Encode()
	return u.String()
}
