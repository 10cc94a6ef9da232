package webhook

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/internal/plainjson"
	"github.com/kindlytest/kindlytest/internal/wire"
)

// A Manner is how Kindly sends its requests where it was seen to do otherwise than
// is documented or assumed. The zero value is as NewRequest does it, with a request
// that is sent once and leads nowhere else.
type Manner struct {
	Timeout         time.Duration   // how long it waits for an answer; 0: as the client does
	RetryAfter      []time.Duration // the waits before a failed request comes again
	FollowRedirects bool
	Algorithm       string    // of Kindly-HMAC-algorithm; "": as documented
	Form            wire.Form // its spelling is by the names in the header of NewRequest, and of Headers
	Headers         []MannerHeader
	Members         []MannerMember
}

// A MannerHeader is one that each request has. It replaces one of the same name.
type MannerHeader struct {
	Name string
	Make func(seed string) string // equal values for equal seeds
}

// A MannerMember is one of the body, "exchange.confidence", that is otherwise than
// in Body.
type MannerMember struct {
	Path string
	// Make returns its value; was is the one in Body, nil if there is none. Seed is
	// the delivery's. Nil: the member is left out.
	Make func(seed string, was any) any
	// OnlyThere: a member that is not in Body is not added.
	OnlyThere bool
}

// dress makes of a request one in this manner, but for its signature.
func (m *Manner) dress(r *wire.Request, seed string) error {
	if m == nil {
		return nil
	}
	body, err := m.shape(r.Body, seed)
	if err != nil {
		return err
	}
	r.Body, r.Timeout, r.Form = body, m.Timeout, m.Form
	for _, h := range m.Headers {
		r.Header[h.Name] = []string{h.Make(seed)}
	}
	return nil
}

// Sign is SetSignature in this manner.
func (m *Manner) Sign(h http.Header, secret string, body []byte) {
	SetSignature(h, secret, body)
	if m != nil && m.Algorithm != "" && secret != "" {
		h[HeaderHMACAlgorithm] = []string{m.Algorithm}
	}
}

// shape changes the members of a body. Those of the contract keep their order,
// others follow it.
func (m *Manner) shape(body []byte, seed string) ([]byte, error) {
	if len(m.Members) == 0 {
		return body, nil
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var top map[string]any
	if err := d.Decode(&top); err != nil {
		return nil, err
	}
	for _, member := range m.Members {
		in, name := top, member.Path
		if outer, inner, nested := strings.Cut(member.Path, "."); nested {
			object, ok := top[outer].(map[string]any)
			if !ok {
				continue
			}
			in, name = object, inner
		}
		was, there := in[name]
		switch {
		case member.Make == nil:
			delete(in, name)
		case there || !member.OnlyThere:
			in[name] = member.Make(seed+"\x00"+member.Path, was)
		}
	}
	return inOrder(top)
}

// inOrder writes an object with the members of the contract first.
func inOrder(top map[string]any) ([]byte, error) {
	names := slices.Clone(documentedNames)
	var added []string
	for name := range top {
		if !slices.Contains(names, name) {
			added = append(added, name)
		}
	}
	slices.Sort(added)
	var out bytes.Buffer
	for _, name := range append(names, added...) {
		value, there := top[name]
		if !there {
			continue
		}
		member, err := plainjson.Marshal(map[string]any{name: value})
		if err != nil {
			return nil, err
		}
		if out.Len() > 0 {
			out.WriteByte(',')
		}
		out.Write(member[1 : len(member)-1])
	}
	return slices.Concat([]byte("{"), out.Bytes(), []byte("}")), nil
}

// Failed says whether a request that came to this is sent again by whoever does
// that: there was no answer, or one that may be better next time.
func Failed(ex wire.Exchange) bool {
	return ex.Err != nil || ex.Status() >= 500 || ex.Status() == http.StatusTooManyRequests
}

// maxRedirects is how many are followed in a row (assumed).
const maxRedirects = 10

// Next is the request that an answer leads to, in this manner. A GET comes of a POST
// unless the answer says otherwise (307, 308), and another origin gets no token
// (both assumed, as usual clients do). hop counts from 0.
func (m *Manner) Next(ex wire.Exchange, hop int) (wire.Request, bool) {
	if m == nil || !m.FollowRedirects || hop >= maxRedirects || ex.Response == nil || ex.Status() < 301 || ex.Status() > 308 {
		return wire.Request{}, false
	}
	r := ex.Request.Clone()
	called := r.URL
	if r.ConnectTo != "" {
		called = r.ConnectTo
	}
	from, err := url.Parse(called)
	location := ex.Response.Header.Get("Location")
	if err != nil || location == "" {
		return r, false
	}
	to, err := from.Parse(location)
	if err != nil || checkURL("", to.String()) != nil {
		return r, false
	}
	if public, err := url.Parse(r.URL); err == nil && r.ConnectTo != "" && to.Host == public.Host {
		to.Scheme, to.Host = from.Scheme, from.Host // by its public name it is where it is called
	}
	if to.Host != from.Host || to.Scheme != from.Scheme {
		delete(r.Header, "Authorization")
	}
	r.URL, r.ConnectTo = to.String(), ""
	if ex.Status() < http.StatusTemporaryRedirect && r.Method == http.MethodPost {
		r.Method, r.Body = http.MethodGet, nil
		delete(r.Header, "Content-Type")
	}
	return r, true
}
