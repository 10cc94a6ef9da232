package param

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Messages of Protocol Buffers, as they are and in the frames of gRPC-Web. The
// lengths in them are written anew, so that a value of another length can stand
// where the page's stood.

// A field is one of a message (protobuf.dev/programming-guides/encoding).
type field struct {
	number uint64
	whole  []byte // with its tag
	value  []byte // of a field with a length; nil: it has another kind of value
}

// The kinds of values.
const (
	varint  = 0
	fixed64 = 1
	lengthy = 2
	fixed32 = 5
)

// fieldsOf takes a message apart.
func fieldsOf(message []byte) ([]field, bool) {
	var out []field
	for rest := message; len(rest) > 0; {
		tag, n := binary.Uvarint(rest)
		f := field{number: tag >> 3}
		if n <= 0 || f.number == 0 {
			return nil, false
		}
		size := n
		switch tag & 7 {
		case varint:
			_, m := binary.Uvarint(rest[n:])
			if m <= 0 {
				return nil, false
			}
			size += m
		case fixed64:
			size += 8
		case fixed32:
			size += 4
		case lengthy:
			length, m := binary.Uvarint(rest[n:])
			if m <= 0 || length > uint64(len(rest)-n-m) {
				return nil, false
			}
			size += m + int(length)
			f.value = rest[n+m : size : size]
		default:
			return nil, false
		}
		if size > len(rest) {
			return nil, false
		}
		f.whole, rest = rest[:size], rest[size:]
		out = append(out, f)
	}
	return out, true
}

// isMessage says whether bytes are a message that holds something with a length: no
// UUID is one, whose letters would be lengths that reach beyond its end.
func isMessage(b []byte) bool {
	fields, ok := fieldsOf(b)
	return ok && slices.ContainsFunc(fields, func(f field) bool { return f.value != nil })
}

// walkMessage visits the texts in a message.
func walkMessage(message []byte, at Leaf, visit Visitor, depth int) []byte {
	fields, _ := fieldsOf(message)
	var out []byte
	for _, f := range fields {
		in, value, dropped := at.step(strconv.FormatUint(f.number, 10)), f.value, false
		switch {
		case f.value == nil:
		case depth > 0 && isMessage(f.value):
			value = walkMessage(f.value, in, visit, depth-1)
		default:
			var text string
			text, dropped = WalkText(string(f.value), in, visit)
			value = []byte(text)
		}
		switch {
		case dropped:
		case bytes.Equal(value, f.value):
			out = append(out, f.whole...)
		default:
			out = binary.AppendUvarint(out, f.number<<3|lengthy)
			out = append(binary.AppendUvarint(out, uint64(len(value))), value...)
		}
	}
	return out
}

// frameHead is the length of what stands before a message in a frame of gRPC-Web: a
// byte of flags, and the length in four.
const frameHead = 5

// framesOf takes the messages out of frames that are not compressed.
func framesOf(b []byte) (messages [][]byte, ok bool) {
	for len(b) >= frameHead && b[0] == 0 {
		length := uint64(binary.BigEndian.Uint32(b[1:]))
		if length > uint64(len(b)-frameHead) {
			return nil, false
		}
		messages = append(messages, b[frameHead:frameHead+length])
		b = b[frameHead+length:]
	}
	return messages, len(b) == 0 && len(messages) > 0 && slices.ContainsFunc(messages, isMessage)
}

// isBinary says whether a body is no text that people or programs could write.
func isBinary(b []byte) bool {
	return !utf8.Valid(b) || bytes.ContainsFunc(b, func(r rune) bool { return r < ' ' && r != '\t' && r != '\r' && r != '\n' })
}

// walkBinary visits a body of messages; ok says that it is one.
func walkBinary(b []byte, visit Visitor) (out []byte, ok bool) {
	at := Leaf{Place: InField}
	if messages, ok := framesOf(b); ok {
		for _, m := range messages {
			m = walkMessage(m, at, visit, maxDepth)
			out = append(binary.BigEndian.AppendUint32(append(out, 0), uint32(len(m))), m...)
		}
		return out, true
	}
	if isBinary(b) && isMessage(b) {
		return walkMessage(b, at, visit, maxDepth), true
	}
	return nil, false
}

// framesInText decodes frames in base64, as gRPC-Web has them as text.
func framesInText(text []byte) (plain []byte, ok bool) {
	plain, err := base64.StdEncoding.DecodeString(string(text))
	if err != nil {
		return nil, false
	}
	_, ok = framesOf(plain)
	return plain, ok
}
