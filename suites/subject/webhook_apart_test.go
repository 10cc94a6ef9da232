package subject

import (
	"testing"

	"github.com/kindlytest/kindlytest/target"
)

// Who hurts a webhook while the page is still looked at must know that they are not one
// process: behind two names, or one port, they may be.
func TestWebhooksAreApartOnlyWhereThatIsKnown(t *testing.T) {
	const local = "http://127.0.0.1:3001/"
	for name, row := range map[string]struct {
		page, hook string
		apart      bool
	}{
		"another port of this machine":   {local, "http://localhost:3002/hook", true},
		"no page":                        {"", "http://localhost:3002/hook", true},
		"the page's port":                {local, "http://localhost:3001/hook", false},
		"another name":                   {"https://shop.example/", "https://hooks.shop.example/", false},
		"a page elsewhere":               {"https://shop.example/", "http://localhost:3002/hook", false},
		"a webhook elsewhere":            {local, "https://hooks.shop.example/", false},
		"the page's own name and scheme": {"https://shop.example/", "https://shop.example/hook", false},
	} {
		t.Run(name, func(t *testing.T) {
			s := Open(t.Context(), target.Target{PageURL: row.page, Webhooks: []target.Webhook{{URL: "https://hooks.shop.example/hook", ConnectTo: row.hook}}}, Options{})
			defer s.Close()
			if got := s.WebhooksApart(); got != row.apart {
				t.Errorf("apart is %t", got)
			}
		})
	}
}
