package browser

import (
	"context"
	"encoding/json"
)

// EvaluateString runs a JavaScript expression in the page, for tests that play
// the page's own code.
func EvaluateString(ctx context.Context, p *Page, js string) (string, error) {
	v, err := evaluate[any](ctx, p, "async () => (await ("+asExpression(js)+")) ?? ''")
	if err != nil {
		return "", err
	}
	if s, ok := v.(string); ok {
		return s, nil
	}
	out, err := json.Marshal(v)
	return string(out), err
}

// asExpression makes the last of several statements the value, as eval would
// where it is allowed.
func asExpression(js string) string {
	depth, last := 0, -1
	for i, c := range js {
		switch c {
		case '(', '{', '[':
			depth++
		case ')', '}', ']':
			depth--
		case ';':
			if depth == 0 {
				last = i
			}
		}
	}
	if last < 0 {
		return js
	}
	return "(() => { " + js[:last+1] + " return " + js[last+1:] + " })()"
}

// Kill ends Chrome as its user, or a crash, may do.
func Kill(b *Browser) { kill(b.process.cmd) }

// CloseTab closes the page's tab as its user may do.
func CloseTab(p *Page) error { return p.user.browser.closeTab(p.target) }
