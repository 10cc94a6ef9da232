package wire

import (
	"net/http"
	"net/url"
)

// maxHops is how many redirects browsers follow (fetch.spec.whatwg.org, 4.4).
const maxHops = 20

// redirected is the request to which an answer leads in its own origin: the same
// again, or a GET without a body.
func redirected(r Request, answer *Response) (Request, bool) {
	switch answer.Status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return r, false
	}
	from, err := url.Parse(r.URL)
	if err != nil {
		return r, false
	}
	to, err := from.Parse(answer.Header.Get("Location"))
	if err != nil || answer.Header.Get("Location") == "" || to.Scheme != from.Scheme || to.Host != from.Host {
		return r, false
	}
	next := r.Clone()
	next.URL = to.String()
	asks := r.Method == http.MethodGet || r.Method == http.MethodHead
	if answer.Status == http.StatusSeeOther && !asks || r.Method == http.MethodPost && answer.Status <= http.StatusFound {
		next.Method, next.Body = http.MethodGet, nil
		for _, name := range []string{"Content-Type", "Content-Encoding", "Content-Language", "Content-Location"} {
			next.Header.Del(name)
		}
	}
	return next, true
}
