package mockkindly

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// hostile are JSON values that take the most memory for their length.
var hostile = map[string]func(length int) string{
	"empty objects":     func(n int) string { return list("{}", n) },
	"empty lists":       func(n int) string { return list("[]", n) },
	"small objects":     func(n int) string { return list(`{"":0}`, n) },
	"nested lists":      func(n int) string { return list("[[[[]]]]", n) },
	"numbers":           func(n int) string { return list("1", n) },
	"objects of nine":   func(n int) string { return list(`{"a":0,"b":0,"c":0,"d":0,"e":0,"f":0,"g":0,"h":0,"i":0}`, n) },
	"one object":        func(n int) string { return members(n) },
	"one long text":     func(n int) string { return `"` + strings.Repeat("x", n-2) + `"` },
	"many short texts":  func(n int) string { return list(`""`, n) },
	"texts of one byte": func(n int) string { return list(`"x"`, n) },
}

func list(item string, length int) string {
	return "[" + strings.Repeat(item+",", (length-2-len(item))/(len(item)+1)) + item + "]"
}

func members(length int) string {
	var b strings.Builder
	b.WriteString("{")
	for i := 0; b.Len() < length-20; i++ {
		fmt.Fprintf(&b, `"%x":0,`, i)
	}
	b.WriteString(`"":0}`)
	return b.String()
}

// TestMemoryIsCounted compares what is counted with what the heap grows by.
func TestMemoryIsCounted(t *testing.T) {
	for name, shape := range hostile {
		t.Run(name, func(t *testing.T) {
			text := []byte(shape(60_000))
			const times = 10
			kept := make([]any, times)
			before, counted := inUse(), 0
			for i := range kept {
				if err := json.Unmarshal(text, &kept[i]); err != nil {
					t.Fatal(err)
				}
				counted += jsonSize(kept[i])
			}
			used := inUse() - before
			clear(kept)
			if counted < used*7/10 || // the race detector takes some
				counted > used*25/10 {
				t.Errorf("%d KB are counted, %d KB are in use", counted>>10, used>>10)
			}
		})
	}
}

// A foreign page can make chats and write messages, as any page can: it cannot
// make the mock take more memory than it is allowed to.
func TestForeignPagesCannotExhaustTheMemory(t *testing.T) {
	const budget = 2 << 20 // each of chats and journal
	for name, attack := range map[string]func(t *testing.T, k *Kindly, chat, value string){
		"by contexts": func(t *testing.T, k *Kindly, chat, value string) {
			var collected any
			_ = json.Unmarshal([]byte(value), &collected)
			_, _ = k.Say(t.Context(), chat, Message{Text: "x", Context: map[string]any{"a": collected}})
		},
		"by tokens": func(t *testing.T, k *Kindly, chat, value string) {
			c := claims(chat, k.Now(), "hooks.example.com")
			c["more"] = json.RawMessage(value)
			_, _ = k.Authenticate(chat, sign(c), Expired)
		},
		"by domains": func(t *testing.T, k *Kindly, chat, value string) {
			raw := sign(claims(chat, k.Now(), strings.Split(strings.Repeat("a,", len(value)/5), ",")...))
			_, _ = k.Authenticate(chat, raw, Expired)
		},
		"by reports": func(t *testing.T, k *Kindly, _, value string) {
			x := strings.Repeat("x", maxReport)
			_, _ = k.ReportClient(ClientReport{BotKey: x, Build: x, ScriptID: x, ScriptSrc: x, Options: x, Callback: x, PageURL: x})
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := newMock(t, Options{ChatBytes: budget, JournalBytes: budget})
			before := inUse()
			for range 3 {
				for _, shape := range hostile {
					attack(t, k, newChat(t, k).ID, shape(40_000))
				}
			}
			if used := inUse() - before; used > 3*budget {
				t.Errorf("%d MB are in use", used>>20)
			}
			if len(k.Chats(0)) == 0 {
				t.Error("no chat is left")
			}
		})
	}
}

func TestAnswersOfWebhooksCannotExhaustTheMemory(t *testing.T) {
	const budget = 2 << 20
	shapes := []string{}
	for _, shape := range hostile {
		v := shape(60_000)
		shapes = append(shapes, `{"new_context":{"a":`+v+`}}`, `{"aiReply":{"data":`+v+`}}`)
	}
	shapes = append(shapes, `{"buttons":`+list("{}", 60_000)+`}`, `{"image_carousel":`+list("{}", 60_000)+`}`,
		`{"reply":"`+strings.Repeat(`a\n\n`, 12_000)+`"}`)
	next := 0
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for i := range 200 {
			w.Header().Set(fmt.Sprint("X-", i), "")
		}
		_, _ = w.Write([]byte(shapes[next%len(shapes)]))
		next++
	}))
	t.Cleanup(h.Close)
	k := newMock(t, Options{ChatBytes: budget, JournalBytes: budget}, Webhook{URL: h.URL})
	before := inUse()
	for range 3 * len(shapes) {
		say(t, k, newChat(t, k).ID)
	}
	if used := inUse() - before; used > 3*budget {
		t.Errorf("%d MB are in use", used>>20)
	}
}

func TestTheOldestChatsGoWhenMemoryIsShort(t *testing.T) {
	k := newMock(t, Options{ChatBytes: 1 << 20})
	first := newChat(t, k)
	for range 100 {
		c := newChat(t, k)
		if err := k.collect(c.ID, map[string]any{"a": strings.Repeat("x", 60_000)}); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := k.Chat(first.ID); ok {
		t.Error("the oldest chat is still there")
	}
	if n := len(k.Chats(0)); n < 10 || n > 17 {
		t.Errorf("%d chats are kept", n)
	}
}
