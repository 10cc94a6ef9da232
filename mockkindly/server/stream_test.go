package server

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly"
)

// sse reads server-sent events.
type sse struct{ *bufio.Scanner }

// next returns the next event that is not a comment.
func (s sse) next(t *testing.T) (name, id, data string) {
	t.Helper()
	for s.Scan() {
		line := s.Text()
		switch {
		case line == "" && data != "":
			return name, id, data
		case strings.HasPrefix(line, "event: "):
			name = line[7:]
		case strings.HasPrefix(line, "id: "):
			id = line[4:]
		case strings.HasPrefix(line, "data: "):
			data = line[6:]
		}
	}
	t.Fatal("the stream has ended:", s.Err())
	return "", "", ""
}

func stream1(t *testing.T, url string, header ...string) sse {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatal(res.Status, res.Header)
	}
	s := bufio.NewScanner(res.Body)
	s.Buffer(nil, 1<<20)
	return sse{s}
}

func TestStream(t *testing.T) {
	k := newMock(t, mockkindly.Options{JournalSize: 10})
	server := httptest.NewServer(k)
	t.Cleanup(server.Close)
	newChat(t, k)
	second := newChat(t, k)

	s := stream1(t, server.URL+"/mock/v1/stream?after=1")
	if _, id, data := s.next(t); id != "2" || !strings.Contains(data, second.ID) {
		t.Errorf("the first is %s: %s", id, data)
	}
	later := newChat(t, k)
	_, id, data := s.next(t)
	var e mockkindly.Event
	if err := json.Unmarshal([]byte(data), &e); err != nil || id != "3" || e.Chat != later.ID || e.Seq != 3 {
		t.Errorf("then comes %s: %s, %v", id, data, err)
	}

	t.Run("it goes on where the client was", func(t *testing.T) {
		s := stream1(t, server.URL+"/mock/v1/stream", "Last-Event-ID", "2")
		if _, id, _ := s.next(t); id != "3" {
			t.Errorf("the next is %s", id)
		}
	})
	t.Run("of one chat only", func(t *testing.T) {
		s := stream1(t, server.URL+"/mock/v1/stream?chat="+second.ID)
		if _, id, _ := s.next(t); id != "2" {
			t.Errorf("the first is %s", id)
		}
	})
	t.Run("what a line holds stays in its line", func(t *testing.T) {
		s := stream1(t, server.URL+"/mock/v1/stream?after=3&kind=message.received")
		text := "a\n\nevent: reset\r\ndata: {}\u2028"
		if _, err := k.Say(context.Background(), second.ID, mockkindly.Message{Text: text}); err != nil {
			t.Fatal(err)
		}
		name, _, data := s.next(t)
		var e mockkindly.Event
		if err := json.Unmarshal([]byte(data), &e); err != nil || name != "" || e.Message.Text != text {
			t.Errorf("%q %s", name, data)
		}
	})
	t.Run("a client that missed some is told how many", func(t *testing.T) {
		for range 20 {
			newChat(t, k)
		}
		s := stream1(t, server.URL+"/mock/v1/stream?after=4")
		if name, _, data := s.next(t); name != "gap" || data != `{"dropped":10}` {
			t.Errorf("%s %s", name, data)
		}
		if _, id, _ := s.next(t); id != "15" {
			t.Errorf("it goes on at %s", id)
		}
	})
	t.Run("a reset is told", func(t *testing.T) {
		s := stream1(t, server.URL+fmt.Sprintf("/mock/v1/stream?after=%d", k.Journal().Last()))
		if err := k.Reset(); err != nil {
			t.Fatal(err)
		}
		if name, _, _ := s.next(t); name != "reset" {
			t.Errorf("%s came", name)
		}
	})
}

// A stream goes on longer than a whole request may take to come in.
func TestStreamOutlastsTheTimeOfARequest(t *testing.T) {
	k := newMock(t, mockkindly.Options{})
	server := httptest.NewUnstartedServer(k)
	server.Config.ReadTimeout = 100 * time.Millisecond
	server.Start()
	t.Cleanup(server.Close)
	s := stream1(t, server.URL+"/mock/v1/stream")
	time.Sleep(2 * server.Config.ReadTimeout)
	newChat(t, k)
	if name, _, data := s.next(t); data == "" {
		t.Errorf("after that comes %s", name)
	}
}

func TestStreamsAreBoundedAndEndWithTheMock(t *testing.T) {
	k := newMock(t, mockkindly.Options{})
	server := httptest.NewServer(k)
	streams := make([]sse, maxStreams)
	for i := range streams {
		streams[i] = stream1(t, server.URL+"/mock/v1/stream")
	}
	res, err := http.Get(server.URL + "/mock/v1/stream")
	if err != nil || res.StatusCode != 503 {
		t.Errorf("one more: %v %v", res, err)
	}
	res.Body.Close()
	k.Close()
	for _, s := range streams {
		for s.Scan() {
		}
	}
	server.Close() // would wait for ever
}

