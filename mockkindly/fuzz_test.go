package mockkindly

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/internal/redact"
)

// What a webhook answers is as hostile as what a page posts.
func FuzzDelivery(f *testing.F) {
	for _, s := range []string{`{"reply":"hush-hush"}`, `\nhush-hush`, `"\u0068ush-hush"`, `e`, "\xff", `{"reply":"a\\"}`} {
		f.Add(s, "hush-hush")
	}
	f.Fuzz(func(t *testing.T, text, secret string) {
		d := Delivery{redact: &redact.Redactor{}}
		d.redact.Learn(secret)
		d.Answer.Reply, d.Answer.NewContext = text, map[string]any{text: secret}
		out, err := d.marshal(d.reply())
		if err != nil || !json.Valid(out) {
			t.Fatalf("%v: %s", err, out)
		}
		if len(secret) < redact.MinSecret {
			return
		}
		var got struct {
			Reply string `json:"reply"`
		}
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(got.Reply, secret) && !strings.ContainsAny(secret, redact.Removed) {
			t.Errorf("the secret %q is shown: %s", secret, out)
		}
	})
}
