package mockkindly

import (
	"encoding/hex"
	"fmt"
	"io"
	"sync"
)

// An idSource makes IDs from random bytes. Readers that callers bring along,
// for repeatable tests, need not be safe for concurrent use: it locks.
type idSource struct {
	mu   sync.Mutex
	rand io.Reader
}

// UUID makes a UUID of version 4 (RFC 9562), as Kindly's IDs of chats, users and
// exchanges are, of random bytes.
func UUID(random [16]byte) string {
	b := random
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	text := make([]byte, 0, 36)
	for i, part := range [][]byte{b[:4], b[4:6], b[6:8], b[8:10], b[10:]} {
		if i > 0 {
			text = append(text, '-')
		}
		text = hex.AppendEncode(text, part)
	}
	return string(text)
}

// uuid returns a random UUID.
func (s *idSource) uuid() (string, error) {
	var b [16]byte
	s.mu.Lock()
	_, err := io.ReadFull(s.rand, b[:])
	s.mu.Unlock()
	if err != nil {
		return "", fmt.Errorf("making an ID: %w", err)
	}
	return UUID(b), nil
}
