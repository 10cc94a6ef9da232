package token

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// compact is a token taken apart. What departs from the canonical form is
// read all the same where its meaning is plain, so that the other rules can be
// judged too; problem then says what departs.
type compact struct {
	problem   string // of TOK-COMPACT, empty if the form is canonical
	mistake   Diagnosis
	text      string // without what was wrapped around it
	segments  int
	signed    string // what the signature covers: header.payload
	header    segment
	payload   segment
	signature segment
}

// segment is one part between the dots, decoded.
type segment struct {
	bytes  []byte
	exists bool // there is such a part
	ok     bool // and it could be decoded
	cut    bool // its last character begins a byte, and ends none
}

// alphabet marks the bytes that a token, or a carelessly encoded one, is made
// of: base64url, the two other characters of base64, padding, and the dot.
var alphabet = func() (t [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=.") {
		t[c] = true
	}
	return t
}()

func takeApart(raw string) compact {
	text, problem, mistake := unwrap(raw)
	c := compact{problem: problem, mistake: mistake, text: text, segments: strings.Count(text, ".") + 1}
	if text == "" {
		c.segments = 0
		c.note("it is empty", Diagnosis{})
		return c
	}
	header, rest, _ := strings.Cut(text, ".")
	if c.segments != 3 {
		c.note(describeSegments(c.segments, header, rest))
	}
	c.header = c.decode("header", header)
	if c.segments < 2 || c.segments == 5 {
		return c // in an encrypted token the second segment is a key
	}
	payload, signature, _ := strings.Cut(rest, ".")
	c.payload = c.decode("payload", payload)
	c.signed = text[:len(header)+1+len(payload)]
	if c.segments == 3 {
		cut := isCut(signature)
		if cut {
			c.note("the signature "+oddLength, CutOff)
		}
		c.signature = c.decode("signature", signature)
		c.signature.cut = cut
	}
	return c
}

func (c *compact) note(problem string, mistake Diagnosis) {
	if c.problem == "" {
		c.problem, c.mistake = problem, mistake
	}
}

func (c *compact) decode(name, text string) segment {
	b, problem, ok := decodeBase64URL(text)
	mistake := Diagnosis{}
	if ok && strings.ContainsAny(text, "+/=") {
		mistake = HandMadeBase64
	}
	if problem != "" {
		c.note("the "+name+" "+problem, mistake)
	}
	return segment{bytes: b, exists: true, ok: ok}
}

// strictBase64URL refuses padding and stray bits, but skips line ends: unwrap
// must have removed them.
var strictBase64URL = base64.RawURLEncoding.Strict()

func decodeBase64URL(text string) (b []byte, problem string, ok bool) {
	b, err := strictBase64URL.DecodeString(text)
	if err == nil {
		return b, "", true
	}
	bare := strings.TrimRight(text, "=")
	switch {
	case strings.ContainsAny(bare, "+/"):
		problem = "is standard base64 (with + and /), not base64url"
	case bare != text:
		problem = "is padded with ="
	default:
		problem = "has stray bits in its last character: that is not how base64url is written"
	}
	bare = strings.NewReplacer("+", "-", "/", "_").Replace(bare)
	if b, err = base64.RawURLEncoding.DecodeString(bare); err != nil {
		return nil, "is not base64url", false
	}
	return b, problem, true
}

// describeSegments says what n segments are, the first of which is the header.
func describeSegments(n int, header, rest string) (problem string, mistake Diagnosis) {
	switch n {
	case 1:
		return "it has 1 segment: there is no dot in it", Opaque
	case 2:
		if unfinishedJSON(rest) {
			return "it has 2 segments, and the payload ends in the middle: it is cut off", CutOff
		}
		return "it has 2 segments: the signature is missing", Diagnosis{}
	case 5:
		const problem = "it has 5 segments: it is encrypted (JWE), not only signed"
		if b, _, _ := decodeBase64URL(header); hasIssuer(string(b)) {
			return problem + ", and its header names who issued it, as Auth0 does", ForAnotherService
		}
		return problem, Encrypted
	default:
		return fmt.Sprintf("it has %d segments", n), Diagnosis{}
	}
}

func hasIssuer(header string) bool {
	v, err := parseJSON(header)
	return err == nil && v.Get("iss").Exists()
}

const oddLength = "has a length that no base64url has: it is cut off"

// isCut says whether text is base64url, but for a last character that ends no byte.
func isCut(text string) bool {
	if len(text)%4 != 1 {
		return false
	}
	_, _, ok := decodeBase64URL(text[:len(text)-1])
	return ok
}

// unfinishedJSON says whether a segment holds the beginning of a JSON text only.
func unfinishedJSON(text string) bool {
	if isCut(text) {
		text = text[:len(text)-1]
	}
	b, _, _ := decodeBase64URL(text)
	var v json.RawMessage
	return errors.Is(json.NewDecoder(bytes.NewReader(b)).Decode(&v), io.ErrUnexpectedEOF)
}
