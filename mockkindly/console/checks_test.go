package console_test

import (
	"strings"
	"testing"
	"time"
)

// foreign is what a target may say: markup, were it not text.
const foreign = `<img src=x onerror="document.title='taken'">`

func runOf(state string, change object) object {
	run := object{"id": "1", "state": state, "only": []string{}, "started": time.Now(), "duration_ms": 1200, "planned": 3, "running": []string{}, "summary": object{}}
	for k, v := range change {
		run[k] = v
	}
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
	f.checks = []object{{"schema": 2, "checks": []object{}, "summary": object{}}}
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
	f.change(func() { f.checks = []object{reportOf()} })
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
}
