package mockkindly

import (
	"bytes"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// TestTenThousandChatsAndAHundredThousandDeliveries stays within the bound that
// docs/serve.md states, and its pages still come at once.
func TestTenThousandChatsAndAHundredThousandDeliveries(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, NOT CHECKED: it takes seconds")
	}
	const bound = 160 << 20 // bytes that are in use
	before := inUse()
	k := newMock(t, Options{})
	usual := delivery()
	for range 10_000 {
		chat := newChat(t, k)
		for range 10 {
			d := usual.copy()
			if _, err := k.recordDelivery(chat, d, pending{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if used := inUse() - before; used > bound {
		t.Errorf("%d MB are in use", used>>20)
	} else {
		t.Logf("%d MB are in use", used>>20)
	}
	for name, read := range map[string]func() error{
		"the newest page": func() error { _, err := k.Journal().Page(Query{Newest: true, Limit: 100}); return err },
		"the last page":   func() error { _, err := k.Journal().Page(Query{After: 109_000, Limit: 100}); return err },
		"a page of chats": func() error { k.ChatsBefore("", 50); return nil },
		"what is kept":    func() error { _, err := k.Health(); return err },
	} {
		began := time.Now()
		if err := read(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("%s took %v", name, took)
		} else {
			t.Logf("%s took %v", name, took)
		}
	}
}

// delivery is one of a usual size: 1 KB there, 2 KB back.
func delivery() Delivery {
	d := Delivery{Webhook: "hook", URL: "https://hooks.example.com/", Reason: "x"}
	d.Exchange.Request.Body = []byte(`{"message":"` + strings.Repeat("m", 950) + `"}`)
	d.Exchange.Request.Header = http.Header{"Content-Type": {"application/json"}}
	d.Exchange.Response = &wire.Response{Status: 200, Header: http.Header{"Content-Type": {"application/json"}},
		Body: []byte(`{"reply":"` + strings.Repeat("r", 2000) + `"}`)}
	d.read()
	return d
}

// copy shares nothing that takes memory.
func (d Delivery) copy() Delivery {
	d.Exchange.Request = d.Exchange.Request.Clone()
	r := *d.Exchange.Response
	r.Header, r.Body = r.Header.Clone(), bytes.Clone(r.Body)
	d.Exchange.Response = &r
	d.Answer.Reply = strings.Clone(d.Answer.Reply)
	d.Bubbles = []string{strings.Clone(d.Answer.Reply)}
	return d
}

func inUse() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapInuse)
}
