package service

import (
	"bytes"
	"mime"
	"strings"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// A proxy may stand in for a service that is gone with a page of its own, and with the
// status of success, as nginx does by "error_page 502 =200 /maintenance.html". Where
// strangers are answered otherwise than by pages, a page is no answer of the service,
// unless that is seen to give it.

// standsIn says whether an answer may be such a page.
func (v *service) standsIn(ex wire.Exchange) bool {
	if !isPage(ex) {
		return false
	}
	look := lookOf(Evidence{Exchange: ex})
	v.mu.Lock()
	defer v.mu.Unlock()
	sure := false
	for _, s := range v.signs {
		switch {
		case s.session:
		case s.page:
			return false
		case s.status == ex.Status():
			sure = true
		}
	}
	return sure && !v.own[look] && len(v.own) < ownPages
}

// ownPages is after how many pages of its own a service is one that answers with pages:
// each may have a number of its own, and each look costs the run half a second.
const ownPages = 4

// owns notes that the service itself gave a page: it was there before and after.
func (v *service) owns(ev *Evidence) {
	if !ev.StandIn {
		return
	}
	ev.StandIn = false
	look := lookOf(*ev)
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.own == nil {
		v.own = map[string]bool{}
	}
	v.own[look] = true
}

// isPage says whether an answer is HTML, by what it says or by what it looks like.
func isPage(ex wire.Exchange) bool {
	if ex.Response == nil {
		return false
	}
	if t, _, err := mime.ParseMediaType(ex.Response.Header.Get("Content-Type")); err == nil && t != "text/plain" {
		return t == "text/html" || t == "application/xhtml+xml"
	}
	start := strings.ToLower(string(bytes.TrimSpace(ex.Response.Body[:min(len(ex.Response.Body), 64)])))
	return strings.HasPrefix(start, "<!doctype html") || strings.HasPrefix(start, "<html")
}
