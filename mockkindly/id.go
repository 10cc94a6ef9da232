package mockkindly

import (
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

// uuid returns a random UUID, version 4 (RFC 9562).
func (s *idSource) uuid() (string, error) {
	var b [16]byte
	s.mu.Lock()
	_, err := io.ReadFull(s.rand, b[:])
	s.mu.Unlock()
	if err != nil {
		return "", fmt.Errorf("making an ID: %w", err)
	}
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]), nil
}
