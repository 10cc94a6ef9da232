package console_test

import (
	"maps"
	"strings"
	"testing"
	"time"
)

// foreign is what a target may say: markup, were it not text.
const foreign = `<img src=x onerror="document.title='taken'">`

func runOf(state string, change object) object {
	run := object{"id": "1", "state": state, "only": []string{}, "started": time.Now(), "duration_ms": 1200, "planned": 3, "running": []string{}, "summary": object{}}
	maps.Copy(run, change)
	return run
}

func rowOf(id, outcome string) object {
	return object{"id": id, "area": id[:strings.Index(id, "-")], "level": "MUST", "fidelity": "documented", "requirement": id + " holds.", "source": "https://docs.example/",
		"outcome": outcome, "broken": id + " does not hold.", "weak": false, "duration_ms": 12}
}

// reportOf is a report whose every text is foreign.
func reportOf() object {
	exchange := object{"at": time.Now(), "title": foreign, "request": object{"method": "POST", "url": "https://hooks.example.com/" + foreign, "headers": []object{{"name": foreign, "value": foreign}}, "body": foreign},
		"response": object{"status": 200, "headers": []object{}, "body": foreign}}
	failed := rowOf("TOK-EXP", "failed")
	for _, member := range []string{"reason", "expected", "actual", "fix", "repeat", "witness", "broken", "consequence", "source"} {
		failed[member] = foreign
	}
	failed["source"] = "javascript:document.title='taken'"
	failed["sample"] = object{"stack": foreign, "title": foreign, "code": foreign}
	failed["evidence"] = []object{exchange}
	return object{"schema": 2, "target": object{"page": "javascript:alert(1)", "endpoint": foreign, "webhooks": []object{{"name": foreign, "url": foreign}}}, "problem": foreign, "hint": foreign,
		"summary": object{"failed": 1, "passed": 1}, "notes": []object{{"level": "warned", "text": foreign}},
		"causes": []object{{"id": "exp-in-ms", "title": "Times are in milliseconds " + foreign, "consequence": foreign, "severity": "critical", "owner": foreign, "confirmed": true, "seen": foreign,
			"where": "https://a.example/" + foreign, "explains": []string{"TOK-EXP"}, "fix": foreign, "repeat": foreign}},
		"checks": []object{rowOf("TOK-ALG", "passed"), failed, rowOf("HOOK-EXPIRED", "skipped")}}
}

func TestChecksComeInLiveAndCausesFirst(t *testing.T) {
	f := newFake(t)
	p := visit(t, f.URL+"/checks")
	p.shows("#list", "not yet", "TOK-ALG", "HOOK-EXPIRED")
	p.shows(".state", "Live")

	f.tell("begin", runOf("running", nil))
	p.shows("#list", "Nothing failed so far")
	p.shows("#said", "A run has begun: all checks.")
	f.tell("check", rowOf("TOK-EXP", "failed"))
	f.tell("run", runOf("running", object{"running": []string{"HOOK-EXPIRED"}, "summary": object{"failed": 1}}))
	p.shows("#list", "1 failed so far", "TOK-EXP does not hold.", "running")
	p.shows(".meter", "1 of 3")
	if eval[bool](p, `document.querySelector(".go").offsetWidth > 0`) {
		t.Error("another run can be begun beside it")
	}
	t.Run("a row that is looked at grows when more is known", func(t *testing.T) {
		p.do(`location.hash = "#/check/TOK-EXP"`)
		p.shows("#detail", "TOK-EXP does not hold.")
	})
	f.change(func() { f.report = reportOf() })
	f.tell("run", runOf("done", object{"verdict": "FAILED", "sentence": "Not safe to go live.", "summary": object{"failed": 1, "passed": 1}}))
	p.shows("#said", "FAILED. Not safe to go live.")
	p.shows("#detail", "What was exchanged", "The mistake behind it", "<img src=x")
	p.shows("#list", "critical", "Times are in milliseconds", "1 failed, 1 passed")

	t.Run("what a target said is text", func(t *testing.T) {
		p.do(`document.querySelector(".symptoms a").click()`)
		p.shows("#detail", "It explains 1 check", "<img src=x", "exp-in-ms")
		p.do(`location.hash = "#/result"`)
		p.shows("#detail", "What to add", "No private key was given", "javascript:alert(1)")
		if eval[bool](p, `document.title === "taken" || document.querySelectorAll("main img, main script, a[href^=javascript]").length > 0`) {
			t.Error("it became markup, or a link that runs")
		}
	})
	t.Run("by the keyboard", func(t *testing.T) {
		p.do(`document.querySelector(".back").click(); document.activeElement.blur()`)
		p.keys("j") // from the result, which was open
		p.shows("#detail", "Times are in milliseconds")
		if got := eval[string](p, `decodeURIComponent(location.hash)`); !strings.HasPrefix(got, "#/cause/exp-in-ms at https://a.example/") {
			t.Errorf("the address is %s", got)
		}
		p.do(`document.querySelector("[data-group=passed]").click()`)
		p.shows("#foot", "1 of 3 checks")
		p.do(`document.querySelector("[data-group=all]").click()`)
	})
	p.isQuiet()
	t.Run("who comes back sees the same", func(t *testing.T) {
		f.CloseClientConnections()
		p.shows(".state", "Live")
		p.shows("#list", "critical")
	})
}

