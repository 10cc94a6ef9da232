// Package observed is what a team has found out about the real Kindly: rows that
// lay what was seen beside the contract, each with how often and when; and what
// then has to be done likewise.
//
//	l := observed.NewLearner()
//	for d, err := range recording.Read(file) { l.Add(d) }
//	text, err := l.Learnt().JSON()
//	…
//	seen, err := observed.Parse(text)
//	manner := seen.Manner() // of webhook requests
//	rows := seen.Basis("RESP-TIME")
//
// A habit is one literal in habits.go: all that is known of it stands there.
package observed

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/kindlytest/kindlytest/internal/plainjson"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
)

// DefaultName is how the file is called, unless somebody says otherwise.
const DefaultName = "kindly-observed.json"

// Version is that of the file's form.
const Version = 1

// MaxSize bounds the file, in bytes.
const MaxSize = 1 << 20

// Learnt is the content of the file.
type Learnt struct {
	Version    int       `json:"version"`
	Tool       string    `json:"tool"`
	Deliveries int       `json:"deliveries"`
	First      time.Time `json:"first"`
	Last       time.Time `json:"last"`
	Habits     Habits    `json:"habits"`
	Rows       []Row     `json:"rows"`
}

// Habits are what a program can do likewise. What was not seen is left out.
type Habits struct {
	// TimeoutMS is how long Kindly waits for an answer.
	TimeoutMS int `json:"timeout_ms,omitempty"`
	// RetryAfterMS are the waits before each repetition of a failed delivery;
	// empty and not nil if it is never repeated.
	RetryAfterMS []int `json:"retry_after_ms,omitzero"`
	// FollowsRedirects is whether the request went where an answer led.
	FollowsRedirects *bool `json:"follows_redirects,omitempty"`
	// These say how many deliveries had each.
	ContentTypes map[string]int `json:"content_types,omitempty"`
	Algorithms   map[string]int `json:"hmac_algorithms,omitempty"`
	UserAgents   map[string]int `json:"user_agents,omitempty"`
	Protocols    map[string]int `json:"protocols,omitempty"`
	// Bodies is how many could be read, and Members are those of the payload, by
	// their paths.
	Bodies  int               `json:"bodies,omitempty"`
	Members map[string]Member `json:"members,omitempty"`
	// Headers are those of the request, as they are spelled.
	Headers map[string]Header `json:"headers,omitempty"`
	// Client is what the chat client did in the browser.
	Client *Client `json:"client,omitempty"`
}

// A Member is one of the payload: how many deliveries had it, with which types. Of
// texts there are the formats, and of what says nothing of a person the values.
type Member struct {
	Seen    int            `json:"seen"`
	Types   map[string]int `json:"types"`
	Formats map[string]int `json:"formats,omitempty"`
	Values  map[string]int `json:"values,omitempty"` // as JSON
}

// A Header is one of the request, likewise.
type Header struct {
	Seen    int            `json:"seen"`
	Formats map[string]int `json:"formats,omitempty"`
	Values  map[string]int `json:"values,omitempty"`
}

// A Verdict is how what was seen stands to the contract.
type Verdict string

const (
	Agrees  Verdict = "agrees"
	Differs Verdict = "differs"
	New     Verdict = "new"      // nobody has told of it
	NotSeen Verdict = "not seen" // the recording can't tell
)

// A Row is one thing that is known, or assumed, about Kindly.
type Row struct {
	ID       string        `json:"id"`                 // "request.timeout"; stable
	Contract string        `json:"contract,omitempty"` // what kindlytest takes Kindly to do
	Fidelity rule.Fidelity `json:"fidelity,omitempty"` // how that is known
	Verdict  Verdict       `json:"verdict"`
	Observed string        `json:"observed,omitempty"`
	// Deliveries is how many of them show it (of rows about the client: how many
	// visits of the page), First and Last when.
	Deliveries int       `json:"deliveries"`
	First      time.Time `json:"first,omitzero"`
	Last       time.Time `json:"last,omitzero"`
	// Way is how it can be seen, where it was not.
	Way string `json:"way,omitempty"`
}

// By is how a row is known: "observed by you, 214 deliveries, 3 March 2026".
func (r Row) By() string {
	unit := "deliveries"
	if h, ok := habitOf(r.ID); ok && h.client != nil {
		unit = "visits"
	}
	if r.Deliveries == 1 {
		unit = map[string]string{"deliveries": "delivery", "visits": "visit"}[unit]
	}
	return fmt.Sprintf("observed by you, %d %s, %s", r.Deliveries, unit, days(r.First, r.Last))
}

// Told is what was seen, and of what.
func (r Row) Told() string { return r.ID + ": " + r.Observed }

// Default is what kindlytest takes Kindly to do, and how that is known.
func (r Row) Default() string {
	if r.Contract == "" || r.Contract == notPublished {
		return r.Contract
	}
	return r.Contract + ", " + string(r.Fidelity)
}

// Sentence is what was seen, and our default beside it.
func (r Row) Sentence() string {
	if r.Contract == "" {
		return r.Told()
	}
	return r.Told() + " (by default: " + r.Default() + ")"
}

// days are the dates between which something was seen, for people.
func days(first, last time.Time) string {
	const day = "2 January 2006"
	from, to := first.UTC().Format(day), last.UTC().Format(day)
	if from == to {
		return to
	}
	return from + " to " + to
}

// JSON is the file's content.
func (l Learnt) JSON() ([]byte, error) {
	var out bytes.Buffer
	err := plainjson.Write(&out, l)
	return out.Bytes(), err
}

// Parse reads what JSON wrote. What is out of bounds is an error: the file says
// how requests are sent.
func Parse(text []byte) (*Learnt, error) {
	var l Learnt
	d := json.NewDecoder(bytes.NewReader(text))
	switch err := d.Decode(&l); {
	case len(text) > MaxSize:
		return nil, fmt.Errorf("it is longer than %d bytes", MaxSize)
	case err != nil:
		return nil, errors.New("it is no JSON that kindlytest learn wrote")
	case l.Version != Version:
		return nil, fmt.Errorf("it is of version %d, and this kindlytest reads %d", l.Version, Version)
	}
	return &l, l.Habits.check()
}

// Bounds of what is done likewise.
const (
	maxWaitMS  = 10 * 60 * 1000
	maxRetries = 20
)

func (h *Habits) check() error {
	bad := func(ms int) bool { return ms < 0 || ms > maxWaitMS }
	waits := [][]int{{h.TimeoutMS}, h.RetryAfterMS}
	if c := h.Client; c != nil {
		waits = append(waits, c.AfterThrowMS, c.AfterEmptyMS, c.AfterSlowMS)
	}
	for _, list := range waits {
		if len(list) > maxRetries || slices.ContainsFunc(list, bad) {
			return errors.New("it has a time that is negative, or longer than ten minutes, or more than 20 of them")
		}
	}
	values := []map[string]int{h.ContentTypes, h.Algorithms, h.UserAgents}
	for name, header := range h.Headers {
		if !httpguts.ValidHeaderFieldName(name) {
			return fmt.Errorf("%q is no name of a header", name)
		}
		values = append(values, header.Values)
	}
	for _, of := range values {
		for value := range of {
			if !httpguts.ValidHeaderFieldValue(value) {
				return fmt.Errorf("%q is no value of a header", value)
			}
		}
	}
	return nil
}

//go:embed kindly-observed.schema.json
var schema []byte

// Schema is the JSON Schema of the file.
func Schema() []byte { return bytes.Clone(schema) }
