package subject

import (
	"errors"
	"strconv"
	"strings"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/suites/service"
)

// Evidence is one exchange that a verdict rests on.
type Evidence = service.Evidence

// RequestEvidence turns a request of the page into evidence.
func RequestEvidence(title string, r browser.Request) Evidence {
	ex := wire.Exchange{At: r.Started, Duration: r.Duration, Request: wire.Request{
		Method: r.Method, URL: r.URL, Header: r.Header, Body: r.Body}}
	switch {
	case r.Status != 0:
		ex.Response = &wire.Response{Status: r.Status, Header: r.ResponseHeader, Body: r.ResponseBody}
	case r.Error != "":
		ex.Err = errors.New(r.Error)
	}
	return Evidence{Title: title, Exchange: ex}
}

// Describe puts an exchange's end into a few words: "status 200",
// "no answer (reset)".
func Describe(ex wire.Exchange) string {
	if ex.Response != nil {
		text := "status " + strconv.Itoa(ex.Response.Status)
		if to := ex.Response.Header.Get("Location"); to != "" && ex.Response.Status/100 == 3 {
			text += " to " + Bound(redact.URL(to), 200)
		}
		return text + certificateWanted(ex)
	}
	if service.Spared(ex) || errors.Is(ex.Err, service.ErrLimited) || service.IsDown(ex.Err) {
		return ex.Err.Error()
	}
	return "no answer (" + string(ex.Kind()) + ")"
}

// Fares is what becomes of a plain request: it "gets status 401", or "kills it, 3 of
// 3 times".
func Fares(ev Evidence) string {
	if ev.Killed != nil && ev.Killed.Check == "" {
		return strings.TrimPrefix(ev.Killed.String(), strconv.Quote(ev.Killed.Title)+" ")
	}
	return "gets " + Describe(ev.Exchange)
}

// certificateWanted says of an answer that it is a gate's, which wants a client
// certificate, and how to give one; "" if it is none.
func certificateWanted(ex wire.Exchange) string {
	if !wire.AsksForCertificate(ex.Status(), string(ex.Body())) {
		return ""
	}
	return ": the server wants a client certificate; " + ClientCertificate
}
