package console_test

import (
	"strings"
	"testing"
	"time"
)

// anonymous is a chat without a token.
func anonymous(id string) object {
	return object{"id": id, "bot_key": "demo", "created": time.Now(), "version": 1}
}

func TestAnOlderAnswerDoesNotReplaceANewerOne(t *testing.T) {
	f := newFake(t)
	p := visit(t, f.URL+"/")
	p.shows(".state", "Live")
	p.countAnswers()
	older := f.hold("GET /mock/v1/faults", func() { p.keys("f") })
	p.do(`document.getElementById("fault-refuse_tokens").click()`)
	p.shows(".faults", "refusing tokens")
	p.takes(older)
	if got := p.shows(".faults"); !strings.Contains(got, "refusing tokens") {
		t.Errorf("the button says %q", got)
	}
	if !eval[bool](p, `document.getElementById("fault-refuse_tokens").checked`) {
		t.Error("the switch is off")
	}
}

func TestInboxLearnsAfterAGapWhoIsAuthenticated(t *testing.T) {
	f := newFake(t)
	f.chats = []object{anonymous("c1")}
	p := visit(t, f.URL+"/inbox")
	p.shows("#list", "anonymous")
	p.shows(".state", "Live")
	f.change(func() {
		f.chats = []object{{"id": "c1", "bot_key": "demo", "created": time.Now(), "version": 2, "authenticated": true, "expires": time.Now().Add(time.Minute), "user": object{"name": "Ada"}}}
		f.missed++
	})
	p.shows("#list", "Ada", "authenticated")
}

func TestInboxTakesAChatsNewestState(t *testing.T) {
	f := newFake(t)
	f.chats = []object{anonymous("c1")}
	p := visit(t, f.URL+"/inbox")
	p.shows("#list", "anonymous")
	p.shows(".state", "Live")
	p.countAnswers()
	older := f.hold("GET /mock/v1/chats", func() { f.change(func() { f.missed++ }) })
	f.change(func() {
		f.chats = []object{{"id": "c1", "bot_key": "demo", "created": time.Now(), "version": 9, "refused": 1}}
	})
	f.happen(object{"kind": "token.refused", "bot": "demo", "chat": "c1", "token": object{}})
	p.shows("#list", "refused")
	p.takes(older)
	p.shows("#list", "refused")
}

func TestAResetDuringLoadLeavesNoGhosts(t *testing.T) {
	f := newFake(t)
	p := visit(t, f.URL+"/inbox")
	p.shows(".state", "Live")
	p.shows("#foot", "0 chats")
	p.countAnswers()
	f.change(func() { f.chats = []object{anonymous("ghost")} })
	ghosts := f.hold("GET /mock/v1/chats", func() { f.change(func() { f.missed++ }) })
	f.reset()
	f.change(func() { f.chats = []object{anonymous("alive")} })
	f.happen(object{"kind": "chat.created", "bot": "demo", "chat": "alive"})
	p.shows("#list", "alive")
	p.takes(ghosts)
	p.shows("#foot", "1 chat")
	if got := p.shows("#list"); strings.Contains(got, "ghost") {
		t.Errorf("the list shows %q", got)
	}
}

func TestAMockThatGoesOnCountingIsAnotherOne(t *testing.T) {
	f := newFake(t)
	f.happen(delivery("c1", 200, object{"webhook": "before"}))
	console, inbox := visit(t, f.URL+"/"), visit(t, f.URL+"/inbox")
	console.shows("#list", "before")
	inbox.shows(".state", "Live")
	f.change(func() { f.events, f.boot, f.version, f.faults["call_twice"] = nil, "boot2", 0, true })
	f.happen(delivery("c1", 200, object{"webhook": "after"}), delivery("c1", 200, object{"webhook": "later"}))
	f.CloseClientConnections()
	for _, p := range []tab{console, inbox} {
		p.shows(".faults", "calling twice")
	}
	console.shows("#foot", "2 events")
	if got := console.shows("#list", "later"); strings.Contains(got, "before") {
		t.Errorf("the list shows %q", got)
	}
}

func TestAResetWhileAwayIsNoticed(t *testing.T) {
	f := newFake(t)
	f.happen(delivery("c1", 200, object{"webhook": "before"}))
	p := visit(t, f.URL+"/")
	p.shows("#list", "before")
	f.mu.Lock() // nobody tells the streams
	f.events, f.resets = nil, 1
	f.mu.Unlock()
	f.CloseClientConnections()
	p.shows("#foot", "0 events")
}

func TestAnotherMocksEventIsNotTheOneThatWasOpen(t *testing.T) {
	f := newFake(t)
	f.happen(delivery("c1", 200, object{"webhook": "before"}))
	p := visit(t, f.URL+"/#/event/1?q=webhook")
	p.shows("#detail h1", "before")
	f.change(func() { f.events, f.boot, f.version = nil, "boot2", 0 })
	f.happen(delivery("c1", 200, object{"webhook": "after"}))
	f.CloseClientConnections()
	p.shows("#list", "after")
	p.shows("#detail", "Choose an event")
	if eval[bool](p, `document.body.classList.contains("opened") || document.querySelector("[aria-selected=true]") !== null || location.hash !== "#/?q=webhook"`) {
		t.Errorf("it is still chosen: %s", eval[string](p, "location.hash + document.body.className"))
	}
}
