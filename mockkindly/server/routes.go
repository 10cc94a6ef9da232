package server

import (
	"net/http"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/clip"
	"github.com/kindlytest/kindlytest/internal/redact"
)

// A side is who may call a route.
type side int

const (
	widgetSide side = iota // any page: CORS for all, no credentials
	adminSide              // tools and our own pages: no CORS, no foreign origin, a token if there is one
	serverSide             // the customer's servers: as the admin side, but an API key
	pageSide               // pages without data: only the Host is looked at
	noSide                 // where there is nothing: neither
)

// A handler answers, or returns an error that is answered for it.
type handler func(w http.ResponseWriter, r *http.Request) error

type route struct {
	method, path string
	side         side
	handle       handler
}

// plays says whether a route has use only where the mock plays Kindly.
func (rt route) plays() bool { return rt.side == widgetSide || rt.path == "/mock/v1/faults" }

func (s *server) table() []route {
	return []route{
		{"GET", "/kindly-chat.js", widgetSide, s.getScript},
		{"GET", "/kindly-chat-pure.js", widgetSide, s.getPure},
		{"POST", "/mock/v1/client", widgetSide, s.postClient},
		{"POST", "/mock/v1/chats", widgetSide, s.postChat},
		{"POST", "/mock/v1/chats/{id}/callbacks", widgetSide, s.postCallback},
		{"POST", "/mock/v1/chats/{id}/token", widgetSide, s.postToken},
		{"POST", "/mock/v1/chats/{id}/messages", widgetSide, s.postMessage},

		{"GET", "/mock/v1/chats", adminSide, s.getChats},
		{"GET", "/mock/v1/chats/{id}", adminSide, s.getChat},
		{"GET", "/mock/v1/users", adminSide, s.getUsers},
		{"GET", "/mock/v1/journal", adminSide, s.getJournal},
		{"GET", "/mock/v1/stream", adminSide, s.getStream},
		{"GET", "/mock/v1/wait", adminSide, s.getWait},
		{"POST", "/mock/v1/deliveries/{seq}/resend", adminSide, s.postResend},
		{"GET", "/mock/v1/deliveries/{seq}/curl", adminSide, s.getCurl},
		{"GET", "/mock/v1/faults", adminSide, s.getFaults},
		{"PUT", "/mock/v1/faults", adminSide, s.putFaults},
		{"GET", "/mock/v1/bots", adminSide, s.getBots},
		{"POST", "/mock/v1/bots", adminSide, s.postBot},
		{"GET", "/mock/v1/bots/{key}", adminSide, s.getBot},
		{"POST", "/mock/v1/reset", adminSide, s.postReset},
		{"GET", "/mock/v1/health", adminSide, s.getHealth},
		{"GET", "/openapi.yaml", adminSide, s.getOpenAPI},

		{"GET", "/mock/v1/checks", adminSide, s.withChecks(s.getChecks)},
		{"GET", "/mock/v1/checks/report", adminSide, s.withChecks(s.getChecksReport)},
		{"GET", "/mock/v1/checks/stream", adminSide, s.withChecks(s.getChecksStream)},
		{"POST", "/mock/v1/checks/runs", adminSide, s.withChecks(s.postChecksRun)},
		{"GET", "/mock/v1/checks/runs/{run}", adminSide, s.withChecks(s.getChecksRun)},
		{"GET", "/mock/v1/checks/runs/{run}/report", adminSide, s.withChecks(s.getChecksReport)},
		{"POST", "/mock/v1/checks/runs/{run}/stop", adminSide, s.withChecks(s.postChecksStop)},

		{"POST", "/api/v1/send", serverSide, s.postSend},
		{"POST", "/api/v1/greet", serverSide, s.postGreet},
	}
}

// routes builds the handler: each route, and for each path what answers the
// other methods, so that they too get a problem+json.
func (s *server) routes() http.Handler {
	mux := http.NewServeMux()
	paths := map[string]*methods{}
	for _, rt := range s.table() {
		if s.opts.WatchOnly && rt.plays() {
			continue
		}
		mux.Handle(rt.method+" "+rt.path, s.guard(rt.side, rt.handle))
		if paths[rt.path] == nil {
			paths[rt.path] = &methods{side: rt.side}
		}
		paths[rt.path].add(rt)
	}
	for path, m := range paths {
		mux.Handle(path, s.guard(m.side, m.other))
	}
	if s.opts.Pages != nil {
		mux.Handle("/", s.guard(pageSide, s.getPage))
		return mux
	}
	mux.Handle("/", s.guard(noSide, func(_ http.ResponseWriter, r *http.Request) error { return notFound(r) }))
	return mux
}

func notFound(r *http.Request) error {
	return newProblem(http.StatusNotFound, "not-found", "Not found", "There is nothing at %s.", clip.Text(r.URL.Path, 128))
}

// methods are those that a path takes.
type methods struct {
	side   side // of one of them; the widget's if it is among them
	all    []string
	widget []string // those that foreign pages may use
}

func (m *methods) add(rt route) {
	m.all = append(m.all, rt.method)
	if rt.method == "GET" {
		m.all = append(m.all, "HEAD")
	}
	if rt.side == widgetSide {
		m.side, m.widget = widgetSide, append(m.widget, rt.method)
	}
}

// other answers the methods that a path does not take, and preflights.
func (m *methods) other(w http.ResponseWriter, r *http.Request) error {
	allow := strings.Join(m.all, ", ")
	if m.side != widgetSide {
		return methodNotAllowed(clip.Text(r.Method, 32), allow)
	}
	allow += ", OPTIONS"
	if r.Method != http.MethodOptions {
		return methodNotAllowed(clip.Text(r.Method, 32), allow)
	}
	h := w.Header()
	h.Set("Allow", allow)
	h.Set("Access-Control-Allow-Methods", strings.Join(append(slices.Clone(m.widget), "OPTIONS"), ", "))
	h.Set("Access-Control-Allow-Headers", "Content-Type")
	h.Set("Access-Control-Max-Age", "600")
	if r.Header.Get("Access-Control-Request-Private-Network") == "true" {
		h.Set("Access-Control-Allow-Private-Network", "true") // a public page, a mock on this machine
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func writeProblem(w http.ResponseWriter, p *problem) {
	if p.allow != "" {
		w.Header().Set("Allow", p.allow)
	}
	body, err := redact.JSON(p)
	if err != nil { // its members are strings: cannot happen
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_, _ = w.Write(append(body, '\n')) // the caller may be gone
}
