package server

import (
	"crypto/subtle"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/clip"
)

// stateHeader tells which State an answer shows: with faults exactly, else one
// that is not newer than what is shown.
const stateHeader = "Kindlytest-State"

// guard lets in who may call, and is the one place that answers errors.
func (s *server) guard(of side, h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		err := s.admit(w, r, of)
		if err == nil {
			err = h(w, r)
		}
		if err != nil {
			writeProblem(w, problemOf(err))
		}
	})
}

// admit refuses who may not call.
func (s *server) admit(w http.ResponseWriter, r *http.Request, of side) error {
	switch of {
	case widgetSide:
		w.Header().Set("Access-Control-Allow-Origin", "*")
		return s.beSlow(w, r)
	case adminSide:
		if err := s.checkCaller(r); err != nil {
			return err
		}
		if err := s.checkAdminToken(r); err != nil {
			return err
		}
		// As of now: what is read for the answer is at least as new.
		w.Header().Set(stateHeader, s.kindly.State().String())
	case serverSide:
		if err := s.checkCaller(r); err != nil {
			return err
		}
		return s.checkAPIKey(r)
	case pageSide:
		return s.checkHost(r)
	}
	return nil
}

// checkHost refuses what was sent to a name that is not ours: that of a page
// which points its name to this machine (DNS rebinding).
func (s *server) checkHost(r *http.Request) error {
	if len(s.opts.Hosts) > 0 && !slices.ContainsFunc(s.opts.Hosts, func(h string) bool { return sameHost(h, r.Host) }) {
		return newProblem(http.StatusMisdirectedRequest, "foreign-host", "Foreign host",
			"The mock's own side does not answer to the host %q. Call it by the address that it printed, or name the host with --host.", clip.Text(r.Host, 128))
	}
	return nil
}

// checkCaller refuses what a browser sends on behalf of a foreign page.
func (s *server) checkCaller(r *http.Request) error {
	if err := s.checkHost(r); err != nil {
		return err
	}
	for _, origin := range r.Header.Values("Origin") {
		if u, err := url.Parse(origin); err != nil || u.Host == "" || !strings.EqualFold(u.Host, r.Host) {
			return foreignOrigin(clip.Text(origin, 128))
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

func (s *server) checkAdminToken(r *http.Request) error {
	if s.opts.AdminToken == "" || sameSecret(bearerOf(r), s.opts.AdminToken) {
		return nil
	}
	return newProblem(http.StatusUnauthorized, "unauthorized", "Unauthorized",
		"The mock is open to other machines, so that its own side wants Authorization: Bearer and the admin token.")
}

// bearerOf is the credential of an Authorization header, "" if there is none.
func bearerOf(r *http.Request) string {
	scheme, credential, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(credential)
}

// sameSecret compares in a time that does not tell where the two differ.
func sameSecret(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// sameHost compares a Host header with an allowed one; an allowed host without
// a port allows every port.
func sameHost(allowed, got string) bool {
	if strings.EqualFold(allowed, got) {
		return true
	}
	host := strings.Trim(got, "[]") // an address without a port
	if h, _, err := net.SplitHostPort(got); err == nil {
		host = h
	}
	return strings.EqualFold(strings.Trim(allowed, "[]"), host)
}

// getPage serves one of the mock's own pages. A page may be opened from
// anywhere: it holds no data.
func (s *server) getPage(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return methodNotAllowed(clip.Text(r.Method, 32), "GET, HEAD")
	}
	w.Header().Set("Cache-Control", "no-cache")
	page := &pageWriter{ResponseWriter: w}
	s.opts.Pages.ServeHTTP(page, r)
	if page.isMissing {
		w.Header().Set("Cache-Control", "no-store")
		return notFound(r)
	}
	return nil
}

// A pageWriter holds back that there is no such page: it is told as a problem.
type pageWriter struct {
	http.ResponseWriter
	isMissing bool
}

func (w *pageWriter) WriteHeader(status int) {
	if w.isMissing = status == http.StatusNotFound; !w.isMissing {
		w.ResponseWriter.WriteHeader(status)
	}
}

func (w *pageWriter) Write(text []byte) (int, error) {
	if w.isMissing {
		return len(text), nil
	}
	return w.ResponseWriter.Write(text)
}
