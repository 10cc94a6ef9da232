package browser

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// A StepError says which step failed, and what the browser showed then. It holds
// no value that was filled in.
type StepError struct {
	Of         string     // "login" or "page": whose steps they are
	Number     int        // from 1
	Action     string     // "goto", "fill", "click", "wait_for", "press", "scroll", "idle"
	Selector   string     // what it was about; the URL of a goto, the key of a press
	URL, Title string     // of the document at that time
	Status     int        // that it was answered with; 0 if there was no answer
	Document   Request    // that brought it
	Fields     []string   // of the document: how they are selected, and their types
	Showing               // that it shows
	Failed     string     // what a script asked for last and was refused, or an error of one
	TurnedAway []Request  // what it was answered 429 or 503 for
	Refused    []KeptBack // cookies that answers set, and the browser did not take
	Picture    []byte     // a JPEG of what the tab showed, with secrets covered; may be nil
	Err        error
}

func (e *StepError) Error() string {
	msg := fmt.Sprintf("%s step %d: %s %s: %v", e.Of, e.Number, e.Action, e.Selector, e.Err)
	if e.URL == "" {
		return msg
	}
	var at []string
	if e.Status >= 400 && e.Action != "goto" { // a goto says so itself
		at = append(at, fmt.Sprintf("which answered %d", e.Status))
	}
	at = append(at, fmt.Sprintf("titled %q", e.Title))
	if len(e.Fields) > 0 {
		at = append(at, "with the fields "+strings.Join(e.Fields, ", "))
	}
	if e.Says != "" {
		at = append(at, fmt.Sprintf("which says %q", e.Says))
	}
	if e.Failed != "" {
		at = append(at, e.Failed)
	}
	for _, k := range e.Refused[:min(len(e.Refused), 3)] {
		at = append(at, k.String())
	}
	return fmt.Sprintf("%s (the browser was at %s, %s)", msg, e.URL, strings.Join(at, ", "))
}

func (e *StepError) Unwrap() error { return e.Err }

// Down says whether the step failed since the app does not answer, or only that
// it can't: nothing is wrong with the step then.
func (e *StepError) Down() bool {
	var none noDocument
	return errors.As(e.Err, &none) || e.Status >= 500
}

// readFields names the fields that a visitor sees, not what is in them.
const readFields = `() => [...document.querySelectorAll("input, select, textarea, button")]
	.filter((e) => e.type !== "hidden" && e.getClientRects().length > 0).slice(0, 12).map((e) => {
		const cut = (s) => s.slice(0, 40), quoted = (s) => JSON.stringify(cut(s));
		const name = e.id && /^[A-Za-z][\w-]*$/.test(e.id) ? "#" + cut(e.id) : e.name ? "[name=" + quoted(e.name) + "]" : e.tagName.toLowerCase();
		return name + " (" + cut(e.type || "") + (e.disabled ? ", disabled" : "") + ")";
	})`

// looking bounds what is done to describe a failure: the caller's time is up,
// more often than not.
const looking = 2 * time.Second

// stepError adds to e what the tab shows.
func (p *Page) stepError(e *StepError, secret func(string) bool) *StepError {
	e.URL, e.Title = p.whereabouts()
	e.Status = p.record.navigation().Status
	ctx, cancel := context.WithTimeout(p.life, looking)
	defer cancel()
	if !strings.HasPrefix(e.URL, "http") {
		return e
	}
	// A page that can't be asked is described without.
	e.Fields, _ = evaluate[[]string](ctx, p, readFields)
	e.Showing = p.show(ctx, e.Selector, secret)
	record := p.Record()
	e.Failed = record.failure()
	for _, q := range record.Requests {
		if q.ResourceType == "Document" && q.Target == "page" {
			e.Document = q
		}
		if !q.Kindly && (q.Status == http.StatusTooManyRequests || q.Status == http.StatusServiceUnavailable) {
			e.TurnedAway = append(e.TurnedAway, q)
		}
	}
	for _, q := range record.refusals() {
		e.Refused = append(e.Refused, q.Refused...)
	}
	if secret != nil {
		e.Picture, _ = p.Screenshot(ctx, secret)
	}
	return e
}
