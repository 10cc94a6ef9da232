package subject

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/param"
	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/suites/service"
)

// Some pages take several steps to a token: they fetch a value that works once, and
// ask with it; or they ask, and look again and again whether it is ready. The steps are
// repeated then, each with what the answers before it have said this time. Whoever is
// refused at one of them is refused.

// A way is the steps to a token. One of them is the endpoint's request, which probes
// vary; the others go with the session that it goes with.
type way struct {
	steps []step // in the order of the page
	main  int    // the endpoint's request
	asked http.Header
	place tokenPlace // of the token in the last answer
	again repeating
	made  []made // what is new in each request, without an answer that tells it
	// by makes a step that of somebody else than the page's user; nil: it is theirs.
	by func(step) wire.Request
}

// A step is one request of the page.
type step struct {
	request wire.Request
	takes   []taken
	bearers []param.Leaf // what in it, besides headers, may be the session
}

// taken is a value of an answer that stands in later requests.
type taken struct {
	at   tokenPlace
	seen string // as it was when the page asked
}

// repeating says how the last step is made again while the token is not ready.
type repeating struct {
	pause  time.Duration
	status map[int]bool // of such an answer
}

const (
	mostSteps  = 6
	mostPolls  = 20
	maxPause   = time.Second // between two of them
	minCarried = 8           // letters of a value that is no word by chance
)

// Send makes a wire.Way of it.
func (w *way) Send(ctx context.Context, r wire.Request, send wire.Send) (answer *wire.Response, err error) {
	r.Way = nil
	var values [][2]string
	for _, m := range w.made {
		values = append(values, [2]string{m.seen, m.anew(time.Now())})
	}
	for i, st := range w.steps {
		next := r
		if i != w.main {
			next = w.withSessionOf(st, r)
		}
		from := wire.OriginOf(next.URL)
		if next = filled(next, values); wire.OriginOf(next.URL) != from {
			return answer, nil // it leads elsewhere
		}
		if answer, err = send(ctx, next); err != nil {
			return nil, err
		}
		if i == len(w.steps)-1 {
			return w.untilReady(ctx, next, answer, send)
		}
		for _, t := range st.takes {
			value, ok := t.at.read(wire.Exchange{Response: answer})
			if !ok {
				return answer, nil
			}
			values = append(values, [2]string{t.seen, value.Secret()})
		}
	}
	return answer, nil
}

// untilReady makes the last request again while its answer says that it is too early.
func (w *way) untilReady(ctx context.Context, r wire.Request, answer *wire.Response, send wire.Send) (*wire.Response, error) {
	for range mostPolls {
		if _, ok := w.place.read(wire.Exchange{Response: answer}); ok || !w.again.status[answer.Status] {
			break
		}
		err := service.Sleep(ctx, w.again.pause)
		if err == nil {
			answer, err = send(ctx, r)
		}
		if err != nil {
			return nil, err
		}
	}
	return answer, nil
}

// withSessionOf is a step as somebody makes it whose endpoint's request is r: with that
// one's headers, wherever they are others than the page's, and without what only the
// page's user has, if r is.
func (w *way) withSessionOf(st step, r wire.Request) wire.Request {
	out := st.request.Clone()
	if w.by != nil {
		out = w.by(st)
	}
	for name, values := range w.asked {
		switch now, sent := r.Header[name]; {
		case !slices.Equal(out.Header[name], values):
		case sent:
			out.Header[name] = slices.Clone(now)
		default:
			delete(out.Header, name)
		}
	}
	for name, values := range r.Header {
		if _, known := w.asked[name]; !known {
			out.Header[name] = slices.Clone(values)
		}
	}
	return out
}

// madeBy is a request whose steps are made by somebody else, as is the request itself.
func madeBy(r wire.Request, by func(step) wire.Request) wire.Request {
	if w, ok := r.Way.(*way); ok {
		other := *w
		other.by = by
		r.Way = &other
	}
	return r
}

// forChat is the way for another chat.
func (w *way) forChat(from, to string) *way {
	out := *w
	out.steps = slices.Clone(w.steps)
	for i := range out.steps {
		out.steps[i].request = forChat(out.steps[i].request, from, to)
	}
	return &out
}

