package catalogue

import (
	"slices"
	"testing"

	"github.com/kindlytest/kindlytest/suites/subject"
	"github.com/kindlytest/kindlytest/target"
)

// Whoever allows all names below their domain is right: what looks like it must be another's.
func TestAForeignOriginIsAnothers(t *testing.T) {
	for page, alike := range map[string]string{
		"https://www.shop.example":      "https://evil-shop.example",
		"https://shop.example":          "https://evil-shop.example",
		"https://a.b.shop.example:8443": "https://evil-shop.example:8443",
		"https://mine.github.io":        "https://evil-mine.github.io",
		"http://localhost:3000":         "http://evil-localhost:3000",
		"http://127.0.0.1:3000":         "http://evil-127.0.0.1:3000",
	} {
		if got := foreignOrigins(&subject.Endpoint{PageOrigin: page}, nil); !slices.Contains(got, alike) {
			t.Errorf("%s: %q, want %s among them", page, got, alike)
		}
	}
	hooks := []target.Webhook{{URL: "https://hooks.shop.example/kindly"}, {URL: "http://127.0.0.1:8080/"}}
	got := foreignOrigins(&subject.Endpoint{PageOrigin: "https://www.shop.example"}, hooks)
	if !slices.Contains(got, "https://evilshop.example") || slices.Contains(got, "https://evil0.1") {
		t.Errorf("of webhooks: %q", got)
	}
}
