package browser_test

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestWidgetIsNotFrozenByLongReplies(t *testing.T) {
	many := make([]object, 5000)
	for i := range many {
		many[i] = object{"button_type": "quick_reply", "label": "x", "value": "x", "imageUrl": "https://example.com/x.png"}
	}
	reply, err := json.Marshal(object{"reply": strings.Repeat("<b>x</b>\n\n", 4000), "buttons": many, "image_carousel": many})
	if err != nil {
		t.Fatal(err)
	}
	k := &stubKindly{replies: string(reply)}
	s := newSite(t, map[string]string{"/": optionsPage(`kindlyOptions = {getAuthToken: () => "` + fakeToken + `"}`)})
	p := visit(t, s.URL, k)
	k.settled(t, 1)
	const send = `(() => { const began = performance.now(); kindlyChat.openChat();
		return kindlyChat.sendMessage("hello").then(() => JSON.stringify({ms: performance.now() - began,
			bubbles: document.querySelectorAll("[data-sender=BOT]").length, buttons: document.querySelectorAll(".kindly-buttons button").length,
			text: document.querySelector("[role=log]").textContent.length})) })()`
	var got struct {
		MS            float64
		Bubbles, Text int
		Buttons       int
	}
	if err := json.Unmarshal([]byte(script(t, p, send)), &got); err != nil {
		t.Fatal(err)
	}
	if got.MS > 3000 {
		t.Errorf("it took %.0f ms", got.MS)
	}
	if got.Bubbles != 100 || got.Buttons != 100 || got.Text < 2000 {
		t.Errorf("%+v", got)
	}
}
