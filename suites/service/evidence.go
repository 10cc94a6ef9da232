package service

import (
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// Evidence is one exchange that a verdict rests on.
type Evidence struct {
	Title    string // "the request with alg none"
	Exchange wire.Exchange
	// Killed is the death that the request caused; nil for none.
	Killed *Death
	// Hung: it got no answer in time, though the service lived and answered others.
	Hung bool
	// StandIn: a page came from where none does, as proxies show while nobody is behind
	// them.
	StandIn bool
}

// ErrLimited says that a limit kept a request from being answered.
var ErrLimited = errors.New("the target limits how often it is called: it answers 429, or 503, which tells nothing")

// errShut is that of a request that was not sent, since the limit lets none through.
type errShut struct{}

func (errShut) Error() string        { return ErrLimited.Error() }
func (errShut) Is(target error) bool { return target == ErrLimited || target == wire.ErrNotSent }

// Limited says whether a request was turned away for being one too many.
func Limited(ev Evidence) bool { return ev.Exchange.Status() == http.StatusTooManyRequests }

// TooMany says whether one of many at once was turned away for being one too many:
// with 429, or with 503 and a time to come again (RFC 9110, 15.6.4), or as nginx does.
func TooMany(ev Evidence) bool {
	ex := ev.Exchange
	return Limited(ev) || ex.Status() == http.StatusServiceUnavailable && ex.Response.Header.Get("Retry-After") != "" || limitedByNginx(ex)
}

// limitedByNginx says whether an answer is nginx's own 503, which its limits give by
// default (limit_req_status, limit_conn_status). Where nobody is behind it, it is 502.
func limitedByNginx(ex wire.Exchange) bool {
	return ex.Status() == http.StatusServiceUnavailable && nginxPage.Match(ex.Response.Body)
}

var nginxPage = regexp.MustCompile(`(?i)<h1>503 Service Temporarily Unavailable</h1></center>\s*<hr><center>(nginx|openresty|tengine)`)

// limited says whether a service that has answered otherwise before turns a request
// away for being one too many.
func (v *service) limited(ev Evidence) bool {
	if ev.Exchange.Status() != http.StatusServiceUnavailable {
		return Limited(ev)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.shed[lookOf(ev)] || limitedByNginx(ev.Exchange) && len(v.signs) > 0 && !v.usual(ev.Exchange.Status())
}

// usual says whether plain requests were answered so at first; mu is held by the caller.
func (v *service) usual(status int) bool {
	return slices.ContainsFunc(v.signs, func(s lifeSign) bool { return s.status == status })
}

// retryAfter is how long the answer asks to wait; 0 if it does not say.
func retryAfter(ev Evidence, now time.Time) time.Duration {
	value := ev.Exchange.Response.Header.Get("Retry-After")
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now))
	}
	seconds, err := strconv.Atoi(value)
	if err != nil || seconds < 0 || seconds > 3600 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}
