package subject

import (
	"strings"
	"sync"

	"github.com/kindlytest/kindlytest/internal/advice"
	"github.com/kindlytest/kindlytest/internal/wire"
)

// stacks gather what answers tell about what the target is written in. The
// endpoint and each webhook may be in different languages.
type stacks struct {
	mu       sync.Mutex
	byOrigin map[string]*advice.Signs
}

// see looks at an exchange.
func (k *stacks) see(ex wire.Exchange) {
	origin := wire.OriginOf(ex.Request.URL)
	if ex.Response == nil || origin == "" {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.byOrigin == nil {
		k.byOrigin = map[string]*advice.Signs{}
	}
	if k.byOrigin[origin] == nil {
		k.byOrigin[origin] = &advice.Signs{}
	}
	k.byOrigin[origin].See(ex.Status(), ex.Response.Header, cookieNames(ex.Request.Header.Get("Cookie")), ex.Response.Body)
}

// Of is the stack behind the first of the URLs that gives one away.
func (k *stacks) Of(urls ...string) (name string, signs []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, u := range urls {
		if s := k.byOrigin[wire.OriginOf(u)]; s != nil {
			if name, signs = s.Stack(); name != "" {
				return name, signs
			}
		}
	}
	return "", nil
}

func cookieNames(header string) []string {
	var names []string
	for pair := range strings.SplitSeq(header, ";") {
		if name, _, ok := strings.Cut(strings.TrimSpace(pair), "="); ok {
			names = append(names, name)
		}
	}
	return names
}
