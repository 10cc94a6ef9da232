package server

import (
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/kindlytest/kindlytest/internal/clip"
	"github.com/kindlytest/kindlytest/mockkindly"
)

// Bounds of one page of the journal.
const (
	defaultPage = 100
	maxPage     = 1000
)

// getJournal answers a page of events. The next page is after=next, as long as
// more is true. With before, it is the newest events that are older.
func (s *server) getJournal(w http.ResponseWriter, r *http.Request) error {
	q, err := queryOf(r.URL.Query())
	if err != nil {
		return err
	}
	p, err := s.kindly.Journal().Page(q)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, p)
}

func queryOf(v url.Values) (mockkindly.Query, error) {
	q := mockkindly.Query{Chat: v.Get("chat"), Newest: v.Has("before")}
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
		if !slices.Contains(mockkindly.Kinds(), mockkindly.Kind(kind)) {
			return q, inputErrorf("kind", "%q is none of %q", clip.Text(kind, 64), mockkindly.Kinds())
		}
		q.Kinds = append(q.Kinds, mockkindly.Kind(kind))
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
func (s *server) getWait(w http.ResponseWriter, r *http.Request) error {
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
	p, err := s.kindly.Journal().Page(q)
	if err != nil {
		return err
	}
	if len(p.Events) > 0 {
		return writeJSON(w, http.StatusOK, map[string]any{"event": p.Events[0]})
	}
	ctx, cancel := context.WithTimeout(r.Context(), time.Duration(ms)*time.Millisecond)
	defer cancel()
	e, err := s.kindly.Journal().WaitAfter(ctx, q.After, q.Matches)
	if errors.Is(err, context.DeadlineExceeded) {
		return newProblem(http.StatusRequestTimeout, "timeout", "Nothing happened", "There was no such event within %d ms.", ms)
	}
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]any{"event": e})
}

func (s *server) postResend(w http.ResponseWriter, r *http.Request) error {
	seq, err := number(r.PathValue("seq"), 0)
	if err != nil {
		return mockkindly.ErrUnknownDelivery
	}
	var in struct {
		Token mockkindly.TokenState `json:"token"`
	}
	if err := decodeAdmin(w, r, &in); err != nil {
		return err
	}
	if in.Token == "" {
		in.Token = mockkindly.TokenSame
	}
	ctx, done := s.outlive(r)
	defer done()
	e, err := s.kindly.Resend(ctx, seq, in.Token)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, e)
}

func (s *server) getCurl(w http.ResponseWriter, r *http.Request) error {
	seq, err := number(r.PathValue("seq"), 0)
	if err != nil {
		return mockkindly.ErrUnknownDelivery
	}
	command, err := s.kindly.Curl(seq, r.URL.Query().Get("token") == "1")
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, err = io.WriteString(w, command)
	return err
}
