package mockkindly_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/mockkindly"
)

func TestCallbacksWithoutATokenSayWhatHelps(t *testing.T) {
	for name, row := range map[string]struct {
		report mockkindly.CallbackReport
		want   string // "" for none
	}{
		"called":           {mockkindly.CallbackReport{Phase: "called"}, ""},
		"a token":          {mockkindly.CallbackReport{Outcome: "token", Length: 700}, ""},
		"a whole page":     {mockkindly.CallbackReport{Outcome: "token", Length: 2_000_000}, "the token alone"},
		"no return":        {mockkindly.CallbackReport{Outcome: "empty", Type: "undefined"}, "return fetch"},
		"null":             {mockkindly.CallbackReport{Outcome: "empty", Type: "null"}, "not logged in"},
		"the answer":       {mockkindly.CallbackReport{Outcome: "not-a-string", Type: "object"}, ".token"},
		"a rejection":      {mockkindly.CallbackReport{Outcome: "rejected", Error: "Failed to fetch"}, "console"},
		"no such callback": {mockkindly.CallbackReport{Outcome: "undefined"}, "window.kindlyOptions.getAuthToken"},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := json.Marshal(row.report)
			if err != nil {
				t.Fatal(err)
			}
			var got struct{ Fix string }
			if err := json.Unmarshal(text, &got); err != nil || !strings.Contains(got.Fix, row.want) || (got.Fix == "") != (row.want == "") {
				t.Errorf("%s, %v: want %q", text, err, row.want)
			}
		})
	}
}
