package suites_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/recording"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/suites/subject"
	"github.com/kindlytest/kindlytest/target"
)

// onlyIn is a webhook that looks at tokens in one dialogue only, and tells everybody
// the opening hours in all others.
func onlyIn(dialogue string, h plainHook) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var request struct {
			Exchange struct {
				Slug string `json:"exchange_slug"`
			} `json:"exchange"`
		}
		if json.Unmarshal(body, &request) == nil && r.Method == http.MethodPost && request.Exchange.Slug != dialogue {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"reply":"We open at nine."}`)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		h.ServeHTTP(w, r)
	}
}

// said are recorded deliveries of dialogues, so many each.
func said(times int, dialogues ...string) []subject.Said {
	return subject.SaidIn(func(yield func(recording.Delivery) bool) {
		for _, slug := range dialogues {
			for range times {
				d := recording.Delivery{Version: 1, At: time.Now(), Request: recording.Request{Method: "POST",
					Body: json.RawMessage(`{"message":"text-1f","context":{"order":"4711"},"exchange":{"exchange_slug":"` + slug + `","language_code":"nb"},"source":"web"}`)}}
				if !yield(d) {
					return
				}
			}
		}
	})
}

// TestRecordedMessagesGiveASignal runs against webhooks that answer the invented
// message to all alike.
func TestRecordedMessagesGiveASignal(t *testing.T) {
	t.Parallel()
	fooled := plain()
	fooled.believe = func(_, _ map[string]any, _ bool, _ string) bool { return true }
	run := func(t *testing.T, all []subject.Said, hooks ...http.HandlerFunc) reports.Run {
		of := target.Target{PrivateKey: ourKey()}
		for i, h := range hooks {
			of.Webhooks = append(of.Webhooks, target.Webhook{Name: fmt.Sprintf("hook%d", i+1), URL: fmt.Sprintf("https://hook%d.shop.example/kindly", i+1), ConnectTo: serve(t, h), Secret: plainSecret})
		}
		o := options(t, of)
		o.Only, o.Said = []string{"HOOK-DISTINGUISHES", "HOOK-SIGNATURE"}, all
		return suites.RunQuietly(t.Context(), of, o)
	}
	sound, others := onlyIn("my-order", plain()), said(3, "hours", "my-order", "jobs")
	t.Run("without them nothing can be told", func(t *testing.T) {
		if got := outcomes(run(t, nil, sound))["HOOK-DISTINGUISHES"]; got != reports.Warned {
			t.Errorf("HOOK-DISTINGUISHES %s", got)
		}
	})
	t.Run("with them a sound webhook is sound", func(t *testing.T) {
		found := run(t, others, sound)
		noneIs(t, found, reports.Failed, reports.Warned, reports.Errored)
		if !slices.ContainsFunc(found.Notes, func(n reports.Note) bool { return strings.Contains(n.Text, "message 4 (dialogue my-order)") }) {
			t.Errorf("which message was chosen is not told: %v", found.Notes)
		}
	})
	t.Run("with them a fooled one is fooled", func(t *testing.T) {
		if got := outcomes(run(t, others, onlyIn("my-order", fooled)))["HOOK-SIGNATURE"]; got != reports.Failed {
			t.Errorf("HOOK-SIGNATURE %s", got)
		}
	})
	t.Run("each webhook has its own", func(t *testing.T) {
		found := run(t, others, sound, onlyIn("jobs", plain()))
		noneIs(t, found, reports.Failed, reports.Warned, reports.Errored)
	})
	t.Run("where none tells them apart, that is told", func(t *testing.T) {
		found := run(t, said(2, "hours", "jobs"), sound)
		if got := outcomes(found)["HOOK-DISTINGUISHES"]; got != reports.Warned || !slices.ContainsFunc(found.Notes, func(n reports.Note) bool { return strings.Contains(n.Text, "to none of them") }) {
			t.Errorf("HOOK-DISTINGUISHES %s, %v", got, found.Notes)
		}
	})
}

func TestMessagesAreToldApart(t *testing.T) {
	t.Parallel()
	all := slices.Concat(said(1, "rare"), said(5, "common"), said(1, "rare"))
	got := subject.SaidIn(func(yield func(recording.Delivery) bool) {
		for _, body := range []string{`{"message":"a","source":"web"}`, `{"message":"b","source":"web"}`, `{"message":"a","source":"app"}`, `{"message":7}`, `{"source":"web"}`, `[]`, `{"message":"c","bot_id":"x","context":{"a":1}}`} {
			if !yield(recording.Delivery{Request: recording.Request{Method: "POST", Body: json.RawMessage(body)}}) {
				return
			}
		}
	})
	numbers := []int{}
	for _, s := range got {
		numbers = append(numbers, s.Number)
	}
	if len(all) != 3 || !slices.Equal(numbers, []int{1, 3, 7}) {
		t.Errorf("%d kinds, and numbers %v", len(all), numbers)
	}
}
