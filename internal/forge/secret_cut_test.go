package forge_test

import (
	"testing"

	"github.com/kindlytest/kindlytest/internal/forge"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
)

// Files, shells and Compose make another secret of one that has their signs in it.
func TestWhatIsLeftOfASecretIsTried(t *testing.T) {
	body := []byte(`{"message":"hello"}`)
	for _, row := range []struct{ name, secret, left string }{
		{".env ends it at #", "p8Zk-q#d93", "p8Zk-q"},
		{".env ends it at #, behind a blank", "p8Zk-q #d93", "p8Zk-q"},
		{"a shell puts a value for what stands behind $", "p8$Tzv-l0", "p8-l0"},
		{"braces about it", "p8${Tzv}-l0", "p8-l0"},
		{"Compose makes $ of $$", "p8$$-l0", "p8$-l0"},
		{"cut -d= leaves the padding out", "cDha+q==", "cDha+q"},
		{"backslashes escape", `p8\\n-l0`, "p8n-l0"},
		{"it is decoded as a part of a URL", "p8+Zk%2F", "p8 Zk/"},
	} {
		t.Run(row.name, func(t *testing.T) {
			want := webhook.Sign(row.left, body)
			for _, m := range forge.SignatureMistakes() {
				if m.ID == "hmac-secret-cut" && m.Sign(row.secret, "", body) == want {
					return
				}
			}
			t.Errorf("nobody tries %q for %q", row.left, row.secret)
		})
	}
	for _, m := range forge.SignatureMistakes() { // and nothing where there is nothing to lose
		if m.ID == "hmac-secret-cut" && m.Sign("0f7c2e9a41d85b36", "", body) != "" {
			t.Errorf("%s is tried for a plain secret", m.Name)
		}
	}
}
