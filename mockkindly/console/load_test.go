package console_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"
)

func itoa(n int) string { return strconv.Itoa(n) }

// Bounds of what the pages may put into the document, whatever there is to show.
const (
	maxRows     = 60
	maxElements = 800
)

func TestManyDeliveriesAndChatsStayUsable(t *testing.T) {
	const deliveries, chats = 100_000, 10_000
	f := newFake(t)
	batch := make([]object, deliveries)
	for i := range batch {
		batch[i] = object{"kind": "webhook.delivered", "chat": "c" + itoa(i%chats), "at": "2026-01-02T10:00:00Z",
			"delivery": object{"webhook": "hook-" + itoa(i%7), "status": 200, "with_token": true, "duration_ms": i % 50}}
	}
	f.happen(batch...)
	for i := range chats {
		f.chats = append(f.chats, object{"id": "c" + itoa(i), "bot_key": "demo", "created": "2026-01-02T10:00:00Z", "authenticated": true,
			"user": object{"sub": "u" + itoa(i), "name": "User " + itoa(i)}})
	}

	t.Run("console", func(t *testing.T) {
		p := visit(t, f.URL+"/")
		began := time.Now()
		p.shows("#foot", "100,000 events")
		t.Logf("all events are there after %v", time.Since(began).Round(time.Millisecond))
		p.isBounded()
		timed := func(what string, limit float64, js string) {
			t.Helper()
			// Until the frame after the one that was asked for.
			ms := eval[float64](p, `(async () => { const t = performance.now(); `+js+`; await new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r))); return performance.now() - t })()`)
			t.Logf("%s: %.0f ms", what, ms)
			if ms > limit {
				t.Errorf("%s took %.0f ms, over %.0f", what, ms, limit)
			}
			p.isBounded()
		}
		timed("to the oldest", 1000, `const l = document.getElementById("list"); l.scrollTop = l.scrollHeight`)
		p.shows("#list", "hook-0", "hook-1")
		timed("to the middle", 1000, `const l = document.getElementById("list"); l.scrollTop = l.scrollHeight / 2`)
		timed("filter", 2000, `const i = document.querySelector("input[type=search]"); i.value = "hook-3 200"; i.dispatchEvent(new Event("input"))`)
		p.shows("#foot", "14,286 of 100,000 events")
		p.keys("Escape")
	})
	t.Run("inbox", func(t *testing.T) {
		p := visit(t, f.URL+"/inbox")
		p.shows("#foot", "10,000 chats")
		p.isBounded()
		p.do(`const i = document.querySelector("input[type=search]"); i.value = "user 9999"; i.dispatchEvent(new Event("input"))`)
		p.shows("#foot", "1 of 10,000 chats")
		p.shows("#list", "User 9999")
	})
}

// frame waits until the page has drawn what it knows.
func (p tab) frame() {
	p.t.Helper()
	eval[bool](p, `new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(() => drawn(true))))`)
}

func (p tab) isBounded() {
	p.t.Helper()
	got := eval[[]int](p, `[document.querySelectorAll("[role=option]").length, document.querySelectorAll("*").length]`)
	if got[0] > maxRows || got[1] > maxElements {
		p.t.Errorf("%d rows and %d elements are in the document", got[0], got[1])
	}
}

func TestNothingFlickersWhileEventsCome(t *testing.T) {
	f := newFake(t)
	for i := range 200 {
		f.happen(delivery("c1", 200, object{"webhook": "old-" + itoa(i)}))
	}
	p := visit(t, f.URL+"/")
	p.shows("#foot", "200 events")
	// Somebody has scrolled down and reads: what they see must stay, element by element.
	p.do(`const l = document.getElementById("list"); l.scrollTop = 1400; window.watched = [];`)
	p.frame()
	p.do(`window.seen = document.elementFromPoint(200, 400).closest("[role=option]"); window.text0 = seen.innerText;
		new MutationObserver((all) => { for (const m of all) if (m.target.closest?.("[role=option]") === seen && m.attributeName !== "style" && !m.attributeName?.startsWith("aria")) watched.push(m.type + " " + m.attributeName) })
			.observe(document.getElementById("list"), {subtree: true, childList: true, characterData: true, attributes: true});
		window.frames = []; let last = performance.now(); (function tick(t) { frames.push(t - last); last = t; if (frames.length < 5000) requestAnimationFrame(tick) })(last);`)
	began := time.Now()
	sent := 0
	for time.Since(began) < 2*time.Second {
		for range 20 {
			f.happen(delivery("c1", 200, object{"webhook": "new-" + itoa(sent)}))
			sent++
		}
		p.frame()
	}
	p.shows("#foot", eval[string](p, fmt.Sprintf(`(%d).toLocaleString("en")`, 200+sent))+" events")
	got := eval[struct {
		Same, Text bool
		Watched    []string
		Frames     int
		Worst      float64
	}](p, `({Same: document.elementFromPoint(200, 400).closest("[role=option]") === seen, Text: seen.innerText === text0, Watched: watched, Frames: frames.length, Worst: Math.max(...frames)})`)
	t.Logf("%d events in 2 s, %d frames, the longest %.0f ms", sent, got.Frames, got.Worst)
	if !got.Same || !got.Text || len(got.Watched) > 0 {
		t.Errorf("what was read did not stay: %+v", got)
	}
	p.isBounded()
}
