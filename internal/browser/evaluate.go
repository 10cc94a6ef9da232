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
	if err != nil {
		return out, err
	}
	return valueOf[T](res.Result, res.ExceptionDetails)
}

// callOn calls a JavaScript function with an object of the page as its this.
func callOn[T any](ctx context.Context, s *session, object runtime.RemoteObjectID, function string, args ...any) (T, error) {
	var out T
	given, err := arguments(args...)
	if err != nil {
		return out, err
	}
	res, err := call(ctx, s, runtime.CallFunctionOn, runtime.CallFunctionOnParams{
		FunctionDeclaration: function, ObjectID: object, Arguments: given,
		ReturnByValue: new(true), AwaitPromise: new(true), Silent: new(true), UserGesture: new(true),
	})
	if err != nil {
		return out, err
	}
	return valueOf[T](res.Result, res.ExceptionDetails)
}

func arguments(values ...any) ([]*runtime.CallArgument, error) {
	var out []*runtime.CallArgument
	for _, v := range values {
		raw, err := json.Marshal(v)
		if err != nil {
			return nil, fmt.Errorf("encoding arguments for the page: %w", err)
		}
		out = append(out, &runtime.CallArgument{Value: raw})
	}
	return out, nil
}

// valueOf decodes what a script gave.
func valueOf[T any](result *runtime.RemoteObject, thrown *runtime.ExceptionDetails) (T, error) {
	var out T
	switch {
	case thrown != nil:
		return out, errors.New("the page threw: " + clip.Text(exceptionText(thrown), maxErrorText))
	case result == nil || len(result.Value) == 0:
		return out, errors.New("the page gave no value")
	}
	if err := json.Unmarshal(result.Value, &out); err != nil {
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
