package forge

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a token as it goes over the wire. Whatever prints or encodes it
// shows its length only: some forged tokens are as good as the page's own.
type Secret string

// Reveal returns the token itself.
func (s Secret) Reveal() string { return string(s) }

func (s Secret) hidden() string { return fmt.Sprintf("<token of %d bytes>", len(s)) }

// String returns a stand-in.
func (s Secret) String() string { return s.hidden() }

// Format writes the stand-in, whatever the verb.
func (s Secret) Format(w fmt.State, _ rune) { io.WriteString(w, s.hidden()) }

// MarshalText returns the stand-in.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.hidden()), nil }

// LogValue returns the stand-in.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.hidden()) }
