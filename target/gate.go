package target

import (
	"maps"
	"slices"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/wire"
)

// A Gate opens what stands before a staging system. Without origins it stands
// before all that the target names.
type Gate = wire.Gate

// A Proxy is called through, by the browser and the harness alike.
type Proxy = wire.Proxy

// gates are the gates with their origins, and what gateways before webhooks want.
func (t Target) gates() wire.Gates {
	var out wire.Gates
	for _, g := range t.Gates {
		if len(g.Origins) == 0 && g.URL == "" {
			g.Origins = t.origins()
		}
		out = append(out, g)
	}
	for _, w := range t.Webhooks {
		if len(w.Header) > 0 {
			g := wire.Gate{URL: w.address(), Header: map[string]string{}}
			for name := range w.Header {
				g.Header[name] = w.Header.Get(name)
			}
			out = append(out, g)
		}
	}
	return out
}

// origins are those of all that is called, the pages of the logins too.
func (t Target) origins() []string {
	urls := t.called()
	for _, l := range []*browser.Login{t.Login, t.Second} {
		if l == nil {
			continue
		}
		for _, s := range l.Steps {
			urls = append(urls, s.Goto)
		}
	}
	found := map[string]bool{}
	for _, raw := range urls {
		if origin := wire.OriginOf(raw); origin != "" {
			found[origin] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// Wire adds to o how the target is reached.
func (t Target) Wire(o wire.Options) wire.Options {
	o.Resolve, o.TLS, o.Gates, o.Proxy = t.Resolve, t.TLS(), t.gates(), t.Proxy
	return o
}

// Chrome adds to o how the target is reached.
func (t Target) Chrome(o browser.Options) browser.Options {
	o.Resolve, o.RootCAs, o.Gates, o.Proxy = t.Resolve, t.Roots(), t.gates(), t.Proxy
	return o
}

// GateSecrets are the values by which the target is reached.
func (t Target) GateSecrets() []string {
	return append(t.gates().Secrets(), t.Proxy.Secrets()...)
}
