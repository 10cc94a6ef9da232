package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
)

// aWordOn says what an answer other than 200 means, or why there is none, and
// what to look at. It quotes nothing of the answer.
func aWordOn(d mockkindly.Delivery, timeout time.Duration) string {
	if d.Exchange.Err != nil {
		return wordOnError(d.Exchange, timeout)
	}
	status, header := d.Exchange.Status(), d.Exchange.Response.Header
	html := strings.HasPrefix(strings.ToLower(header.Get("Content-Type")), "text/html")
	switch {
	case status == http.StatusOK && html:
		return "An HTML page answered, not the webhook: a login page, or the front of the app. Compare the path, and take the webhook out of what needs a login."
	case status == http.StatusOK:
		return ""
	case status >= 300 && status < 400:
		return wordOnRedirect(d.URL, header.Get("Location"))
	case html && status != http.StatusInternalServerError:
		return wordOnStatus(status, d) + " The answer is an HTML page: it may come from a proxy or a framework, before the webhook was asked."
	}
	return wordOnStatus(status, d)
}

var wordsOnStatus = map[int]string{
	400: "It took the request for malformed. The body is JSON of Kindly's shape: compare what it expects with what was sent.",
	404: "Nothing is at this path. Compare it with the routes of the app, the slash at the end included.",
	405: "This path does not take POST, and Kindly sends nothing else.",
	411: "It wants a length, which was sent: a proxy in between may take it away.",
	413: "The body is too large for it; Kindly's may be larger than this one.",
	415: "It does not take application/json, which is what Kindly sends.",
	422: "The body does not fit what it declares. Kindly adds fields without a word: unknown ones must be allowed.",
	429: "It limits the rate. Kindly's requests come from few addresses: count them by chat or not at all.",
	500: "The webhook failed while it answered: its log says where.",
	502: "A gateway answered: the app behind it is down, or gave something that is no HTTP.",
	503: "A gateway or the app itself says that it is not there at the moment.",
	504: "A gateway gave up waiting for the app.",
}

func wordOnStatus(status int, d mockkindly.Delivery) string {
	switch word := wordsOnStatus[status]; {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return wordOnRefusal(d)
	case word != "":
		return fmt.Sprintf("%d: %s", status, word)
	case status >= 200 && status < 300:
		return fmt.Sprintf("%d: Kindly documents 200, with a JSON object; {} says nothing.", status)
	}
	return fmt.Sprintf("%d: what Kindly does with any status but 200 is unpublished. A failure of your business is a 200 with a reply that says so.", status)
}

// wordOnRefusal says what the webhook had to go by.
func wordOnRefusal(d mockkindly.Delivery) string {
	text := fmt.Sprintf("%d: it refused the request, which was ", d.Exchange.Status())
	if signature, _ := webhook.Signature(d.Exchange.Request.Header); signature == "" {
		text += "not signed (" + hmacSecretVariable + " is not set)"
	} else {
		text += "signed with " + hmacSecretVariable + " (the webhook must have the same secret, without a line end, and check the raw body)"
	}
	if d.WithToken {
		return text + " and came with the token (kindlytest verify judges it)."
	}
	return text + " and came without a token."
}

func wordOnRedirect(from, to string) string {
	const rule = "Kindly's requests are not redirected here: register the final address"
	target, err := url.Parse(to)
	if err != nil || to == "" {
		return "It redirects to nowhere. " + rule + "."
	}
	source, err := url.Parse(from)
	path := strings.ToLower(target.Path)
	switch {
	case strings.Contains(path, "login"), strings.Contains(path, "signin"), strings.Contains(path, "auth"):
		return "It redirects to a login: something in front of the webhook wants a session, which Kindly has not. Take the webhook's path out of it."
	case err == nil && strings.TrimSuffix(target.Path, "/") == strings.TrimSuffix(source.Path, "/") && target.Path != source.Path:
		return "It redirects for a slash at the end of the path. " + rule + ", with the slash as it wants it."
	case err == nil && source.Scheme == "http" && target.Scheme == "https":
		return "It redirects to https. " + rule + ", with https."
	}
	return "It redirects. " + rule + "."
}

func wordOnError(e wire.Exchange, timeout time.Duration) string {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var plain tls.RecordHeaderError
	switch err := e.Err; {
	case errors.As(err, &unknown):
		return "Its certificate is of an authority that is not known here: the chain lacks an intermediate, or the authority is private (--ca-file)."
	case errors.As(err, &name):
		return "Its certificate is for another name than the one that was called."
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "Its certificate has expired, or is not valid yet."
	case errors.As(err, &plain), errors.Is(err, http.ErrSchemeMismatch):
		return "It speaks plain HTTP at an https address: give the address with http://, as PUBLIC=LOCAL if the public one is https."
	}
	switch e.Kind() {
	case wire.KindTimeout:
		return fmt.Sprintf("It did not answer within %s (--timeout). Kindly's own time-out is unpublished: answer within seconds, and do what takes longer afterwards.", timeout)
	case wire.KindUnreachable:
		return "Nobody listens at this address, or the name is unknown: is the webhook running, and on this port?"
	case wire.KindReset:
		return "The connection was closed before an answer: the webhook may have ended, or a proxy gave up. Its log says more."
	}
	return ""
}
