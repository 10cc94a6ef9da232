package param

import (
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"testing"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// text is a field of a message that holds a text or another message.
func text(number byte, s string) string {
	return string([]byte{number<<3 | lengthy}) + string(binary.AppendUvarint(nil, uint64(len(s)))) + s
}

func frameOf(message string) string {
	return string(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message)))) + message
}

// What stands in a message of Protocol Buffers can be replaced by something of
// another length, and left out: all lengths around it are written anew.
func TestMessagesAreEdited(t *testing.T) {
	with := func(id string) string {
		return "\x08\x07" + text(2, text(1, id)+text(7, "nb")) + "\x25abcd"
	}
	const without = "\x08\x07" + "\x12\x04" + "\x3a\x02nb" + "\x25abcd"
	coded := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(frameOf(s))) }
	asIt := func(s string) string { return s }
	for name, tt := range map[string]struct {
		contentType string
		write       func(message string) string
	}{
		"bare":            {"application/proto", asIt},
		"gRPC-Web":        {"application/grpc-web+proto", frameOf},
		"gRPC-Web, coded": {"application/grpc-web-text", coded},
	} {
		t.Run(name, func(t *testing.T) {
			r := wire.Request{Method: "POST", URL: "https://shop.example/t", Header: http.Header{"Content-Type": {tt.contentType}}, Body: []byte(tt.write(with(testChat)))}
			for value, want := range map[any]string{Keep: tt.write(with(testChat)), Drop: tt.write(without), "": tt.write(with("")), "a longer text, with more than 127 letters in it: 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789": tt.write(with("a longer text, with more than 127 letters in it: 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789"))} {
				var seen []string
				out, err := Walk(r, func(string, string) bool { return false }, func(l Leaf) any {
					if l.Place != InField {
						return Keep
					}
					seen = append(seen, l.String()+" "+l.Text())
					if l.Text() == testChat {
						return value
					}
					return Keep
				})
				if err != nil || string(out.Body) != want {
					t.Errorf("%v: got %q (%v), want %q", value, out.Body, err, want)
				}
				if len(seen) != 2 || seen[0] != "field of a message 2.1 "+testChat || seen[1] != "field of a message 2.7 nb" {
					t.Errorf("seen: %q", seen)
				}
			}
		})
	}
}

// Bytes of another form are no message, and nothing is said to stand in them.
func TestOtherBytesAreNoMessage(t *testing.T) {
	for name, body := range map[string]string{
		"MessagePack":  "\x81\xd9\x06chatId\xd9\x24" + testChat,
		"gzip":         "\x1f\x8b\x08\x00\x00\x00\x00\x00",
		"a cut frame":  frameOf(text(1, testChat))[:20],
		"a UUID":       testChat,
		"its 16 bytes": "\x0b\x9f\x6f\x0e\x11\x11\x42\x22\x83\x33\x94\x44\x44\x44\x44\x44",
	} {
		r := wire.Request{URL: "https://shop.example/t", Body: []byte(body)}
		want := BinaryBody
		if body == testChat {
			want = TextBody
		}
		if got := BodyKind(r); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}
