package catalogue

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/keyscan"
	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/suites/service"
	"github.com/kindlytest/kindlytest/suites/subject"
)

// keyFiles are the names that documentations give a private key, and that of the
// file that it is read from.
var keyFiles = []string{"private.pem", "public/private.pem", "kindly-private.pem", "private.key", ".env"}

// pagePrivateKey looks into all that the page loaded, and asks for the key by
// its usual names. A key is what parses as one: an answer for whatever address
// (a single-page app's, a login page) accuses nobody. Nothing of it is shown.
func pagePrivateKey(ctx context.Context, s *subject.Session) subject.Verdict {
	v, err := s.VisitFirst()
	if err != nil {
		return subject.CouldNotRun(err)
	}
	looked, unread := 0, ""
	for _, r := range v.Record.Requests {
		if r.Kindly {
			continue
		}
		if late := r.Status/100 == 2 && r.Duration == 0; (late || r.Unread) && (r.ResourceType == "Document" || r.ResourceType == "Script") {
			unread = redact.URL(r.URL) + " was not read in time"
			continue
		}
		looked++
		if r.PrivateKey || keyscan.Holds(r.ResponseBody) {
			return subject.Violated("no private key", "there is one in "+redact.URL(r.URL)).Because("private-key-in-page")
		}
		if name := secretIn(s, r.ResponseBody); name != "" {
			return subject.Violated("no secret of a webhook", "that of "+name+" is in "+redact.URL(r.URL)).Because("secret-in-page").
				Fix("Compute signatures on the server only, and give the variable a name that the build does not hand to pages (not NEXT_PUBLIC_…, VITE_…, REACT_APP_…, PUBLIC_…). This secret is public now: make a new one in Kindly's settings.")
		}
	}
	addresses := keyAddresses(s, v)
	for _, address := range addresses {
		// Not as the other requests: what is not there says nothing of the stack, and
		// who is asked too often does not hand out the file either.
		ex := s.Client.Do(ctx, wire.Request{Method: "GET", URL: address, Header: http.Header{service.HeaderCheck: {"PAGE-PRIVATE-KEY"}}})
		if ex.Status()/100 == 2 && keyscan.Holds(ex.Body()) {
			return subject.Violated("no private key", "anybody can download it: "+redact.URL(address)).Because("private-key-served").
				Fix("Take the file out of the folder that the web server hands out. This key is public now: make a new pair, and upload its public half to Kindly.")
		}
	}
	held := subject.Holds("none in %d answers, nor under %d usual names", looked, len(addresses))
	if n := v.Record.Missed; n > 0 && unread == "" {
		unread = fmt.Sprintf("%d requests more were sent than are looked at", n)
	}
	if unread != "" {
		return held.Weak(unread)
	}
	return held
}

// aSecret is the length from which a webhook's secret stands on a page by no accident,
// in bytes.
const aSecret = 12

// secretIn is the webhook whose secret stands in what a page loads, as it is or as
// JSON writes it; "" if none does.
func secretIn(s *subject.Session, body []byte) string {
	for i, hook := range s.Target.Webhooks {
		secret := []byte(strings.TrimSpace(hook.Secret))
		quoted, err := json.Marshal(string(secret))
		if err != nil || len(secret) < aSecret {
			continue
		}
		if bytes.Contains(body, secret) || bytes.Contains(body, quoted) {
			return cmp.Or(hook.Name, fmt.Sprintf("webhook %d", i+1))
		}
	}
	return ""
}

// keyAddresses are where the key would be served: at the root of the page's
// origin, and beside page and endpoint.
func keyAddresses(s *subject.Session, v *subject.Visit) []string {
	places := []string{wire.OriginOf(v.State.URL) + "/", beside(v.State.URL)}
	if e, err := s.Endpoint(); err == nil {
		places = append(places, beside(e.Request.URL))
	}
	var out []string
	for _, place := range places {
		for _, name := range keyFiles {
			if place != "" && place != "/" && !slices.Contains(out, place+name) {
				out = append(out, place+name)
			}
		}
	}
	return out
}

// beside is the folder of a URL; "" if there is none.
func beside(raw string) string {
	u, err := url.Parse(raw)
	origin := wire.OriginOf(raw)
	if err != nil || origin == "" {
		return ""
	}
	folder := path.Dir(path.Clean("/" + u.Path))
	if u.Path != "" && u.Path[len(u.Path)-1] == '/' {
		folder = path.Clean(u.Path)
	}
	if folder == "/" {
		return origin + "/"
	}
	return origin + folder + "/"
}

// pemPrivateKey is a private key in an error, whole or cut off. It needs a body:
// libraries contain the label alone.
var pemPrivateKey = regexp.MustCompile(`-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----(?:\\[nr]|["'+,\s]|[A-Za-z0-9/=])*[A-Za-z0-9+/]{40}`)
