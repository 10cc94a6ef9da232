package browser

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kindlytest/kindlytest/internal/clip"
	"github.com/kindlytest/kindlytest/internal/jws"
)

// An Outcome says what became of a call of getAuthToken.
type Outcome string

const (
	OutcomeToken      Outcome = "token"        // a non-empty string
	OutcomeEmpty      Outcome = "empty"        // null, undefined or ""
	OutcomeNotAString Outcome = "not-a-string" // something else
	OutcomeThrew      Outcome = "threw"
	OutcomeRejected   Outcome = "rejected"
	OutcomeUndefined  Outcome = "undefined" // there is no such function
	OutcomePending    Outcome = "pending"   // not settled by the context's deadline
)

// A CallResult is what one call of getAuthToken gave. It holds a credential: its
// printed form does not.
type CallResult struct {
	Outcome Outcome
	Token   string        // at most 1 MB of it
	Length  int           // of the whole token, in characters
	Sync    bool          // it was returned, not promised
	Type    string        // typeof what it gave ("null" for null)
	Is      string        // of an object or a function: what it is, in a few words
	Error   string        // what it threw or rejected with, at most 500 bytes, tokens left out
	Elapsed time.Duration // by the page's clock
}

// String leaves the token out.
func (r CallResult) String() string {
	how := "promised"
	if r.Sync {
		how = "returned"
	}
	return fmt.Sprintf("%s (%s, %s, %v)", r.Outcome, r.Type, how, r.Elapsed)
}

// GoString is String.
func (r CallResult) GoString() string { return r.String() }

// maxToken bounds what is taken for a token; a header of 8 KB is too long already.
const maxToken = 1 << 20

// callGetAuthToken calls the page's function as a chat client does: as a method
// of the object it is on, kindlyOptions first, with the chat's id.
const callGetAuthToken = `async (args, maxToken, maxError) => {
	const kind = (v) => v === null ? "null" : typeof v;
	const owner = [window.kindlyOptions, window.kindlySettings].find((o) => o?.getAuthToken != null);
	const f = owner?.getAuthToken ?? window.kindlyOptions?.getAuthToken;
	if (typeof f !== "function") return {Outcome: "undefined", Sync: true, Type: kind(f)};
	const is = (v) => { try {
		if (typeof v === "function") return "a function";
		if (typeof v !== "object") return "a " + typeof v;
		if (v instanceof Response) return "a Response";
		if (typeof v.subscribe === "function") return "an Observable";
		if (v.__v_isRef === true) return "a ref";
		if (Array.isArray(v)) return "a list";
		return "an object with the members " + Object.keys(v).slice(0, 8).map((k) => k.slice(0, 40)).join(", ");
	} catch { return ""; } };
	const began = performance.now();
	const done = (Outcome, Sync, value, thrown) => ({
		Outcome, Sync, Type: kind(value), Elapsed: performance.now() - began,
		Token: Outcome === "token" ? value.slice(0, maxToken) : "",
		Length: Outcome === "token" ? value.length : 0,
		Is: Outcome === "not-a-string" ? is(value) : "",
		Error: thrown ? String(value?.message ?? value).slice(0, maxError) : "",
	});
	const settle = (sync, v) => done(
		typeof v === "string" && v !== "" ? "token" : v === null || v === undefined || v === "" ? "empty" : "not-a-string", sync, v, false);
	let answer, then;
	try { answer = owner.getAuthToken(...args); then = answer?.then; } catch (e) { return done("threw", true, e, true); }
	if (typeof then !== "function") return settle(true, answer);
	try { return settle(false, await answer); } catch (e) { return done("rejected", false, e, true); }
}`

// Call calls the page's getAuthToken with a chat id, as the chat client does, in
// whichever frame has it. If
// it has not settled by ctx's deadline, the outcome is pending and there is no
// error. Errors: ctx was cancelled, or the page went away.
func (p *Page) Call(ctx context.Context, chatID string) (CallResult, error) {
	return p.CallWith(ctx, chatID)
}

// NoChatID stands for a chat id that is not given at all.
type NoChatID struct{}

// CallWith is Call with any JSON value in the place of the chat id, or NoChatID, as
// no chat client would.
func (p *Page) CallWith(ctx context.Context, chatID any) (CallResult, error) {
	began := time.Now()
	args := []any{chatID}
	if chatID == (NoChatID{}) {
		args = nil
	}
	r, err := evaluateThere[struct {
		CallResult
		Elapsed float64 // ms
	}](ctx, p, callGetAuthToken, append([]any{}, args...), maxToken, maxErrorText)
	if err != nil {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return CallResult{Outcome: OutcomePending, Elapsed: time.Since(began)}, nil
		}
		return CallResult{}, fmt.Errorf("calling getAuthToken in the page: %w", err)
	}
	r.CallResult.Elapsed = time.Duration(r.Elapsed * float64(time.Millisecond))
	r.CallResult.Token = clip.Text(r.CallResult.Token, maxToken)
	r.CallResult.Is = clip.Text(r.CallResult.Is, maxErrorText)
	r.CallResult.Error = jws.Replace(clip.Text(r.CallResult.Error, maxErrorText), "(token)")
	return r.CallResult, nil
}
