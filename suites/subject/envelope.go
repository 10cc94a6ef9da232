package subject

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// headerOpened tells on an answer that was taken out of another one how that was.
const headerOpened = "Kindlytest-Opened"

// inEnvelope takes an answer out of one that holds it: a gateway's, which should
// have been opened on the way. It says what was seen.
func inEnvelope(outer *wire.Response) (inner *wire.Response, what string, ok bool) {
	var answer map[string]json.RawMessage
	if outer == nil || json.Unmarshal(outer.Body, &answer) != nil {
		return outer, "", false
	}
	body := []byte(answer["body"])
	var text string
	var object map[string]any
	switch {
	case json.Unmarshal(body, &text) == nil && text != "":
		body = []byte(text)
	case json.Unmarshal(body, &object) != nil || object == nil:
		return outer, "", false
	}
	for _, name := range []string{"statusCode", "status_code", "status"} {
		var code int
		if json.Unmarshal(answer[name], &code) != nil || code < 100 || code > 599 {
			continue
		}
		what = fmt.Sprintf("the answer is an envelope: %s %d, and the real answer in body", name, code)
		opened := *outer
		opened.Header = http.Header{headerOpened: {fmt.Sprintf("%s %d, in an answer with status %d", name, code, outer.Status)}}
		maps.Copy(opened.Header, outer.Header)
		opened.Status, opened.Body = code, body
		return &opened, what, true
	}
	return outer, "", false
}
