package webhook

import (
	"strings"
	"testing"
)

func TestCompareTellsWhereABodyIsNotTheContract(t *testing.T) {
	own, err := New("6f1c8f3e-2b7a-4c59-9d1e-0a4b5c6d7e8f", "hello").Body()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ name, from, to, want string }{
		{"what the mock sends", "", "", ""},
		{"a new member", `"source":`, `"platform":"ios","source":`, "platform new string"},
		{"a new member of a known object", `"language_code":`, `"confidence":0.8,"language_code":`, "exchange.confidence new number"},
		{"another type", `"bot_id":1`, `"bot_id":"1"`, "bot_id type string"},
		{"null", `"user_id":"6f1c8f3e-2b7a-4c59-9d1e-0a4b5c6d7e8f"`, `"user_id":null`, "user_id type null"},
		{"a missing member", `"source":"web",`, ``, "source missing"},
		{"what a chat has collected is nobody's contract", `"context":{}`, `"context":{"order":{"id":1}}`, ""},
		{"labels may be missing", `"chat_labels":[],`, ``, ""},
	} {
		body := strings.Replace(string(own), row.from, row.to, 1)
		if body == string(own) && row.from != "" {
			t.Fatalf("%s: nothing was replaced in %s", row.name, own)
		}
		differences, err := Compare([]byte(body))
		var got []string
		for _, d := range differences {
			got = append(got, strings.TrimSpace(d.Path+" "+d.Kind+" "+d.Seen))
		}
		if err != nil || strings.Join(got, "; ") != row.want {
			t.Errorf("%s: %q, %v; want %q", row.name, got, err, row.want)
		}
	}
	for _, body := range []string{"", "null", "[]", `{"a":1} {"b":2}`, `{"a":`} {
		if _, err := Compare([]byte(body)); err == nil {
			t.Errorf("%q is taken for an object", body)
		}
	}
}
