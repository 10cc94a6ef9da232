package suites_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
)

// An answer that is put together by hand is JSON until a user writes a quotation mark.
func TestAnAnswerThatRepeatsWhatIsWrittenIsJSON(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		write func(message string) string
		want  reports.Outcome
	}{
		"by hand": {func(message string) string { return `{"reply":"You asked: ` + message + `"}` }, reports.Failed},
		"by library": {func(message string) string {
			out, _ := json.Marshal(map[string]string{"reply": message})
			return string(out)
		}, reports.Passed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := plain()
			h.before = func(w http.ResponseWriter, r *http.Request) bool {
				body, _ := io.ReadAll(io.LimitReader(r.Body, 4<<20))
				r.Body = io.NopCloser(bytes.NewReader(body))
				var sent struct{ Message string }
				if json.Unmarshal(body, &sent) != nil {
					return false
				}
				w.Header().Set("Content-Type", "application/json")
				io.WriteString(w, row.write(sent.Message))
				return true
			}
			shop := targetOf(t, h)
			shop.PrivateKey = nil
			run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"RESP-JSON"}})
			if c := find(t, run, "RESP-JSON"); c.Outcome != row.want {
				describe(t, c)
				t.Errorf("RESP-JSON is %s, want %s", c.Outcome, row.want)
			}
		})
	}
}
