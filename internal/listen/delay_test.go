package listen

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly/webhook"
)

// BenchmarkDelay is for the figure of what listen adds to a delivery, recorded and
// judged: the median with it, less the median without it.
func BenchmarkDelay(b *testing.B) {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, `{"reply":"hello"}`)
	}))
	defer app.Close()
	r := start(b, app.URL)
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		for {
			select {
			case <-r.told:
			case <-ended:
				return
			}
		}
	}()
	body, err := webhook.New("6f1c8f3e-2b7a-4c59-9d1e-0a4b5c6d7e8f", "where is my order?").Body()
	if err != nil {
		b.Fatal(err)
	}
	var direct, through []time.Duration
	for b.Loop() {
		for _, way := range []struct {
			url  string
			took *[]time.Duration
		}{{app.URL + "/kindly", &direct}, {"http://" + r.base + "/kindly", &through}} {
			began := time.Now()
			req, err := http.NewRequest(http.MethodPost, way.url, bytes.NewReader(body))
			if err != nil {
				b.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/json")
			webhook.SetSignature(req.Header, secret, body)
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				b.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
			*way.took = append(*way.took, time.Since(began))
		}
	}
	median := func(list []time.Duration) float64 {
		slices.Sort(list)
		return float64(list[len(list)/2].Microseconds())
	}
	b.ReportMetric(median(direct), "µs-direct")
	b.ReportMetric(median(through), "µs-through")
	b.ReportMetric(median(through)-median(direct), "µs-added")
}