// filled is a request with other values, in the spelling of each place.
func filled(r wire.Request, values [][2]string) wire.Request {
	r = r.Clone()
	for _, v := range values {
		for _, spell := range []func(string) string{func(s string) string { return s }, url.QueryEscape, url.PathEscape, inJSON} {
			old, now := spell(v[0]), spell(v[1])
			r.URL = strings.ReplaceAll(r.URL, old, now)
			r.Body = []byte(strings.ReplaceAll(string(r.Body), old, now))
			for _, header := range r.Header {
				for i := range header {
					header[i] = strings.ReplaceAll(header[i], old, now)
				}
			}
		}
	}
	return r
}

func inJSON(text string) string {
	raw, err := json.Marshal(text)
	if err != nil {
		return text
	}
	return strings.Trim(string(raw), `"`)
}

// takes says whether a header's value is of an earlier answer, or new in each request: it
// is no session.
func (e *Endpoint) takes(name string) bool {
	if e.way == nil {
		return false
	}
	var seen []string
	for _, st := range e.way.steps[:e.way.main] {
		for _, t := range st.takes {
			seen = append(seen, t.seen)
		}
	}
	for _, m := range e.way.made {
		seen = append(seen, m.seen)
	}
	return name != "Cookie" && slices.ContainsFunc(seen, func(text string) bool {
		return strings.Contains(strings.Join(e.Request.Header[name], "\n"), text)
	})
}

// lead finds the way to the token where the page's request can't be made by itself, and
// says whether it has been found: it then brings tokens for several chats at once.
func (s *Session) lead(e *Endpoint, first Evidence) (*Endpoint, Evidence, bool) {
	if _, ok := s.TokenIn(first.Exchange); !e.Gave || e.Mended != nil || e.NamesChat() && (ok || !isRefusal(first)) {
		return e, first, false
	}
	v, err := s.visitWithToken()
	if err != nil {
		return e, first, false
	}
	led, ok := s.alongTheWay(e, v)
	if !ok {
		return e, first, false
	}
	ev, ok := s.leadsThere(led)
	if !ok {
		return e, first, false
	}
	return led, ev, true
}

// leadsThere says whether the way brings tokens for several chats at once.
func (s *Session) leadsThere(e *Endpoint) (Evidence, bool) {
	ev, ok := s.arrives(e)
	if !ok {
		return ev, false
	}
	works := make([]bool, atATime)
	s.Each(atATime, func(i int) error {
		_, works[i] = s.arrives(e)
		return nil
	})
	if slices.Contains(works, false) {
		return ev, false
	}
	s.Redact.Learn(e.Credentials()...)
	return ev, true
}

// leadSecond is lead for the second user, where it was for the first.
func (s *Session) leadSecond(e *Endpoint) (*Endpoint, error) {
	if first, ok := s.Endpoints.Found(); !ok || first.way == nil {
		return e, nil
	} else if len(first.way.made) > 0 {
		if again, ok := e.anewLike(first); ok {
			return again, nil
		}
		return e, nil
	}
	v, err := s.visitSecond()
	if err != nil {
		return nil, err
	}
	led, ok := s.alongTheWay(e, v)
	if !ok {
		return nil, MissingError("the second user's page takes other steps to its token")
	}
	s.Redact.Learn(led.Credentials()...)
	return led, nil
}

// arrives says whether a new chat gets its own token.
func (s *Session) arrives(e *Endpoint) (Evidence, bool) {
	chatID := s.NewChatID()
	ev := s.Do(s.Base, "the page's steps again", e.WithChat(chatID))
	raw, ok := e.place.read(ev.Exchange)
	if !ok {
		return ev, false
	}
	t, err := token.Decode(raw)
	return ev, err == nil && t.ChatID() == chatID
}

// alongTheWay is the endpoint with the steps of a visit that lead to its token.
func (s *Session) alongTheWay(e *Endpoint, v *Visit) (*Endpoint, bool) {
	last, ok := tokenRequest(v)
	if !ok || last.ResourceType == "WebSocket" {
		return nil, false
	}
	w, ok := stepsTo(v, last)
	if !ok {
		return nil, false
	}
	for i, st := range w.steps {
		w.steps[i].request.Header = s.Client.Gates().Without(st.request.Header, st.request.URL)
		w.steps[i].bearers = slices.DeleteFunc(param.All(st.request, chosenHeader), func(l param.Leaf) bool {
			return l.Place == param.InHeader || i == w.main || len(l.Text()) < redact.MinSecret || !v.keeps(l.Text()) && !redact.IsSecretName(l.Name())
		})
	}
	w.place = e.place
	led := *e
	led.way = w
	led.Request = w.steps[w.main].request
	w.asked = led.Request.Header.Clone()
	led.Request.Way = w
	led.Credentialed = led.Request.Header.Get("Cookie") != ""
	return &led, true
}

