package console_test

import (
	"net/http"
	"strings"
	"testing"
)

const sayHello = `document.querySelector(".kindly-form input").value = "hello"; document.querySelector(".kindly-form").requestSubmit()`

// A mock that is started anew knows no chat of before: the page's chat makes another,
// as the same user, and nothing is lost.
func TestTheChatComesBackAfterTheMock(t *testing.T) {
	mock, c, restart := newMortalMock(t)
	shop := visit(t, c.page.URL+"/")
	shop.shows(".kindly-bubble")
	shop.do(`document.querySelector(".kindly-bubble").click()`)
	shop.shows(".kindly-head", "Authenticated as Ada Lovelace")
	for i := range 2 {
		restart()
		shop.do(sayHello)
		shop.becomes(`document.querySelector(".kindly-log").innerText.split("Your order is on its way").length === ` + []string{"2", "3"}[i])
		if log := shop.shows(".kindly-log", "hello"); strings.Contains(log, "not delivered") || strings.Count(log, "Your order is on its way") != i+1 {
			t.Fatalf("after restart %d:\n%s", i+1, log)
		}
		shop.shows(".kindly-head", "Authenticated as Ada Lovelace")
		if !strings.HasPrefix(c.hooked(i).Get("Authorization"), "Bearer ") {
			t.Error("the token did not go along")
		}
	}
	p := visit(t, mock+"/inbox")
	p.shows("#list", "Ada Lovelace", "hello")
}

// A page without data-bot-key has no chat, and the console says why.
func TestTheConsoleSaysWhyThereIsNoChat(t *testing.T) {
	f := newFake(t)
	f.happen(object{"kind": "client.started", "client": object{"bot_key": "", "page_url": "https://shop.example/"}})
	p := visit(t, f.URL+"/")
	p.shows("#list", "No chat: the script has no data-bot-key", "https://shop.example/")
	p.do(`location.hash = "#/event/1"`)
	p.shows("#detail", "There is no chat.", `Add data-bot-key="YOUR-BOT-KEY" to it (PAGE-WIDGET).`)
}

// Where nothing has happened yet, the pages show what makes it happen.
func TestEmptyPagesShowTheScriptTag(t *testing.T) {
	f := newFake(t)
	for _, path := range []string{"/", "/inbox"} {
		p := visit(t, f.URL+path)
		p.shows(".begin", `<script id="kindly-chat" src="`+f.URL+`/kindly-chat.js" data-bot-key="YOUR-BOT-KEY" defer></script>`)
		p.screenshots("empty" + strings.ReplaceAll(path, "/", "-"))
		f.happen(object{"kind": "chat.created", "bot": "demo", "chat": "c1"})
		if !p.becomes(`document.querySelector(".begin").hidden`) {
			t.Errorf("%s still shows it", path)
		}
		f.reset()
	}
}

// Chats of one user are told apart by what was said last, and by what is new.
func TestRowsOfOneUserDiffer(t *testing.T) {
	f := newFake(t)
	user := object{"sub": "u1", "name": "Ada"}
	for _, id := range []string{"c1", "c2"} {
		f.chats = append(f.chats, object{"id": id, "bot_key": "demo", "created": "2026-01-01T10:00:00Z", "version": 1, "authenticated": true, "expires": "2099-01-01T10:00:00Z", "user": user})
		f.happen(object{"kind": "message.received", "bot": "demo", "chat": id, "message": object{"text": "hello from " + id}})
	}
	p := visit(t, f.URL+"/inbox")
	p.shows("#list", "hello from c1", "hello from c2")
	f.happen(object{"kind": "message.received", "bot": "demo", "chat": "c1", "message": object{"text": "again"}},
		object{"kind": "message.received", "bot": "demo", "chat": "c1", "message": object{"text": "and again"}})
	p.shows("#list", "2 new · and again", "hello from c2")
	p.screenshots("inbox-new")
	p.do(`location.hash = "#/chat/c1"`)
	if !p.becomes(`!document.querySelector("#list").innerText.includes("new ·")`) {
		t.Error("it is new still, though somebody looks at it")
	}
}

// What a reset, or another mock, has ended stands in the bar no longer.
func TestAResetEndsTheFaultsInTheBar(t *testing.T) {
	mock, _, restart := newMortalMock(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, mock+"/mock/v1/faults", strings.NewReader(`{"refuse_tokens": true}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatal(res, err)
	}
	res.Body.Close()
	p := visit(t, mock+"/")
	p.shows(".faults", "Faults: refusing tokens")
	restart()
	if !p.becomes(`document.querySelector(".faults").innerText === "Faults"`) {
		t.Error(p.shows(".faults"))
	}
}
