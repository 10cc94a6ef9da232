package recording

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/kindlytest/kindlytest/internal/plainjson"
	"github.com/kindlytest/kindlytest/internal/redact"
)

// Options configure a Recorder. The zero value is usable.
type Options struct {
	KeepValues bool             // personal values stay as they are
	Redact     *redact.Redactor // knows what else is secret
	Rand       io.Reader        // where the key comes from; crypto/rand if nil
}

// A Recorder appends to a file. It is safe for concurrent use.
type Recorder struct {
	opts    Options
	stand   standIns
	run     string
	dirty   chan struct{} // there are lines that the disk may not have
	closing chan struct{} // nobody writes any more
	stopped chan struct{} // nobody syncs any more

	mu     sync.Mutex
	file   *os.File
	number int   // of the newest line of this run
	lines  int   // of the file
	failed error // of the last sync
}

// Create opens a recording, which nobody but its owner can read, and appends to
// what is there.
func Create(path string, o Options) (*Recorder, error) {
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	random := make([]byte, 32+6)
	if _, err := io.ReadFull(o.Rand, random); err != nil {
		return nil, fmt.Errorf("making the key of a recording: %w", err)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the recording: %w", err)
	}
	lines, err := countLines(file)
	if err == nil {
		err = endLine(file)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the recording: %w", err), file.Close())
	}
	r := &Recorder{
		opts: o, stand: standIns{random[:32]}, run: hex.EncodeToString(random[32:]), file: file, lines: lines,
		dirty: make(chan struct{}, 1), closing: make(chan struct{}), stopped: make(chan struct{}),
	}
	go r.sync(file)
	return r, nil
}

// lineBegin is how each line begins that Write writes.
var lineBegin = []byte(`{"v":`)

// countLines counts the lines that are there, also one that is left open. What is no
// recording is left alone: nothing may be written there.
func countLines(file *os.File) (int, error) {
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	if !info.Mode().IsRegular() {
		return 0, fmt.Errorf("%s is no regular file", file.Name())
	}
	n, last := 0, byte('\n')
	for buf := make([]byte, 1<<20); ; {
		read, err := file.Read(buf)
		if first := buf[:min(read, len(lineBegin))]; n == 0 && last == '\n' && !bytes.HasPrefix(lineBegin, first) {
			return 0, fmt.Errorf("%s is there, and is no recording", file.Name())
		}
		n += bytes.Count(buf[:read], []byte{'\n'})
		if read > 0 {
			last = buf[read-1]
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return 0, err
		}
	}
	if last != '\n' {
		n++
	}
	return n, nil
}

// endLine ends a line that a killed process has left open.
func endLine(file *os.File) error {
	info, err := file.Stat()
	if err != nil || info.Size() == 0 {
		return err
	}
	last := make([]byte, 1)
	if _, err := file.ReadAt(last, info.Size()-1); err != nil || last[0] == '\n' {
		return err
	}
	_, err = file.WriteString("\n")
	return err
}

// Write appends a delivery, whose Run, Number and Digest it sets from body: the
// request's body as it was, cut if it is long, nil if it is not known. When Write
// returns, the line is the system's, so that it survives the end of this
// process, however it ends. It goes to the disk a moment later. It returns which
// line of the file it is, from 1.
func (r *Recorder) Write(d Delivery, body []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file == nil {
		return 0, os.ErrClosed
	}
	r.number++
	d.Version, d.Run, d.Number, d.Kept = Version, r.run, r.number, r.opts.KeepValues
	if body != nil || d.Request.Size == 0 {
		d.Request.Digest = r.stand.digest(body)
	}
	line, err := r.line(d, body)
	if err != nil {
		return 0, fmt.Errorf("recording a delivery: %w", err)
	}
	if _, err := r.file.Write(line); err != nil {
		return 0, fmt.Errorf("recording a delivery: %w", err)
	}
	r.lines++
	select {
	case r.dirty <- struct{}{}:
	default: // it is known already
	}
	return r.lines, nil
}

// line is a delivery as it is written. What makes it too long is left out.
func (r *Recorder) line(d Delivery, body []byte) ([]byte, error) {
	d.Request.Path = redact.URL(d.Request.Path)
	if !r.opts.KeepValues {
		d.Request.Path, _, _ = strings.Cut(d.Request.Path, "?")
	}
	d.Request.Headers = r.headers(d.Request.Headers)
	if d.Answer != nil {
		answer := *d.Answer
		answer.Headers = r.headers(answer.Headers)
		d.Answer = &answer
	}
	d.Request.Body = r.body(body)
	line, err := encode(d)
	if err == nil && len(line) > MaxLine {
		d.Request.Body, d.Request.Headers = nil, nil
		line, err = encode(d)
	}
	if err == nil && len(line) > MaxLine {
		err = fmt.Errorf("it would take more than %d bytes", MaxLine)
	}
	return line, err
}

func encode(v any) ([]byte, error) {
	text, err := plainjson.Marshal(v)
	return append(text, '\n'), err
}

func (r *Recorder) headers(list []Header) []Header {
	out := make([]Header, len(list))
	for i, h := range list {
		out[i] = Header{h.Name, r.header(h)}
	}
	return out
}

// header is a header's value without credentials. Of a token nothing stays: its
// claims are personal.
func (r *Recorder) header(h Header) string {
	switch clean := r.opts.Redact.Header(h.Name, h.Value); {
	case strings.EqualFold(h.Name, "Authorization") || strings.EqualFold(h.Name, "Proxy-Authorization"):
		scheme, _, _ := bytes.Cut([]byte(h.Value), []byte(" "))
		return string(bytes.ToValidUTF8(scheme[:min(len(scheme), 20)], nil)) + " " + redact.Removed
	case clean != h.Value:
		return redact.Removed
	case r.opts.KeepValues:
		return h.Value
	}
	return r.stand.header(h.Name, h.Value)
}

// body is what is kept of a body: nil if it is no JSON object.
func (r *Recorder) body(body []byte) json.RawMessage {
	if len(body) > MaxBody || !utf8.Valid(body) {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var top map[string]any
	if d.Decode(&top) != nil || top == nil || d.More() {
		return nil
	}
	var v any = top
	if r.opts.KeepValues {
		v = r.opts.Redact.Learnt(v)
	} else {
		v = r.stand.value("", v)
	}
	text, err := encode(v)
	if err != nil {
		return nil
	}
	return redact.Signatures(bytes.TrimSpace(text))
}

// syncAfter is how long lines are gathered before they are brought to the disk: a
// write that meets a sync waits for it, and with it Kindly.
const syncAfter = 200 * time.Millisecond

// sync brings to the disk what was written, again and again, until Close.
func (r *Recorder) sync(file *os.File) {
	defer close(r.stopped)
	for range r.dirty {
		select {
		case <-time.After(syncAfter):
		case <-r.closing:
		}
		if err := file.Sync(); err != nil {
			r.mu.Lock()
			r.failed = err
			r.mu.Unlock()
		}
	}
}

// Close brings all to the disk. Later writes fail.
func (r *Recorder) Close() error {
	r.mu.Lock()
	file := r.file
	r.file = nil
	r.mu.Unlock()
	if file == nil {
		return nil
	}
	close(r.closing)
	close(r.dirty)
	<-r.stopped
	return errors.Join(r.failed, file.Sync(), file.Close())
}
