// Package observed is what a team has found out about the real Kindly: rows that
// lay what was recorded beside the contract, each with how often and when it was
// seen.
//
//	l := observed.NewLearner()
//	for d, err := range recording.Read(file) { l.Add(d) }
//	text, err := l.Learnt().JSON()
package observed

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
)

// DefaultName is how the file is called, unless somebody says otherwise.
const DefaultName = "kindly-observed.json"

// Version is that of the file's form.
const Version = 1

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
	// UserAgents and Protocols say how many deliveries had each.
	UserAgents map[string]int `json:"user_agents,omitempty"`
	Protocols  map[string]int `json:"protocols,omitempty"`
	// Members are those of the payload, by their paths.
	Members map[string]Member `json:"members,omitempty"`
	// Headers are those of the request, as they are spelled.
	Headers map[string]int `json:"headers,omitempty"`
}

// A Member is one of the payload: how many deliveries had it, with which types.
type Member struct {
	Seen  int            `json:"seen"`
	Types map[string]int `json:"types"`
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
	// Deliveries is how many of them show it, First and Last when.
	Deliveries int       `json:"deliveries"`
	First      time.Time `json:"first,omitzero"`
	Last       time.Time `json:"last,omitzero"`
	// Way is how it can be seen, where it was not.
	Way string `json:"way,omitempty"`
}

// JSON is the file's content.
func (l Learnt) JSON() ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(l)
	return out.Bytes(), err
}

//go:embed kindly-observed.schema.json
var schema []byte

// Schema is the JSON Schema of the file.
func Schema() []byte { return bytes.Clone(schema) }
