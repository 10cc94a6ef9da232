package webhook

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
)

const chatID = "0b9f6f3e-7a9c-4b1a-8a55-0d4c2f6f9a10"

func TestBodyHasEveryDocumentedField(t *testing.T) {
	p := New(chatID, "where is <my> order? æøå & 🙂")
	p.Exchange.Slug = "order-status"
	p.ChatLabels = []string{"vip"}
	p.Context = map[string]any{"order": "42"}
	got, err := p.Body()
	if err != nil {
		t.Fatal(err)
	}
	want := `{"organization_id":1,"bot_id":1,"chat_id":"` + chatID + `","user_id":"` + chatID + `",` +
		`"chat_labels":["vip"],"message":"where is <my> order? æøå & 🙂","attachments":[],"context":{"order":"42"},` +
		`"exchange":{"exchange_id":"6f2d1b3e-0c57-4d0b-9a55-3a1f4f1c7e20","language_code":"en","exchange_slug":"order-status"},` +
		`"_links":{"chat":"https://kindly.invalid/chats/` + chatID + `"},"source":"web",` +
		`"web_path":"/","web_host":"www.example.com","web_url":"https://www.example.com/"}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	var members map[string]any
	if err := json.Unmarshal(got, &members); err != nil {
		t.Fatal(err)
	}
	for _, name := range documentedNames {
		if _, ok := members[name]; !ok {
			t.Errorf("no %s", name)
		}
	}
	if len(members) != len(documentedNames) {
		t.Errorf("%d members, documented are %d", len(members), len(documentedNames))
	}
}

func TestBodyVariants(t *testing.T) {
	tests := []struct {
		name     string
		change   func(*Payload)
		has, not []string
	}{
		{"sparse leaves optional fields out", func(p *Payload) { *p = p.Sparse() },
			[]string{`"message":`, `"exchange":`}, []string{"chat_labels", "attachments", `"context"`, "web_"}},
		{"empty lists are sent", func(p *Payload) {},
			[]string{`"chat_labels":[]`, `"attachments":[]`, `"context":{}`}, []string{"null", "exchange_slug"}},
		{"web fields are for web clients", func(p *Payload) { p.Source = SourceFacebook },
			[]string{`"source":"facebook"`}, []string{"web_"}},
		{"extra members come last, sorted", func(p *Payload) { p.Extra = map[string]any{"z": "<&>", "new_field": 1} },
			[]string{`,"new_field":1,"z":"<&>"}`}, nil},
		{"control characters are escaped", func(p *Payload) { p.Message = "a\x00b" },
			[]string{`"a\u0000b"`}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := New(chatID, "hi")
			tt.change(&p)
			body, err := p.Body()
			if err != nil || !json.Valid(body) {
				t.Fatalf("%s, %v", body, err)
			}
			for _, s := range tt.has {
				if !strings.Contains(string(body), s) {
					t.Errorf("%s lacks %s", body, s)
				}
			}
			for _, s := range tt.not {
				if strings.Contains(string(body), s) {
					t.Errorf("%s has %s", body, s)
				}
			}
		})
	}
}

func TestBodyErrors(t *testing.T) {
	for name, extra := range map[string]map[string]any{
		"documented name":    {"chat_id": "another"},
		"not in JSON":        {"x": math.NaN()},
		"not in JSON at all": {"x": func() {}},
	} {
		p := New(chatID, "hi")
		p.Extra = extra
		if body, err := p.Body(); err == nil {
			t.Errorf("%s: %s", name, body)
		}
	}
}

func TestPayloadInsideAnotherValueKeepsExtra(t *testing.T) {
	p := New(chatID, "hi")
	p.Extra = map[string]any{"new_field": true}
	body, err := json.Marshal(map[string]any{"payload": p})
	if err != nil || !strings.Contains(string(body), `"new_field":true`) {
		t.Errorf("%s, %v", body, err)
	}
}
