package subject

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/internal/param"
)

// Some pages put into each request what no other request may have: a key against doing
// things twice, a time, a nonce, the number of a trace. What differs between two requests
// of the page, and is nothing but chance or the time, is made anew for each of ours.

// A made value is one that the page made for its request.
type made struct {
	at   param.Leaf
	seen string
	anew func(time.Time) string
}

// makers know values by their forms.
var makers = []struct {
	form *regexp.Regexp
	anew func(seen string, asked time.Time) func(time.Time) string // nil: it is none
}{
	{regexp.MustCompile(`^(?i)[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`), func(seen string, _ time.Time) func(time.Time) string {
		return func(time.Time) string { return likeHex(seen, newUUID()) }
	}},
	{regexp.MustCompile(`^\d{10}(\d{3})?$`), func(seen string, asked time.Time) func(time.Time) string {
		if len(seen) == 10 {
			return ifAround(seen, asked, time.Second)
		}
		return ifAround(seen, asked, time.Millisecond)
	}},
	{regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$`), func(seen string, asked time.Time) func(time.Time) string {
		layout := "2006-01-02T15:04:05Z"
		if strings.Contains(seen, ".") {
			layout = "2006-01-02T15:04:05.000Z"
		}
		if at, err := time.Parse(layout, seen); err != nil || asked.Sub(at).Abs() > aroundThen {
			return nil
		}
		return func(now time.Time) string { return now.UTC().Format(layout) }
	}},
	{regexp.MustCompile(`^(?i)([0-9a-f]{2}){8,32}$`), func(seen string, _ time.Time) func(time.Time) string {
		return func(time.Time) string { return likeHex(seen, hex.EncodeToString(chance(len(seen)/2))) }
	}},
	{regexp.MustCompile(`^[A-Za-z0-9_-]{16,44}$`), func(seen string, _ time.Time) func(time.Time) string {
		return func(time.Time) string { return base64.RawURLEncoding.EncodeToString(chance(len(seen)))[:len(seen)] }
	}},
	{regexp.MustCompile(`^[A-Za-z0-9+/]{16,44}={0,2}$`), func(seen string, _ time.Time) func(time.Time) string {
		raw, err := base64.StdEncoding.DecodeString(seen)
		if err != nil {
			return nil
		}
		return func(time.Time) string { return base64.StdEncoding.EncodeToString(chance(len(raw))) }
	}},
}

// aroundThen is how far a page's clock may be from that of its request.
const aroundThen = 2 * time.Minute

// ifAround makes times as a number of units since 1970, if seen is one of the request's.
func ifAround(seen string, asked time.Time, unit time.Duration) func(time.Time) string {
	n, err := strconv.ParseInt(seen, 10, 64)
	if err != nil || asked.Sub(time.Unix(0, 0).Add(time.Duration(n)*unit)).Abs() > aroundThen {
		return nil
	}
	return func(now time.Time) string { return strconv.FormatInt(now.UnixNano()/int64(unit), 10) }
}

func chance(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // it never fails (crypto/rand)
	return b
}

func newUUID() string {
	b := chance(16)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// likeHex is a value in the letter case of another.
func likeHex(seen, anew string) string {
	if strings.ToUpper(seen) == seen {
		return strings.ToUpper(anew)
	}
	return anew
}

// makeAnew makes anew what the page made for each request, where it can't be repeated
// otherwise, and says whether that brings tokens for several chats at once.
func (s *Session) makeAnew(e *Endpoint, first Evidence) (*Endpoint, Evidence, bool) {
	if _, ok := s.TokenIn(first.Exchange); ok || !e.Gave || e.Mended != nil || !e.NamesChat() || !isRefusal(first) {
		return e, first, false
	}
	other, err := s.askedByPage(s.Base, e)
	if err != nil {
		return e, first, false
	}
	again, ok := e.anew(func(l param.Leaf) bool {
		return !slices.ContainsFunc(param.All(other.Request, chosenHeader), func(o param.Leaf) bool { return o.Same(l) && o.Text() == l.Text() })
	})
	if !ok {
		return e, first, false
	}
	ev, ok := s.leadsThere(again)
	return again, ev, ok
}

// anewLike is anew for the second user, where it was so for the first.
func (e *Endpoint) anewLike(first *Endpoint) (*Endpoint, bool) {
	return e.anew(func(l param.Leaf) bool {
		return slices.ContainsFunc(first.way.made, func(m made) bool { return m.at.Same(l) })
	})
}

// anew is the endpoint with what differs in each request of the page made for each of
// ours; not ok where nothing does, or it is more than chance and the time.
func (e *Endpoint) anew(differs func(param.Leaf) bool) (*Endpoint, bool) {
	w := &way{steps: []step{{request: e.Request}}, place: e.place, asked: e.Request.Header.Clone()}
	for _, l := range param.All(e.Request, chosenHeader) {
		if l.Text() == "" || param.HoldsID(l.Text(), e.ChatID) || !differs(l) {
			continue
		}
		m, ok := makerOf(l, e.Seen.Exchange.At)
		if !ok {
			return nil, false
		}
		w.made = append(w.made, m)
	}
	again := *e
	again.way = w
	again.Request = e.Request.Clone()
	again.Request.Way = w
	return &again, len(w.made) > 0
}

func makerOf(l param.Leaf, asked time.Time) (made, bool) {
	for _, m := range makers {
		if m.form.MatchString(l.Text()) {
			if anew := m.anew(l.Text(), asked); anew != nil {
				return made{l, l.Text(), anew}, true
			}
		}
	}
	return made{}, false
}
