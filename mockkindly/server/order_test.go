package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/mockkindly/server"
	"github.com/kindlytest/kindlytest/mockkindly/sqlite"
)

// TestReadersGetEachEventOnceAndInOrder reads while eight write.
func TestReadersGetEachEventOnceAndInOrder(t *testing.T) {
	const writers = 8
	for name, tt := range map[string]struct {
		stored bool
		each   int // chats a writer makes
		size   int // events the memory keeps
		read   func(t *testing.T, url string, until uint64) []uint64
	}{
		"pages":                              {false, 2000, 0, pages},
		"pages, with a store":                {true, 150, 0, pages},
		"pages, from the store":              {true, 150, 10, pages},
		"the stream":                         {false, 1000, 0, streamed},
		"the stream, with a store":           {true, 150, 0, streamed},
		"the stream, mostly from the store":  {true, 150, 10, streamed},
		"the stream, of a very short memory": {false, 1000, 10, streamed},
		"pages, of a very short memory":      {false, 1000, 10, pages},
	} {
		t.Run(name, func(t *testing.T) {
			o := mockkindly.Options{AnyBot: &mockkindly.Bot{}, JournalSize: tt.size}
			if tt.size == 0 {
				o.JournalSize = 100_000
			}
			if tt.stored {
				store, err := sqlite.Open(filepath.Join(t.TempDir(), "k.db"), sqlite.Options{})
				if err != nil {
					t.Fatal(err)
				}
				defer store.Close()
				o.Store = store
			}
			k, err := mockkindly.New(o)
			if err != nil {
				t.Fatal(err)
			}
			defer k.Close()
			server := httptest.NewServer(server.New(k, server.Options{}))
			defer server.Close()
			var all sync.WaitGroup
			for range writers {
				all.Go(func() {
					for range tt.each {
						if _, err := k.CreateChat("bot", mockkindly.Web{}); err != nil {
							t.Error(err)
						}
					}
				})
			}
			got := tt.read(t, server.URL, uint64(writers*tt.each))
			all.Wait()
			for i, seq := range got {
				if seq != uint64(i+1) {
					t.Fatalf("as number %d comes event %d", i+1, seq)
				}
			}
		})
	}
}

// pages reads the journal page by page. Events that it is told it missed are in
// the result too.
func pages(t *testing.T, url string, until uint64) (got []uint64) {
	next := uint64(0)
	deadline := time.Now().Add(30 * time.Second)
	for next < until && time.Now().Before(deadline) {
		res, err := http.Get(fmt.Sprintf("%s/mock/v1/journal?limit=50&after=%d", url, next))
		if err != nil {
			t.Fatal(err)
		}
		var p struct {
			Events        []struct{ Seq uint64 }
			Next, Dropped uint64
		}
		err = json.NewDecoder(res.Body).Decode(&p)
		res.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		got = missed(got, p.Dropped)
		for _, e := range p.Events {
			got = append(got, e.Seq)
		}
		next = p.Next
	}
	if next != until {
		t.Errorf("the end is at %d, not %d", next, until)
	}
	return got
}

// streamed reads the same from the stream.
func streamed(t *testing.T, url string, until uint64) (got []uint64) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", url+"/mock/v1/stream?after=0", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var e struct{ Seq, Dropped uint64 }
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			t.Fatal(err)
		}
		if got = missed(got, e.Dropped); e.Seq > 0 {
			got = append(got, e.Seq)
		}
		if len(got) > 0 && got[len(got)-1] >= until {
			return got
		}
	}
	t.Errorf("the stream ended after %d events: %v", len(got), lines.Err())
	return got
}

func missed(got []uint64, n uint64) []uint64 {
	last := uint64(0)
	if len(got) > 0 {
		last = got[len(got)-1]
	}
	for i := range n {
		got = append(got, last+i+1)
	}
	return got
}
