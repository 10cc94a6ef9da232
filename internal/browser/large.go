package browser

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/chromedp/cdproto"
)

// maxMessage bounds one message of Chrome. A page decides how long a message is:
// by what it logs, throws, posts or stores.
const maxMessage = 16 << 20

// tooLarge is the event that stands for one that was larger. Chrome has no such.
const tooLarge = "Kindlytest.tooLarge"

const answerTooLarge = "the answer is too large"

// An eventTooLarge says which one it was.
type eventTooLarge struct {
	Method    string `json:"method"`
	RequestID string `json:"requestId"` // where it is about a request that Chrome holds
	Size      int64  `json:"size"`
}

// A boundedPipe reads Chrome's messages, each ended by a zero byte, and puts a
// short one in the place of each that is larger than max: of that, no more than
// max bytes are ever in memory.
type boundedPipe struct {
	io.Closer
	r    *bufio.Reader
	max  int
	buf  []byte
	next []byte // the part of buf that is still to be read
}

func newBoundedPipe(r io.ReadCloser, largest int) *boundedPipe {
	return &boundedPipe{Closer: r, r: bufio.NewReaderSize(r, 64<<10), max: largest}
}

func (b *boundedPipe) Read(p []byte) (int, error) {
	if len(b.next) == 0 {
		if err := b.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, b.next)
	b.next = b.next[n:]
	return n, nil
}

// What is kept of a message that is too large: enough to know whose it is.
const (
	headBytes = 1 << 10
	tailBytes = 256
)

// fill reads the next message.
func (b *boundedPipe) fill() error {
	if cap(b.buf) > 1<<20 {
		b.buf = nil // large ones are rare
	}
	b.buf = b.buf[:0]
	var head, tail []byte
	size := int64(0)
	for {
		part, err := b.r.ReadSlice(0)
		size += int64(len(part))
		switch {
		case head != nil:
			tail = append(tail, part...)
			tail = append([]byte(nil), tail[max(0, len(tail)-tailBytes):]...)
		case len(b.buf)+len(part) > b.max:
			whole := append(b.buf, part[:min(len(part), headBytes)]...)
			head = append([]byte(nil), whole[:min(len(whole), headBytes)]...)
			tail = append([]byte(nil), part[max(0, len(part)-tailBytes):]...)
			b.buf = nil
		default:
			b.buf = append(b.buf, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil {
			return err
		}
		break
	}
	if head != nil {
		b.buf = standIn(head, tail, size)
	}
	b.next = b.buf
	return nil
}

// The order of the members is Chrome's; what a page writes is quoted, and can
// look like none of these.
var (
	answerHead = regexp.MustCompile(`^\{"id":(\d+),`)
	eventHead  = regexp.MustCompile(`^\{"method":"([A-Za-z.]+)","params":\{(?:"requestId":"([\w.-]+)")?`)
	sessionEnd = regexp.MustCompile(`[}\]],"sessionId":"(\w+)"\}\x00$`)
)

// standIn is the message that says that another was too large.
func standIn(head, tail []byte, size int64) []byte {
	session := ""
	if m := sessionEnd.FindSubmatch(tail); m != nil {
		session = string(m[1])
	}
	if m := answerHead.FindSubmatch(head); m != nil {
		return fmt.Appendf(nil, `{"id":%s,"error":{"code":-32000,"message":%q},"sessionId":%q}`+"\x00", m[1], answerTooLarge+" ("+megabytes(size)+")", session)
	}
	var method, request string
	if m := eventHead.FindSubmatch(head); m != nil {
		method, request = string(m[1]), string(m[2])
	}
	return fmt.Appendf(nil, `{"method":%q,"params":{"method":%q,"requestId":%q,"size":%d},"sessionId":%q}`+"\x00", tooLarge, method, request, size, session)
}

// isTooLarge reports whether that was the answer to a command.
func isTooLarge(err error) bool {
	var e *cdproto.Error
	return errors.As(err, &e) && strings.HasPrefix(e.Message, answerTooLarge)
}

// megabytes is a size in words.
func megabytes(size int64) string { return fmt.Sprintf("%d MB", (size+500_000)/1_000_000) }
