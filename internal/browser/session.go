package browser

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/cdp/jsonv2"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// ErrClosed is returned by everything that needs a Chrome, tab or frame that is
// gone.
var ErrClosed = errors.New("the browser or tab is closed")

// ErrEnded is the ErrClosed of a Chrome that ended though nobody here ended it.
var ErrEnded = fmt.Errorf("the browser ended in the middle of it: %w", ErrClosed)

// An eventFunc sees the events of a session in the order in which Chrome sent
// them. It runs in the loop that reads them: it must not block or call.
type eventFunc func(s *session, method string, params jsonv2.Value)

// A conn carries the sessions of one Chrome over one transport.
type conn struct {
	transport chromedp.Transport
	out       chan *cdproto.Message
	done      chan struct{} // closed when the connection is lost
	leaving   atomic.Bool   // we are about to close it
	ended     bool          // it was lost before; to be read when done is closed

	mu       sync.Mutex
	nextID   int64
	pending  map[int64]promise
	sessions map[target.SessionID]*session
	root     *session
}

// A session is the browser itself (no ID), a tab, a frame of another site, or a
// worker.
type session struct {
	conn   *conn
	id     target.SessionID
	events eventFunc
	gone   chan struct{}

	crashed atomic.Bool
}

func newConn(t chromedp.Transport) *conn {
	return &conn{
		transport: t,
		out:       make(chan *cdproto.Message, 64),
		done:      make(chan struct{}),
		pending:   map[int64]promise{},
		sessions:  map[target.SessionID]*session{},
	}
}

// start begins to read and write; events gets the events of the browser itself.
func (c *conn) start(events eventFunc) {
	c.root = c.session("", events)
	go c.read()
	go c.write()
}

func (c *conn) read() {
	defer func() {
		c.ended = !c.leaving.Load()
		close(c.done)
	}()
	for {
		msg := new(cdproto.Message)
		if err := c.transport.Read(context.Background(), msg); err != nil {
			return
		}
		if msg.ID != 0 {
			c.reply(msg)
			continue
		}
		c.mu.Lock()
		s := c.sessions[msg.SessionID]
		c.mu.Unlock()
		if s != nil && s.events != nil {
			s.events(s, string(msg.Method), msg.Params)
		}
	}
}

func (c *conn) reply(msg *cdproto.Message) {
	c.mu.Lock()
	p, ok := c.pending[msg.ID]
	delete(c.pending, msg.ID)
	c.mu.Unlock()
	if ok {
		p.reply <- msg
	}
}

func (c *conn) write() {
	for {
		select {
		case <-c.done:
			return
		case msg := <-c.out:
			if err := c.transport.Write(context.Background(), msg); err != nil {
				c.transport.Close() // ends read, which tells everybody
				return
			}
		}
	}
}

// lost is the error of what needed the connection.
func (c *conn) lost() error {
	select {
	case <-c.done:
		if c.ended {
			return ErrEnded
		}
	default:
	}
	return ErrClosed
}

// crash drops a session whose process has crashed.
func (s *session) crash() {
	s.crashed.Store(true)
	s.conn.drop(s.id)
}

// endPatience is how long after a tab's process Chrome itself may take to end.
const endPatience = 500 * time.Millisecond

// lost is the error of what needed a session that is gone. Where all of Chrome is
// killed, its tabs go first.
func (s *session) lost() error {
	if !s.crashed.Load() {
		return s.conn.lost()
	}
	select {
	case <-s.conn.done:
		return s.conn.lost()
	case <-time.After(endPatience):
		return fmt.Errorf("the tab has crashed: %w", ErrClosed)
	}
}

// close drops the connection and waits until the reader has noticed.
func (c *conn) close() {
	c.transport.Close()
	<-c.done
}

// session registers a session, so that its events are seen from now on.
func (c *conn) session(id target.SessionID, events eventFunc) *session {
	s := &session{conn: c, id: id, events: events, gone: make(chan struct{})}
	c.mu.Lock()
	c.sessions[id] = s
	c.mu.Unlock()
	return s
}

// drop forgets a session; calls that wait on it end with ErrClosed.
func (c *conn) drop(id target.SessionID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.sessions[id]; s != nil && id != "" {
		delete(c.sessions, id)
		maps.DeleteFunc(c.pending, func(_ int64, p promise) bool { return p.s == s })
		close(s.gone)
	}
}

// A promise is the answer to a command that was sent.
type promise struct {
	s      *session
	id     int64
	method string
	reply  chan *cdproto.Message
	err    error // it could not be sent
}

// send queues a command. Commands of one goroutine go out in order, and need
// not wait for each other.
func (s *session) send(ctx context.Context, method string, params any) promise {
	p := promise{s: s, method: method, reply: make(chan *cdproto.Message, 1)}
	raw, err := jsonv2.Marshal(params, chromedp.DefaultMarshalOptions)
	if err != nil {
		p.err = fmt.Errorf("%s: encoding its parameters: %w", method, err)
		return p
	}
	c := s.conn
	c.mu.Lock()
	c.nextID++
	p.id = c.nextID
	c.pending[p.id] = p
	c.mu.Unlock()
	msg := &cdproto.Message{ID: p.id, SessionID: s.id, Method: cdproto.MethodType(method), Params: raw}
	select {
	case c.out <- msg:
	case <-ctx.Done():
		p.fail(fmt.Errorf("%s: %w", method, context.Cause(ctx)))
	case <-s.gone:
		p.fail(fmt.Errorf("%s: %w", method, s.lost()))
	case <-c.done:
		p.fail(fmt.Errorf("%s: %w", method, c.lost()))
	}
	return p
}

func (p *promise) fail(err error) {
	p.err = err
	p.s.conn.mu.Lock()
	delete(p.s.conn.pending, p.id)
	p.s.conn.mu.Unlock()
}

// wait returns the answer of the browser, decoded into result unless it is nil.
func (p promise) wait(ctx context.Context, result any) error {
	if p.err != nil {
		return p.err
	}
	select {
	case msg := <-p.reply:
		return p.decode(msg, result)
	case <-ctx.Done():
		p.fail(fmt.Errorf("%s: %w", p.method, context.Cause(ctx)))
	case <-p.s.gone:
		p.fail(fmt.Errorf("%s: %w", p.method, p.s.lost()))
	case <-p.s.conn.done:
		p.fail(fmt.Errorf("%s: %w", p.method, p.s.conn.lost()))
	}
	return p.err
}

func (p promise) decode(msg *cdproto.Message, result any) error {
	if msg.Error != nil {
		return fmt.Errorf("%s: %w", p.method, msg.Error)
	}
	if result == nil {
		return nil
	}
	if err := jsonv2.Unmarshal(msg.Result, result, chromedp.DefaultUnmarshalOptions); err != nil {
		return fmt.Errorf("%s: decoding the answer: %w", p.method, err)
	}
	return nil
}

// call sends a command and waits for its result.
func call[P, R any](ctx context.Context, s *session, cmd cdp.Command[P, R], params P) (R, error) {
	var result R
	err := s.send(ctx, cmd.Method, params).wait(ctx, &result)
	return result, err
}

// tell sends a command whose result nobody needs.
func tell[P, R any](ctx context.Context, s *session, cmd cdp.Command[P, R], params P) promise {
	return s.send(ctx, cmd.Method, params)
}

// decodeEvent decodes the parameters of an event.
func decodeEvent[E any](params jsonv2.Value) (E, bool) {
	var e E
	err := jsonv2.Unmarshal(params, &e, chromedp.DefaultUnmarshalOptions)
	return e, err == nil
}