func TestAMockWithoutChecksSaysSo(t *testing.T) {
	mock, _ := newMock(t)
	p := visit(t, mock+"/checks")
	p.shows("#detail", "kindlytest serve does")
	p = visit(t, mock+"/")
	p.shows(".state", "Live")
	if eval[int](p, `document.querySelector("nav a[href='/checks']").offsetWidth`) != 0 {
		t.Error("the bar leads to a page without checks")
	}
}

// What happens in a chat leads to the checks that would fail for it.
func TestConsoleAndInboxSayWhatRunWouldSay(t *testing.T) {
	f := newFake(t)
	happened := delivery("c1", 500, object{"problems": []object{{"id": "TOK-ALG", "level": "MUST", "path": "reply", "expected": "a", "actual": "b", "fix": "c"}}})
	happened["breaks"] = []string{"HOOK-EXPIRED", "NOT-KNOWN"}
	callback := object{"kind": "callback.settled", "bot": "demo", "chat": "c1", "breaks": []string{"TOK-EXP"}, "callback": object{"phase": "settled", "outcome": "threw", "fix": "Handle the errors."}}
	f.chats = []object{{"id": "c1", "bot_key": "demo", "created": time.Now(), "context": object{}, "contacts": []object{}, "refusals": []object{}}}
	f.happen(callback, happened)
	p := visit(t, f.URL+"/#/event/2")
	p.shows("#list", "HOOK-EXPIRED NOT-KNOWN", "TOK-EXP")
	p.shows("#detail", "What kindlytest run would say", "HOOK-EXPIRED does not hold.", "Bad.", "Mend it.", "kindlytest explain NOT-KNOWN")
	links := `[...document.querySelectorAll("#detail .violations code a")].map((a) => a.getAttribute("href")).join(" ")`
	if !p.becomes(links + ` === "/checks#/check/HOOK-EXPIRED /checks#/check/TOK-ALG"`) {
		t.Errorf("the links lead to %s", eval[string](p, links))
	}
	p.isQuiet()
	p.screenshots("advice")
	p = visit(t, f.URL+"/inbox#/chat/c1")
	p.shows("#detail", "Handle the errors.", "What kindlytest run would say", "TOK-EXP does not hold.", "HOOK-EXPIRED")
	p.isQuiet()
	p = visit(t, f.URL+eval[string](p, `document.querySelector("#detail .violations a").getAttribute("href")`))
	p.shows("#list", "not yet", "TOK-EXP")
	p.shows("#detail", "TOK-EXP", "Run this check")
	p.isQuiet()
	p.screenshots("advice-check")
}
