package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/kindlytest/kindlytest/mockkindly"
)

func open(t testing.TB, path string, o Options) *Store {
	t.Helper()
	s, err := Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func newMock(t testing.TB, s *Store) *mockkindly.Kindly {
	t.Helper()
	k, err := mockkindly.New(mockkindly.Options{
		Store:  s,
		AnyBot: &mockkindly.Bot{Webhooks: []mockkindly.Webhook{{URL: "http://127.0.0.1:1/closed"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.Close() })
	return k
}

func journal(t testing.TB, s *Store) []mockkindly.StoredEvent {
	t.Helper()
	events, err := s.Events(mockkindly.Query{Limit: 1_000_000, MaxBytes: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	return events
}

func TestWhatHappenedIsThereAfterARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?c#d%20.db") // a path is no URL
	s := open(t, path, Options{})
	k := newMock(t, s)
	chat, err := k.CreateChat("bot", mockkindly.Web{URL: "https://shop.example/"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Say(context.Background(), chat.ID, mockkindly.Message{Text: "hello", Context: map[string]any{"n": "1"}}); err != nil {
		t.Fatal(err)
	}
	before, err := json.Marshal(k.Journal().Events(0))
	if err != nil {
		t.Fatal(err)
	}
	last := k.Journal().Last()
	if err := errors.Join(k.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}

	s = open(t, path, Options{})
	k = newMock(t, s)
	if k.Journal().Last() != last {
		t.Errorf("the numbers begin at %d, not %d", k.Journal().Last(), last)
	}
	again, ok := k.Chat(chat.ID)
	if !ok || again.Context["n"] != "1" || again.Web.URL != chat.Web.URL {
		t.Errorf("the chat is %+v", again)
	}
	var events []mockkindly.Event
	for _, e := range journal(t, s) {
		var decoded mockkindly.Event
		if err := json.Unmarshal(e.JSON, &decoded); err != nil {
			t.Fatal(err)
		}
		decoded.Seq = e.Seq
		events = append(events, decoded)
	}
	after, err := json.Marshal(events)
	if err != nil {
		t.Fatal(err)
	}
	if string(before) != string(after) {
		t.Errorf("the journal was\n%s\nand is\n%s", before, after)
	}
}

func TestResetKeepsTheNumbers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "k.db")
	s := open(t, path, Options{})
	k := newMock(t, s)
	for range 3 {
		if _, err := k.CreateChat("bot", mockkindly.Web{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := k.Reset(); err != nil {
		t.Fatal(err)
	}
	if n := len(journal(t, s)); n != 0 {
		t.Errorf("%d events are left", n)
	}
	if err := errors.Join(k.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	k = newMock(t, open(t, path, Options{}))
	if k.Journal().Last() != 3 || len(k.Chats(0)) != 0 {
		t.Errorf("last is %d, and there are %d chats", k.Journal().Last(), len(k.Chats(0)))
	}
}

func TestFilesThatCannotBeUsed(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	foreign := filepath.Join(dir, "foreign.db")
	db, err := sql.Open("sqlite", foreign)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("CREATE TABLE theirs (x)"); err != nil {
		t.Fatal(err)
	}
	db.Close()
	newer := filepath.Join(dir, "newer.db")
	s := open(t, newer, Options{})
	if _, err := s.db.Exec("PRAGMA user_version=99; PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		t.Fatal(err)
	}
	s.Close()
	mine := filepath.Join(dir, "mine.db")
	open(t, mine, Options{})
	for _, tt := range []struct{ name, path, want string }{
		{"a text", write("notes.txt", "my notes"), "no SQLite database"},
		{"a long text", write("long.txt", strings.Repeat("my notes ", 100)), "no SQLite database"},
		{"another program's database", foreign, "another program"},
		{"a newer version's", newer, "another version of kindlytest: its version is 99"},
		{"one that is open elsewhere", mine, "another process has it open"},
		{"in a folder that is not there", filepath.Join(dir, "no", "k.db"), "no such file or directory"},
		{"a folder", dir, "is a directory"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before, _ := os.ReadFile(tt.path)
			s, err := Open(tt.path, Options{})
			if err == nil {
				s.Close()
				t.Fatal("it was opened")
			}
			var e *Error
			if !errors.As(err, &e) || e.Way == "" || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), tt.path) {
				t.Errorf("the error is %q", err)
			}
			after, _ := os.ReadFile(tt.path)
			if tt.path != mine && string(before) != string(after) {
				t.Error("the file was changed")
			}
		})
	}
}

func TestAFullDiskIsSaidAndOver(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "k.db"), Options{})
	k := newMock(t, s)
	if _, err := s.db.Exec("PRAGMA max_page_count=30"); err != nil {
		t.Fatal(err)
	}
	kept := 0
	var err error
	for range 1000 {
		if _, err = k.CreateChat("bot", mockkindly.Web{URL: "https://shop.example/" + strings.Repeat("x", 1000)}); err != nil {
			break
		}
		kept++
	}
	var e *Error
	if !errors.As(err, &e) || !strings.Contains(err.Error(), "the disk is full") {
		t.Fatalf("the error is %v", err)
	}
	if n := len(journal(t, s)); n != kept || int(k.Journal().Last()) != kept {
		t.Errorf("%d were acknowledged, %d are in the file, %d in the journal", kept, n, k.Journal().Last())
	}
	if _, err := s.db.Exec("PRAGMA max_page_count=100000"); err != nil {
		t.Fatal(err)
	}
	if _, err := k.CreateChat("bot", mockkindly.Web{}); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if n := len(journal(t, s)); n != kept+1 {
		t.Errorf("%d events are in the file, not %d", n, kept+1)
	}
}

func TestTheFileIsBounded(t *testing.T) {
	const limit = 1 << 20
	path := filepath.Join(t.TempDir(), "k.db")
	s := open(t, path, Options{MaxEvents: 2000, MaxBytes: limit, MaxChats: 10})
	body := []byte(`"` + strings.Repeat("x", 1000) + `"`)
	seq := uint64(0)
	for range 40 {
		var events []mockkindly.StoredEvent
		var chats []mockkindly.StoredChat
		for range 100 {
			seq++
			events = append(events, mockkindly.StoredEvent{Seq: seq, Kind: mockkindly.ChatCreated, Chat: fmt.Sprint(seq), JSON: body})
			chats = append(chats, mockkindly.StoredChat{ID: fmt.Sprint(seq), JSON: []byte("{}")})
		}
		if err := s.Append(events, chats); err != nil {
			t.Fatal(err)
		}
	}
	kept := journal(t, s)
	if n := len(kept); n < 200 || n > 2000 || kept[n-1].Seq != seq {
		t.Errorf("%d events are kept, the last is %d", n, kept[n-1].Seq)
	}
	chats, err := s.Chats()
	if err != nil || len(chats) != 10 || chats[9].ID != fmt.Sprint(seq) {
		t.Errorf("%d chats, %v", len(chats), err)
	}
	s.Close()
	info, err := os.Stat(path)
	if err != nil || info.Size() > 2*limit || info.Mode().Perm() != 0o600 {
		t.Errorf("the file has %d bytes and mode %v, %v", info.Size(), info.Mode(), err)
	}
}

func TestManyAtATimeShareTransactions(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "k.db"), Options{})
	k := newMock(t, s)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			for range 20 {
				if _, err := k.CreateChat("bot", mockkindly.Web{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	events := journal(t, s)
	if len(events) != 400 {
		t.Fatalf("%d events", len(events))
	}
	for i, e := range events {
		if e.Seq != uint64(i+1) {
			t.Fatalf("event %d has the number %d", i, e.Seq)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "k.db"), Options{})
	k := newMock(b, s)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := k.CreateChat("bot", mockkindly.Web{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkDeliver sends messages to a webhook, 16 at a time.
func BenchmarkDeliver(b *testing.B) {
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"reply":"It is on its way."}`)
	}))
	defer hook.Close()
	s := open(b, filepath.Join(b.TempDir(), "k.db"), Options{})
	k := newMock(b, s)
	bot := mockkindly.Bot{Key: "bot", Webhooks: []mockkindly.Webhook{{URL: "https://hooks.example.com/", ConnectTo: hook.URL}}}
	if _, err := k.AddBot(bot); err != nil {
		b.Fatal(err)
	}
	chat, err := k.CreateChat("bot", mockkindly.Web{})
	if err != nil {
		b.Fatal(err)
	}
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := k.Say(b.Context(), chat.ID, mockkindly.Message{Text: "where is my order?"}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkRestart opens a file with as many chats as are kept.
func BenchmarkRestart(b *testing.B) {
	path := filepath.Join(b.TempDir(), "k.db")
	s := open(b, path, Options{})
	k := newMock(b, s)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			for range 200 {
				if _, err := k.CreateChat("bot", mockkindly.Web{URL: "https://shop.example/"}); err != nil {
					b.Error(err)
				}
			}
		})
	}
	all.Wait()
	if err := errors.Join(k.Close(), s.Close()); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s, err := Open(path, Options{})
		if err != nil {
			b.Fatal(err)
		}
		k := newMock(b, s)
		if len(k.Chats(0)) != 10_000 {
			b.Fatal("chats are missing")
		}
		if err := errors.Join(k.Close(), s.Close()); err != nil {
			b.Fatal(err)
		}
	}
}
