package observed

import (
	"testing"

	"github.com/kindlytest/kindlytest/mockkindly/webhook"
	"github.com/kindlytest/kindlytest/mockkindly/widget"
)

// FuzzParse looks for a file that is read and can't be followed.
func FuzzParse(f *testing.F) {
	l := NewLearner()
	l.Add(usualDelivery(0))
	text, err := l.Learnt(&Client{Visits: 1, First: noon, Last: noon, Calls: 2, Hosts: []Host{{"script", "https://a.example", 1}}}).JSON()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"version":1,"deliveries":1,"habits":{"bodies":1,"members":{"a.b.c":{"seen":1,"types":{"object":1}},"":{"seen":1},"source":{"seen":1,"values":{"[":1}}}}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		l, err := Parse(text)
		if err != nil {
			return
		}
		for _, r := range l.Rows {
			_, _ = r.By(), r.Sentence()
			l.Basis(r.ID)
		}
		_ = l.Hosts()
		_ = widget.Script(l.Client())
		r, err := webhook.NewRequest(webhook.RequestOptions{URL: "https://hooks.example.com/", Secret: "s", Payload: webhook.New("c", "hi"), Manner: l.Manner()})
		if err != nil {
			t.Fatalf("no request can be made as in %s: %v", text, err)
		}
		if _, err := webhook.Members(r.Body); err != nil {
			t.Errorf("%s makes of the body %s", text, r.Body)
		}
	})
}
