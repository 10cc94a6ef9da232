package browser

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/chromedp/cdproto/runtime"
	"github.com/kindlytest/kindlytest/internal/clip"
)

// evaluate calls a JavaScript function in the main realm of the page, waits for
// its promise if it returns one, and decodes what it gave. The page's
// Content-Security-Policy does not apply. Arguments are secrets: they are in no
// error.
func evaluate[T any](ctx context.Context, p *Page, function string, args ...any) (T, error) {
	return evaluateIn[T](ctx, p.session, "", function, args...)
}

// evaluateIn is evaluate in one realm of a session; "" is its main frame's.
func evaluateIn[T any](ctx context.Context, s *session, realm, function string, args ...any) (T, error) {
	var out T
	if args == nil {
		args = []any{}
	}
	raw, err := json.Marshal(args)
	if err != nil {
		return out, fmt.Errorf("encoding arguments for the page: %w", err)
	}
	res, err := call(ctx, s, runtime.Evaluate, runtime.EvaluateParams{
		Expression:    "(" + function + ")(..." + string(raw) + ")",
		ReturnByValue: new(true), AwaitPromise: new(true), Silent: new(true), UserGesture: new(true),
		UniqueContextID: realm,
	})
	switch {
	case err != nil:
		return out, err
	case res.ExceptionDetails != nil:
		return out, errors.New("the page threw: " + clip.Text(exceptionText(res.ExceptionDetails), maxErrorText))
	case res.Result == nil || len(res.Result.Value) == 0:
		return out, errors.New("the page gave no value")
	}
	if err := json.Unmarshal(res.Result.Value, &out); err != nil {
		return out, fmt.Errorf("the page gave something unexpected: %w", err)
	}
	return out, nil
}

const maxErrorText = 500

// exceptionText is the message of what was thrown.
func exceptionText(d *runtime.ExceptionDetails) string {
	if d.Exception == nil {
		return d.Text
	}
	if d.Exception.Description != "" {
		return d.Exception.Description
	}
	return strings.TrimSpace(d.Text + " " + remoteText(d.Exception))
}
