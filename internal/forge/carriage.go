package forge

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// A Place is a part of a request that can carry a token.
type Place uint8

const (
	InBearer Place = iota // Authorization: Bearer TOKEN
	InScheme              // Authorization: NAME TOKEN
	InBare                // Authorization: TOKEN
	InQuery               // ?NAME=TOKEN
	InCookie              // Cookie: NAME=TOKEN
)

// A Carriage says how a token travels. The zero value is as Kindly does it.
type Carriage struct {
	Place Place
	Name  string // of the scheme, parameter or cookie
}

// Authorization is the value of the Authorization header, empty if the token
// travels elsewhere. It is as secret as the token.
func (f Forged) Authorization() string {
	switch f.Carriage.Place {
	case InBearer:
		return "Bearer " + f.Token.Reveal()
	case InScheme:
		return f.Carriage.Name + " " + f.Token.Reveal()
	case InBare:
		return f.Token.Reveal()
	}
	return ""
}

// Apply returns a copy of r that carries this token and no other. The body is
// left alone: where OmitChatID is set, the caller sends one without chat_id,
// and signs that.
func (f Forged) Apply(r wire.Request) (wire.Request, error) {
	r = r.Clone()
	for key := range r.Header {
		if strings.EqualFold(key, "Authorization") {
			delete(r.Header, key)
		}
	}
	switch f.Carriage.Place {
	case InQuery:
		return f.applyQuery(r)
	case InCookie:
		cookie := f.Carriage.Name + "=" + f.Token.Reveal()
		if old := r.Header.Get("Cookie"); old != "" {
			cookie = old + "; " + cookie
		}
		r.Header.Set("Cookie", cookie)
	default:
		r.Header["Authorization"] = []string{f.Authorization()}
	}
	return r, nil
}

// applyQuery adds the token to both URLs: ConnectTo is the one that is called.
func (f Forged) applyQuery(r wire.Request) (wire.Request, error) {
	for _, target := range []*string{&r.URL, &r.ConnectTo} {
		if *target == "" {
			continue
		}
		u, err := url.Parse(*target)
		if err != nil {
			return wire.Request{}, fmt.Errorf("adding a query to the webhook's URL: %w", err)
		}
		q := u.Query()
		q.Set(f.Carriage.Name, f.Token.Reveal())
		u.RawQuery = q.Encode()
		*target = u.String()
	}
	return r, nil
}
