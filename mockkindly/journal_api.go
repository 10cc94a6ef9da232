package mockkindly

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// getJournal answers a page of events. The next page is after=next, as long as
// more is true. With before, it is the newest events that are older.
func (k *Kindly) getJournal(w http.ResponseWriter, r *http.Request) error {
	q, err := queryOf(r.URL.Query())
	if err != nil {
		return err
	}
	p, err := k.journal.page(q)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, p)
}

func queryOf(v url.Values) (Query, error) {
	q := Query{Chat: v.Get("chat"), Newest: v.Has("before")}
	if v.Has("after") && v.Has("before") {
		return q, inputErrorf("before", "give after or before, not both")
	}
	var err error
	if q.After, err = number(v.Get("after"), 0); err != nil {
		return q, inputErrorf("after", "not the number of an event")
	}
	if q.Before, err = number(v.Get("before"), 0); err != nil {
		return q, inputErrorf("before", "not the number of an event")
	}
	limit, err := number(v.Get("limit"), defaultPage)
	if err != nil || limit == 0 || limit > maxPage {
		return q, inputErrorf("limit", "not a number from 1 to %d", maxPage)
	}
	q.Limit = int(limit)
	for _, kind := range v["kind"] {
		if err := oneOf("kind", Kind(kind), kinds...); err != nil {
			return q, err
		}
		q.Kinds = append(q.Kinds, Kind(kind))
	}
	return q, nil
}

// number reads a number that a signed 64-bit column can hold.
func number(text string, def uint64) (uint64, error) {
	if text == "" {
		return def, nil
	}
	n, err := strconv.ParseUint(text, 10, 63)
	return min(n, math.MaxInt64-1), err
}

// Bounds of a wait, in milliseconds.
const (
	defaultWait = 10_000
	maxWait     = 60_000
)

// getWait answers the first event that matches, as soon as there is one.
func (k *Kindly) getWait(w http.ResponseWriter, r *http.Request) error {
	v := r.URL.Query()
	ms, err := number(v.Get("timeout_ms"), defaultWait)
	if err != nil || ms > maxWait {
		return inputErrorf("timeout_ms", "not a number up to %d", maxWait)
	}
	v.Del("timeout_ms")
	q, err := queryOf(v)
	if err != nil {
		return err
	}
	q.Newest, q.Limit = false, 1
	q.MaxBytes = maxPageBytes
	if found, _, err := k.journal.find(q); err != nil || len(found) > 0 {
		if err != nil {
			return err
		}
		return writeJSON(w, http.StatusOK, map[string]any{"event": found[0]})
	}
	ctx, cancel := context.WithTimeout(r.Context(), time.Duration(ms)*time.Millisecond)
	defer cancel()
	e, err := k.journal.WaitAfter(ctx, q.After, q.matches)
	if errors.Is(err, context.DeadlineExceeded) {
		return newProblem(http.StatusRequestTimeout, "timeout", "Nothing happened", "There was no such event within %d ms.", ms)
	}
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]any{"event": e})
}

// kinds are all kinds of events.
var kinds = []Kind{
	ClientStarted, ChatCreated, CallbackCalled, CallbackSettled, TokenAccepted, TokenRefused,
	MessageReceived, DialogueMatched, WebhookDelivered, WebhookFailed,
}

// Kinds returns all kinds of events.
func Kinds() []Kind { return slices.Clone(kinds) }
