package recording

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A Format is what a text looks like. Stand-ins keep it.
type Format string

// The formats that are told apart.
const (
	Empty  Format = "empty"
	UUID   Format = "uuid"
	Email  Format = "e-mail"
	Phone  Format = "phone"
	URL    Format = "url"
	Time   Format = "date-time" // RFC 3339
	Date   Format = "date"
	Digits Format = "digits"
	Text   Format = "text"
)

var (
	uuidShape  = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)
	emailShape = regexp.MustCompile(`^[^\s@]+@[^\s@]+\.[^\s@]+$`)
	phoneShape = regexp.MustCompile(`^\+[0-9 ()-]{6,30}$`)
	digitShape = regexp.MustCompile(`^[0-9]+$`)
	nameShape  = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_.$-]{0,63}$`)
)

// FormatOf tells what a text looks like.
func FormatOf(s string) Format {
	switch {
	case s == "":
		return Empty
	case uuidShape.MatchString(s):
		return UUID
	case digitShape.MatchString(s):
		return Digits
	case phoneShape.MatchString(s):
		return Phone
	case strings.HasPrefix(s, "https://"), strings.HasPrefix(s, "http://"):
		return URL
	case emailShape.MatchString(s):
		return Email
	case isTime(time.RFC3339Nano, s):
		return Time
	case isTime(time.DateOnly, s):
		return Date
	}
	return Text
}

func isTime(layout, s string) bool {
	_, err := time.Parse(layout, s)
	return err == nil
}

// impersonal are the members of a body whose values say nothing of a person:
// they are set up, or Kindly's own.
var impersonal = []string{
	"organization_id", "bot_id", "source", "web_host",
	"exchange.exchange_id", "exchange.exchange_slug", "exchange.language_code",
}

// ownHosts are the members with URLs whose host says nothing of a person.
var ownHosts = []string{"_links.chat", "web_url"}

// impersonalHeaders are those whose values stay.
var impersonalHeaders = []string{
	"accept", "accept-encoding", "accept-language", "connection", "content-encoding", "content-length", "content-type", "date", "host",
	"keep-alive", "kindly-hmac-algorithm", "retry-after", "server", "te", "transfer-encoding", "user-agent", "vary", "x-forwarded-host", "x-forwarded-proto",
}

// Impersonal says whether the values of a body's member say nothing of a person.
func Impersonal(path string) bool { return slices.Contains(impersonal, path) }

// ImpersonalHeader says so of the values of a header.
func ImpersonalHeader(name string) bool {
	return slices.Contains(impersonalHeaders, strings.ToLower(name))
}

// Example is a made-up text of a format; equal ones for equal seeds.
func Example(f Format, seed string) string {
	s := standIns{[]byte("example")}
	return s.like(map[Format]string{
		Empty: "", UUID: "00000000-0000-4000-8000-000000000000", Email: "a@example.com", Phone: "+470000000", URL: "https://example.com/",
		Time: "1970-01-01T00:00:00Z", Date: "1970-01-01", Digits: "00000", Text: "text",
	}[f], seed)
}

// standIns replaces values by others that look alike. Equal values get equal
// stand-ins. Without the key nobody can try out which value it was.
type standIns struct{ key []byte }

// mac is a value's keyed hash.
func (s standIns) mac(value string) []byte {
	m := hmac.New(sha256.New, s.key)
	m.Write([]byte(value))
	return m.Sum(nil)
}

// digest is alike for equal bodies.
func (s standIns) digest(body []byte) string {
	return hex.EncodeToString(s.mac("body\x00" + string(body))[:12])
}

// text returns the stand-in of a text.
func (s standIns) text(value string) string { return s.like(value, value) }

// like returns a text that looks like one, and is alike for equal seeds.
func (s standIns) like(value, seed string) string {
	sum := s.mac(seed)
	short := hex.EncodeToString(sum[:4])
	switch FormatOf(value) {
	case Empty:
		return ""
	case UUID:
		return uuid([16]byte(sum[:16]))
	case Email:
		return "user-" + short + "@example.com"
	case Phone:
		return "+" + s.digits(seed, 10)
	case URL:
		return "https://example.com/" + short
	case Time:
		return epoch(sum).Format(time.RFC3339)
	case Date:
		return epoch(sum).Format(time.DateOnly)
	case Digits:
		return s.digits(seed, len(value))
	}
	return "text-" + short
}

// digits are as many as the value has, at most 20, the first of them not 0.
func (s standIns) digits(value string, n int) string {
	sum := s.mac(value)
	out := fmt.Sprintf("%020d", binary.BigEndian.Uint64(sum))
	out = string('1'+out[0]%9) + out[1:]
	return out[:min(max(n, 1), len(out))]
}

func uuid(b [16]byte) string {
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// epoch is a time in the years from 1970 to 2005.
func epoch(sum []byte) time.Time {
	return time.Unix(int64(binary.BigEndian.Uint32(sum)>>2), 0).UTC()
}

// value returns the stand-in of a value of a body, of which the names stay.
func (s standIns) value(path string, v any) any {
	if slices.Contains(impersonal, path) {
		return v
	}
	switch v := v.(type) {
	case string:
		if slices.Contains(ownHosts, path) {
			return s.url(v)
		}
		if path == "web_path" {
			return s.path(v)
		}
		return s.text(v)
	case json.Number:
		if text := v.String(); digitShape.MatchString(text) && len(text) > 1 {
			return json.Number(s.digits(text, len(text)))
		}
		return v // a digit, a sign or a fraction says nothing
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = s.value(path+"[]", item)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, inner := range v {
			below := name
			if path != "" {
				below = path + "." + name
			}
			out[s.name(name)] = s.value(below, inner)
		}
		return out
	}
	return v
}

// name is a member's name, if it is surely one.
func (s standIns) name(name string) string {
	if nameShape.MatchString(name) {
		return name
	}
	return s.text(name)
}

// url keeps the host of a URL, and how many segments its path has.
func (s standIns) url(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return s.text(raw)
	}
	return u.Scheme + "://" + u.Host + s.path(u.EscapedPath())
}

// path replaces each segment of a path, which may be a name or a number.
func (s standIns) path(path string) string {
	path, _, _ = strings.Cut(path, "?")
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		segments[i] = s.text(segment)
	}
	return strings.Join(segments, "/")
}

// header returns the stand-in of a header's value, credentials apart.
func (s standIns) header(name, value string) string {
	lower := strings.ToLower(name)
	switch {
	case slices.Contains(impersonalHeaders, lower):
		return value
	case lower == "location": // of the customer's own pages
		where, _, _ := strings.Cut(value, "?")
		return where
	}
	return s.text(value)
}