// stepsTo are the requests from which the last one has its values, with those that tell
// of the chat.
func stepsTo(v *Visit, last browser.Request) (*way, bool) {
	all := v.Record.Requests
	at := slices.IndexFunc(all, func(r browser.Request) bool { return same(r, last) && r.Started.Equal(last.Started) })
	if at < 0 {
		return nil, false
	}
	needed := map[int]*step{at: {request: Resend(last)}}
	for i, r := range all[:at] {
		if r.Method != "" && scriptAsks[r.ResourceType] && !r.Kindly && carriesChat(r, v.ChatID) && !same(r, last) {
			needed[i] = &step{request: Resend(r)}
		}
	}
	for i := at; i >= 0 && len(needed) <= mostSteps; i-- {
		if needed[i] == nil {
			continue
		}
		for _, value := range carried(all[i], v.ChatID) {
			if j, place := whereFrom(all[:i], value); place.known() {
				if needed[j] == nil {
					needed[j] = &step{request: Resend(all[j])}
				}
				needed[j].take(place, value)
			}
		}
	}
	w := &way{main: -1, again: repeated(all[:at], last)}
	for _, i := range slices.Sorted(maps.Keys(needed)) {
		if carriesChat(all[i], v.ChatID) {
			w.main = len(w.steps)
		}
		w.steps = append(w.steps, *needed[i])
	}
	return w, w.main >= 0 && len(w.steps) <= mostSteps && (len(w.steps) > 1 || len(w.again.status) > 0)
}

func (s *step) take(place tokenPlace, value string) {
	if !slices.ContainsFunc(s.takes, func(t taken) bool { return t.seen == value }) {
		s.takes = append(s.takes, taken{place, value})
	}
}

func same(a, b browser.Request) bool {
	return a.Method == b.Method && a.URL == b.URL && string(a.Body) == string(b.Body)
}

// carried are the values of a request that may be of an earlier answer, the whole of
// its address first.
func carried(r browser.Request, chatID string) []string {
	var out []string
	if u, err := url.Parse(r.URL); err == nil && len(u.RequestURI()) >= minCarried && !param.HoldsID(r.URL, chatID) {
		out = append(out, r.URL, u.RequestURI())
	}
	leaves := param.All(Resend(r), chosenHeader)
	for _, v := range r.Header["Authorization"] {
		if _, credential, ok := strings.Cut(v, " "); ok {
			leaves = append(leaves, param.Leaf{Value: credential})
		}
	}
	for _, l := range leaves {
		if text := l.Text(); len(text) >= minCarried && !param.HoldsID(text, chatID) {
			out = append(out, text)
		}
	}
	return out
}

// whereFrom is the latest answer that holds a value which its request did not.
func whereFrom(all []browser.Request, value string) (int, tokenPlace) {
	for i := len(all) - 1; i >= 0; i-- {
		r := all[i]
		if r.Kindly || r.Method == "" || r.FromCache || !scriptAsks[r.ResourceType] && r.ResourceType != "Document" || holds(r, value) {
			continue
		}
		if place := findPlace(RequestEvidence("", r).Exchange, value); place.known() {
			return i, place
		}
	}
	return 0, tokenPlace{}
}

// holds says whether a request itself carries a value.
func holds(r browser.Request, value string) bool {
	return strings.Contains(r.URL, value) || strings.Contains(string(r.Body), value) || headerHolds(r.Header, value)
}

// repeated is how the page has asked before for what it got in the end.
func repeated(all []browser.Request, last browser.Request) repeating {
	out := repeating{pause: maxPause, status: map[int]bool{}}
	for _, r := range all {
		if same(r, last) {
			out.status[r.Status] = true
			out.pause = min(out.pause, last.Started.Sub(r.Started))
		}
	}
	if len(out.status) == 0 && last.Method == http.MethodGet { // it was ready at once
		out.status, out.pause = map[int]bool{http.StatusAccepted: true, http.StatusNoContent: true}, maxPause/4
	}
	return out
}
