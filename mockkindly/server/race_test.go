package server

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly"
)

// atOnce calls f n times at the same time.
func atOnce(n int, f func(i int)) {
	var all sync.WaitGroup
	begin := make(chan struct{})
	for i := range n {
		all.Go(func() { <-begin; f(i) })
	}
	close(begin)
	all.Wait()
}

func TestFaultsOfSeveralCallersAreAllKept(t *testing.T) {
	k := newMock(t, mockkindly.Options{})
	lost := 0
	for round := range 200 {
		slow, forward := round+1, round+2
		atOnce(2, func(i int) {
			body := fmt.Sprintf(`{"slow_ms":%d}`, slow)
			if i == 1 {
				body = fmt.Sprintf(`{"clock_forward_minutes":%d}`, forward)
			}
			if w := do(k, "PUT", "/mock/v1/faults", body); w.Code != 200 {
				t.Error(w.Code, w.Body)
			}
		})
		if f := k.Faults(); f.SlowMS != slow || f.ClockForwardMinutes != forward {
			lost++
		}
	}
	if lost > 0 {
		t.Errorf("%d of 200 times, one of two changes was lost", lost)
	}
}

func TestAnswersSayWhichStateTheyShow(t *testing.T) {
	k := newMock(t, mockkindly.Options{})
	state := func(w *httptest.ResponseRecorder) (boot string, resets, version int) {
		t.Helper()
		parts := strings.ReplaceAll(w.Header().Get("Kindlytest-State"), ".", " ")
		if _, err := fmt.Sscan(parts, &boot, &resets, &version); err != nil {
			t.Fatalf("%q: %v", parts, err)
		}
		return boot, resets, version
	}
	boot, _, before := state(do(k, "GET", "/mock/v1/faults", ""))
	_, _, changed := state(do(k, "PUT", "/mock/v1/faults", `{"slow_ms":1}`))
	_, _, same := state(do(k, "PUT", "/mock/v1/faults", `{"slow_ms":1}`))
	if changed <= before || same != changed {
		t.Errorf("versions: %d, %d, %d", before, changed, same)
	}
	chat := newChat(t, k)
	if _, err := k.Authenticate(chat.ID, "no token", mockkindly.InitialConnect); err != nil {
		t.Fatal(err)
	}
	if now, _ := k.Chat(chat.ID); now.Version <= chat.Version {
		t.Errorf("the chat's version was %d and is %d", chat.Version, now.Version)
	}
	if err := k.Reset(); err != nil {
		t.Fatal(err)
	}
	again, resets, _ := state(do(k, "GET", "/mock/v1/health", ""))
	other, _, _ := state(do(newMock(t, mockkindly.Options{}), "GET", "/mock/v1/health", ""))
	if again != boot || resets != 1 || other == boot {
		t.Errorf("boot %s, then %s after %d resets; of another mock %s", boot, again, resets, other)
	}
}

// A slowStore takes its time, as a disk does.
type slowStore struct{ memoryStore }

func (s *slowStore) Append(events []mockkindly.StoredEvent, chats []mockkindly.StoredChat) error {
	time.Sleep(time.Millisecond)
	return s.memoryStore.Append(events, chats)
}

func TestApplicationHasOneChatForAUser(t *testing.T) {
	k := newMock(t, mockkindly.Options{Store: &slowStore{}})
	const users, messages = 10, 4
	ids := make([]string, users*messages)
	atOnce(len(ids), func(i int) {
		w := do(k, "POST", "/api/v1/greet", fmt.Sprintf(`{"user_id":"u-%d"}`, i%users))
		var sent struct {
			ChatID string `json:"chat_id"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &sent); err != nil || sent.ChatID == "" {
			t.Errorf("%v %s", err, w.Body)
		}
		ids[i] = sent.ChatID
	})
	for i, id := range ids {
		if first := ids[i%users]; id != first {
			t.Errorf("u-%d has the chats %s and %s", i%users, first, id)
		}
	}
}

func TestStreamTellsAChatsState(t *testing.T) {
	k := newMock(t, mockkindly.Options{})
	server := httptest.NewServer(k)
	t.Cleanup(server.Close)
	chat, _ := authenticated(t, k)
	s := stream1(t, server.URL+"/mock/v1/stream?chats=true")
	name, id, data := s.next(t)
	var c struct {
		ID            string
		Authenticated bool
		Version       uint64
	}
	if err := json.Unmarshal([]byte(data), &c); err != nil || name != "chat" || id != "" || c.ID != chat.ID || !c.Authenticated || c.Version != chat.Version {
		t.Errorf("%s %s %s", name, id, data)
	}
	if _, id, _ := s.next(t); id != "1" {
		t.Errorf("then comes %s", id)
	}
}

func TestStreamAfterAResetHasNoGap(t *testing.T) {
	k := newMock(t, mockkindly.Options{})
	server := httptest.NewServer(k)
	t.Cleanup(server.Close)
	for range 3 {
		newChat(t, k)
	}
	if err := k.Reset(); err != nil {
		t.Fatal(err)
	}
	newChat(t, k)
	s := stream1(t, server.URL+"/mock/v1/stream?after=1")
	if name, id, data := s.next(t); name != "" || id != "4" {
		t.Errorf("%s %s %s", name, id, data)
	}
}
