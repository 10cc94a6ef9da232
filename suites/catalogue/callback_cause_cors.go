package catalogue

import (
	"fmt"
	"strings"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/suites/subject"
)

// What keeps the callback's request from being answered with a token.

func blockedRequest(c *call) (string, []subject.Evidence) {
	if c.asked == nil || c.asked.BlockedReason != "csp" {
		return "", nil
	}
	return "the page's own Content-Security-Policy keeps it from asking " + redact.URL(c.asked.URL) + " for the token", nil
}

// withoutCORS tells a request whose answer the page itself forbids scripts to read.
func withoutCORS(c *call) (string, []subject.Evidence) {
	if c.asked == nil || c.asked.ResourceType != "Fetch" || wire.HeaderValue(c.asked.Header, "Sec-Fetch-Mode") != "no-cors" || wire.OriginOf(c.asked.URL) == wire.OriginOf(c.visit.State.URL) {
		return "", nil
	}
	return "the page asks " + redact.URL(c.asked.URL) + " with mode no-cors; " + c.gave, nil
}

// errorBehindCORS tells an error whose answer lacks the headers that others have:
// the browser speaks of CORS alone. An answer of 4xx may come from an endpoint that
// allows no other origin at all; one whose preflight was allowed does not.
func errorBehindCORS(from, to int) func(*call) (string, []subject.Evidence) {
	return func(c *call) (string, []subject.Evidence) {
		if c.asked == nil || c.asked.CORSError != "MissingAllowOriginHeader" || len(c.hops) > 0 {
			return "", nil
		}
		p, asked := c.preflight()
		if from < 500 && !(asked && p.Status/100 == 2 && wire.HeaderValue(p.ResponseHeader, "Access-Control-Allow-Origin") != "") {
			return "", nil
		}
		ev, _ := c.send("the same request, made again to read the answer", subject.Resend(*c.asked))
		if s := ev.Exchange.Status(); s < from || s > to || from == 401 && s == 402 {
			return "", nil
		}
		return "the same request gets " + subject.WhatAnswered(ev.Exchange) + "; that answer has no CORS headers, so that the browser speaks only of those", []subject.Evidence{ev}
	}
}

// preflight is the browser's own request before the callback's.
func (c *call) preflight() (browser.Request, bool) {
	all := c.visit.Record.Requests
	for i := len(all) - 1; i >= 0; i-- {
		if r := all[i]; r.ResourceType == "Preflight" && withoutFragment(r.URL) == withoutFragment(c.asked.URL) {
			return r, true
		}
	}
	return browser.Request{}, false
}

// ofPreflight is what the preflight's answer tells that Chrome's sentence does not.
func (c *call) ofPreflight() string {
	p, asked := c.preflight()
	switch {
	case !asked || p.Status == 0:
		return ""
	case p.Status/100 != 2 && p.Status/100 != 3:
		return fmt.Sprintf("; the preflight is answered %d", p.Status)
	case strings.TrimSpace(wire.HeaderValue(p.ResponseHeader, "Access-Control-Allow-Headers")) == "*":
		return "; the preflight's answer allows * in Access-Control-Allow-Headers"
	}
	return ""
}

func corsRefused(c *call) (string, []subject.Evidence) {
	if c.asked == nil {
		return "", nil
	}
	for _, r := range append([]browser.Request{*c.asked}, c.hops...) {
		if sentence := corsSentence(c.visit.Record, r); sentence != "" {
			return sentence + c.ofPreflight(), nil
		}
		if r.CORSError != "" {
			return c.answered(r) + " (CORS: " + r.CORSError + ")", nil
		}
	}
	return "", nil
}

// maxSentence is longer than Chrome's longest sentence, but for its URLs.
const maxSentence = 1200

// corsSentence is what Chrome says of a request that CORS forbade, whole: the
// cause stands at its end.
func corsSentence(record browser.Record, r browser.Request) string {
	for _, e := range record.Console {
		if strings.Contains(e.Text, "CORS policy") && strings.Contains(e.Text, "'"+withoutFragment(r.URL)+"'") {
			return subject.Bound(e.Text, maxSentence)
		}
	}
	return ""
}
