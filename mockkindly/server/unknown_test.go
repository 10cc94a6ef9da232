package server

import (
	"io"
	"net/http"
	"testing"

	"github.com/kindlytest/kindlytest/mockkindly"
)

func TestUnknownRoutesAnswerProblems(t *testing.T) {
	pages := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		io.WriteString(w, "the page")
	})
	for name, o := range map[string]Options{"without pages": {}, "with pages": {Pages: pages}} {
		t.Run(name, func(t *testing.T) {
			k := newMockFor(t, o, mockkindly.Options{})
			for _, path := range []string{"/nothing", "/mock/v1/nothing", "/api/v2/send", "/assets/none.js"} {
				w := do(k, "GET", path, "")
				if w.Code != 404 {
					t.Errorf("%s: %d", path, w.Code)
				}
				asProblem(t, 404, w.Header().Get("Content-Type"), w.Body.Bytes())
			}
		})
	}
	if w := do(newMockFor(t, Options{Pages: pages}, mockkindly.Options{}), "GET", "/", ""); w.Code != 200 || w.Body.String() != "the page" {
		t.Errorf("the page: %d %s", w.Code, w.Body)
	}
}
