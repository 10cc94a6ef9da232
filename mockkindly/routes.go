package mockkindly

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A side is who may call a route.
type side int

const (
	widgetSide side = iota // any page: CORS for all, no credentials
	adminSide              // tools and our own pages: no CORS, no foreign origin
	noSide                 // where there is nothing: neither
)

// A handler answers, or returns an error that is answered for it.
type handler func(w http.ResponseWriter, r *http.Request) error

type route struct {
	method, path string
	side         side
	handle       handler
}

func (k *Kindly) table() []route {
	return []route{
		{"GET", "/kindly-chat.js", widgetSide, k.getScript},
		{"GET", "/kindly-chat-pure.js", widgetSide, k.getPure},
		{"POST", "/mock/v1/client", widgetSide, k.postClient},
		{"POST", "/mock/v1/chats", widgetSide, k.postChat},
		{"POST", "/mock/v1/chats/{id}/callbacks", widgetSide, k.postCallback},
		{"POST", "/mock/v1/chats/{id}/token", widgetSide, k.postToken},
		{"POST", "/mock/v1/chats/{id}/messages", widgetSide, k.postMessage},

		{"GET", "/mock/v1/chats/{id}", adminSide, k.getChat},
		{"GET", "/mock/v1/journal", adminSide, k.getJournal},
		{"POST", "/mock/v1/bots", adminSide, k.postBot},
		{"GET", "/mock/v1/bots/{key}", adminSide, k.getBot},
		{"POST", "/mock/v1/reset", adminSide, k.postReset},
		{"GET", "/mock/v1/health", adminSide, k.getHealth},
	}
}

// routes builds the handler: each route, and for each path what answers the
// other methods, so that they too get a problem+json.
func (k *Kindly) routes() http.Handler {
	mux := http.NewServeMux()
	methods := map[string][]string{}
	sides := map[string]side{}
	for _, rt := range k.table() {
		mux.Handle(rt.method+" "+rt.path, k.guard(rt.side, rt.handle))
		methods[rt.path] = append(methods[rt.path], rt.method)
		if rt.method == "GET" {
			methods[rt.path] = append(methods[rt.path], "HEAD")
		}
		sides[rt.path] = rt.side
	}
	for path, allowed := range methods {
		mux.Handle(path, k.guard(sides[path], otherMethods(sides[path], allowed)))
	}
	mux.Handle("/", k.guard(noSide, func(_ http.ResponseWriter, r *http.Request) error {
		return newProblem(http.StatusNotFound, "not-found", "Not found", "There is nothing at %s.", clip(r.URL.Path, 128))
	}))
	return mux
}

// otherMethods answers the methods that a path does not take, and preflights.
func otherMethods(s side, allowed []string) handler {
	if s == widgetSide {
		allowed = append(slices.Clone(allowed), "OPTIONS")
	}
	allow := strings.Join(allowed, ", ")
	return func(w http.ResponseWriter, r *http.Request) error {
		if s != widgetSide || r.Method != http.MethodOptions {
			return methodNotAllowed(clip(r.Method, 32), allow)
		}
		h := w.Header()
		h.Set("Allow", allow)
		h.Set("Access-Control-Allow-Methods", allow)
		h.Set("Access-Control-Allow-Headers", "Content-Type")
		h.Set("Access-Control-Max-Age", "600")
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
}

// guard lets in who may call, and is the one place that answers errors.
func (k *Kindly) guard(s side, h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		var err error
		switch s {
		case widgetSide:
			w.Header().Set("Access-Control-Allow-Origin", "*")
		case adminSide:
			err = k.checkAdmin(r)
		}
		if err == nil {
			err = h(w, r)
		}
		if err != nil {
			writeProblem(w, problemOf(err))
		}
	})
}

// checkAdmin refuses what a browser sends on behalf of a foreign page.
func (k *Kindly) checkAdmin(r *http.Request) error {
	if len(k.opts.Hosts) > 0 && !slices.ContainsFunc(k.opts.Hosts, func(h string) bool { return sameHost(h, r.Host) }) {
		return newProblem(http.StatusMisdirectedRequest, "foreign-host", "Foreign host",
			"The mock's own side does not answer to the host %q.", clip(r.Host, 128))
	}
	for _, origin := range r.Header.Values("Origin") {
		if u, err := url.Parse(origin); err != nil || u.Host == "" || !strings.EqualFold(u.Host, r.Host) {
			return foreignOrigin(clip(origin, 128))
		}
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "cross-site", "same-site":
		return foreignOrigin("another site")
	}
	return nil
}

func foreignOrigin(who string) error {
	return newProblem(http.StatusForbidden, "foreign-origin", "Foreign origin",
		"Pages of %s may not use the mock's own side, only the widget's routes.", who)
}

// sameHost compares a Host header with an allowed one; an allowed host without
// a port allows every port.
func sameHost(allowed, got string) bool {
	if strings.EqualFold(allowed, got) {
		return true
	}
	host, _, err := net.SplitHostPort(got)
	return err == nil && strings.EqualFold(strings.Trim(allowed, "[]"), host)
}

func writeProblem(w http.ResponseWriter, p *problem) {
	if p.allow != "" {
		w.Header().Set("Allow", p.allow)
	}
	body, err := marshal(p)
	if err != nil { // its members are strings: cannot happen
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_, _ = w.Write(body) // the caller may be gone
}

func writeJSON(w http.ResponseWriter, status int, v any) error {
	body, err := marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the caller may be gone
	return nil
}