func TestWait(t *testing.T) {
	k := newMock(t, mockkindly.Options{})
	newChat(t, k)
	go k.CreateChat("bot", mockkindly.Web{})
	if w := do(k, "GET", "/mock/v1/wait?after=1&kind=chat.created", ""); w.Code != 200 || !strings.Contains(w.Body.String(), `"seq":2`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := do(k, "GET", "/mock/v1/wait?kind=token.refused&timeout_ms=20", ""); w.Code != 408 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for _, query := range []string{"timeout_ms=60001", "timeout_ms=-1", "kind=nonsense", "after=x"} {
		if w := do(k, "GET", "/mock/v1/wait?"+query, ""); w.Code != 400 {
			t.Errorf("%s: %d", query, w.Code)
		}
	}
}

func TestPagesOfTheJournal(t *testing.T) {
	k := newMock(t, mockkindly.Options{JournalSize: 8})
	for range 10 {
		newChat(t, k)
	}
	for _, tt := range []struct {
		query         string
		first, last   uint64
		more          bool
		dropped, next uint64
	}{
		{"", 3, 10, false, 2, 10},
		{"after=5", 6, 10, false, 0, 10},
		{"after=5&limit=2", 6, 7, true, 0, 7},
		{"after=8&limit=2", 9, 10, false, 0, 10},
		{"after=10", 0, 0, false, 0, 10},
		{"after=99", 0, 0, false, 0, 99},
		{"before=&limit=3", 8, 10, true, 0, 10},
		{"before=0&limit=100", 3, 10, false, 0, 10},
		{"before=6&limit=2", 4, 5, true, 0, 5},
		{"kind=token.accepted", 0, 0, false, 2, 10},
	} {
		t.Run(tt.query, func(t *testing.T) {
			w := do(k, "GET", "/mock/v1/journal?"+tt.query, "")
			var p struct {
				Events              []struct{ Seq uint64 }
				Next, Last, Dropped uint64
				More                bool
			}
			if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
				t.Fatal(err)
			}
			var first, last uint64
			if n := len(p.Events); n > 0 {
				first, last = p.Events[0].Seq, p.Events[n-1].Seq
			}
			if first != tt.first || last != tt.last || p.More != tt.more || p.Dropped != tt.dropped || p.Next != tt.next || p.Last != 10 {
				t.Errorf("events %d to %d, %+v", first, last, p)
			}
		})
	}
}

func TestAStoreThatFails(t *testing.T) {
	k := newMock(t, mockkindly.Options{Store: failingStore{}})
	var failed *mockkindly.StoreError
	if _, err := k.CreateChat("bot", mockkindly.Web{}); !errors.As(err, &failed) {
		t.Errorf("the error is %v", err)
	}
	w := do(k, "POST", "/mock/v1/chats", `{"bot_key":"bot"}`)
	if w.Code != 503 || !strings.Contains(w.Body.String(), "the disk is full") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if n := len(k.Journal().Events(0)); n != 0 {
		t.Errorf("%d events are shown that are not kept", n)
	}
}

// What a webhook answers to a message that could not be kept is not kept either.
func TestAMessageThatIsNotKept(t *testing.T) {
	h := newHook(t, replying(`{"reply":"hello","new_context":{"plan":"gold"}}`))
	for name, dialogues := range map[string][]mockkindly.Dialogue{"webhook": nil, "dialogue": {{Slug: "start", Fallback: true, Webhook: "a"}}} {
		t.Run(name, func(t *testing.T) {
			bot := mockkindly.MustBot("bot", publicPEM(), mockkindly.Webhook{Name: "a", URL: h.URL})
			bot.Dialogues = dialogues
			k := newMock(t, mockkindly.Options{Bots: []mockkindly.Bot{bot}, Store: noMessages{}})
			chat := newChat(t, k)
			var failed *mockkindly.StoreError
			if ds, err := k.Say(t.Context(), chat.ID, mockkindly.Message{Text: "hi"}); !errors.As(err, &failed) || len(ds) > 0 {
				t.Errorf("the error is %v, with %v", err, ds)
			}
			if events := k.Journal().Events(1); len(events) > 0 {
				t.Errorf("after the chat's event come %+v", events)
			}
			if chat, _ := k.Chat(chat.ID); len(chat.Context) > 0 {
				t.Errorf("the chat took over %v", chat.Context)
			}
		})
	}
}

// noMessages fails for them alone.
type noMessages struct{ failingStore }

func (noMessages) Append(events []mockkindly.StoredEvent, _ []mockkindly.StoredChat) error {
	if slices.ContainsFunc(events, func(e mockkindly.StoredEvent) bool { return e.Kind == mockkindly.MessageReceived }) {
		return errors.New("the disk is full")
	}
	return nil
}

type failingStore struct{}

func (failingStore) Append([]mockkindly.StoredEvent, []mockkindly.StoredChat) error {
	return errors.New("the disk is full")
}
func (failingStore) Events(mockkindly.Query) ([]mockkindly.StoredEvent, error) { return nil, nil }
func (failingStore) Span() (first, last, ever uint64, _ error)                 { return 0, 0, 0, nil }
func (failingStore) Chats() ([]mockkindly.StoredChat, error)                   { return nil, nil }
func (failingStore) Reset(uint64) error                                        { return nil }
