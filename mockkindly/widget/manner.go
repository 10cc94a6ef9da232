package widget

import "encoding/json"

// A Manner is how Kindly's client was seen to work where that is not published. The
// zero value is what kindlytest takes it to do.
type Manner struct {
	RenewBeforeMS int      `json:"renew_before_ms,omitempty"` // how long before its end a token is renewed; 0: 30 s
	NeverRenews   bool     `json:"never_renews,omitempty"`
	Calls         int      `json:"calls,omitempty"`          // of the callback at each connect; 0: one
	Arguments     []string `json:"arguments,omitzero"`       // of the callback; see [Argument]
	AfterThrowMS  []int    `json:"after_throw_ms,omitempty"` // the waits before the callback is called again where it threw
	AfterEmptyMS  []int    `json:"after_empty_ms,omitempty"` // and where it gave no token
	AfterSlowMS   []int    `json:"after_slow_ms,omitempty"`  // and where it has not answered yet
	Events        []string `json:"events,omitempty"`         // of the document, beside the documented ones
	Methods       []string `json:"methods,omitempty"`        // of window.kindlyChat, beside those that work
	Needs         []Need   `json:"needs,omitempty"`          // what it loads, beside its script and its API
}

// A Need is one host that the client wants to reach, which a policy of the page may forbid.
type Need struct {
	Kind string `json:"kind"` // connect, script, style, image, font, frame, media
	URL  string `json:"url"`  // an origin: https://eu.example.com, wss://eu.example.com
}

// Argument is how an argument is written: "uuid" for the chat's id, a type of
// JavaScript for a value of no known meaning, or object{a,b} with its members.
const Argument = "uuid"

// prefix is what the script reads it from.
func (m *Manner) prefix() []byte {
	if m == nil {
		m = &Manner{}
	}
	text, err := json.Marshal(m)
	if err != nil {
		panic(err) // it is texts and numbers
	}
	return append(append([]byte("const MANNER = "), text...), ";\n"...)
}
