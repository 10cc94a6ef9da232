package browser

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp/jsonv2"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
)

func newTestRecorder() *recorder {
	life, cancel := context.WithCancelCause(context.Background())
	cancel(ErrClosed) // nobody is asked anything
	return newRecorder(life)
}

func TestExtraInfoFindsItsHopInAnyOrder(t *testing.T) {
	sent := func(path, redirectedFrom string) event {
		p := `{"requestId":"1","request":{"url":"http://a/` + path + `","method":"GET","headers":{}},"timestamp":1`
		if redirectedFrom != "" {
			p += `,"redirectHasExtraInfo":true,"redirectResponse":{"url":"http://a/` + redirectedFrom + `","status":302,"headers":{}}`
		}
		return event{network.RequestWillBeSent.Method, p + `}`}
	}
	requestExtra := func(v string) event {
		return event{network.RequestWillBeSentExtraInfo.Method, `{"requestId":"1","headers":{"Cookie":"` + v + `"}}`}
	}
	responseExtra := func(v string) event {
		return event{network.ResponseReceivedExtraInfo.Method, `{"requestId":"1","statusCode":` + v + `,"headers":{"Set-Cookie":"a=` + v + `\nb=1"}}`}
	}
	received := event{network.ResponseReceived.Method, `{"requestId":"1","hasExtraInfo":true,"response":{"url":"http://a/2","status":200,"headers":{}}}`}
	for name, events := range map[string][]event{
		"after":  {sent("1", ""), requestExtra("one"), responseExtra("302"), sent("2", "1"), requestExtra("two"), responseExtra("200"), received},
		"before": {requestExtra("one"), sent("1", ""), responseExtra("302"), requestExtra("two"), responseExtra("200"), sent("2", "1"), received},
		"last":   {sent("1", ""), sent("2", "1"), received, requestExtra("one"), responseExtra("302"), requestExtra("two"), responseExtra("200")},
	} {
		t.Run(name, func(t *testing.T) {
			r := newTestRecorder()
			for _, e := range events {
				r.observe(nil, "page", e.method, jsonv2.Value(e.params))
			}
			got := r.snapshot().Requests
			if len(got) != 2 {
				t.Fatalf("%d requests", len(got))
			}
			for i, want := range []struct {
				cookie    string
				setCookie string
				status    int
			}{{"one", "a=302", 302}, {"two", "a=200", 200}} {
				q := got[i]
				if q.Header.Get("Cookie") != want.cookie || q.ResponseHeader.Get("Set-Cookie") != want.setCookie || q.Status != want.status {
					t.Errorf("hop %d: %v %v %v", i, q.Status, q.Header, q.ResponseHeader)
				}
			}
		})
	}
}

type event struct{ method, params string }

func TestHTTPHeader(t *testing.T) {
	got := httpHeader(network.Headers{":authority": "a", "set-cookie": "a=1\nb=2", "X-Number": 1.0, "X-Big": strings.Repeat("x", maxHeaders+1)})
	if len(got) != 1 || len(got["Set-Cookie"]) != 2 {
		t.Errorf("got %v", got)
	}
}

func FuzzObserve(f *testing.F) {
	methods := []string{
		network.RequestWillBeSent.Method, network.RequestWillBeSentExtraInfo.Method, network.ResponseReceived.Method,
		network.ResponseReceivedExtraInfo.Method, network.LoadingFinished.Method, network.LoadingFailed.Method,
		runtime.ConsoleAPICalled.Method, log.EntryAdded.Method, runtime.ExceptionThrown.Method, runtime.ExceptionRevoked.Method, audits.IssueAdded.Method,
	}
	f.Add(`{"requestId":"1","request":{"url":"http://a/","method":"GET","postDataEntries":[null]},"type":"Document","redirectResponse":{}}`)
	f.Add(`{"requestId":"1","response":{"headers":{"a":1}},"headers":{"a":"b\nc"},"timestamp":1e300}`)
	f.Add(`{"type":"log","args":[null,{"type":"object","value":""},{"objectId":"1","type":"object"}],"timestamp":-1,"stackTrace":{"callFrames":[]}}`)
	f.Add(`{"entry":{"url":"://"},"exceptionDetails":{"exception":{}},"issue":{"details":{"contentSecurityPolicyIssueDetails":{"violatedDirective":"connect-src","blockedURL":"x"}}}}`)
	f.Fuzz(func(t *testing.T, params string) {
		r := newTestRecorder()
		for range 2 {
			for _, m := range methods {
				r.observe(nil, "page", m, jsonv2.Value(params))
			}
		}
		_ = r.snapshot()
	})
}
