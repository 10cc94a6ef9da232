package mockkindly

import (
	"bytes"
	"encoding/json"
	"testing"
)

// What a webhook answers is as hostile as what a page posts.
func FuzzDelivery(f *testing.F) {
	for _, s := range []string{`{"reply":"hush-hush"}`, `\nhush-hush`, `"\u0068ush-hush"`, `e`, "\xff", `{"reply":"a\\"}`} {
		f.Add(s, "hush-hush")
	}
	f.Fuzz(func(t *testing.T, text, secret string) {
		d := Delivery{sent: credentials{secret: secret}}
		d.Answer.Reply, d.Answer.NewContext = text, map[string]any{text: secret}
		out, err := d.sent.marshal(d.reply())
		if err != nil || !json.Valid(out) {
			t.Fatalf("%v: %s", err, out)
		}
		if len(secret) < minSecret {
			return
		}
		var got struct {
			Reply string `json:"reply"`
		}
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatal(err)
		}
		if credentials.hide(credentials{secret: secret}, got.Reply) != got.Reply && !bytes.Contains([]byte("<secret removed>"), []byte(secret)) {
			t.Errorf("the secret %q is shown: %s", secret, out)
		}
	})
}
