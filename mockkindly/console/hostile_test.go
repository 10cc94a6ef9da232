package console_test

import (
	"strings"
	"testing"
	"time"
)

// evil wants to become markup or a link that runs code, wherever it gets to.
const evil = `"><img src=x onerror="pwned()"><svg onload=pwned()><script>pwned()</script><a href="javascript:pwned()">x</a>{{constructor}}`

// everywhere puts evil in the place of every string of a JSON value, but for
// those that the page's own logic reads.
func everywhere(v any) any {
	switch v := v.(type) {
	case string:
		return evil
	case []string:
		out := []any{}
		for range v {
			out = append(out, evil)
		}
		return out
	case []object:
		out := []any{}
		for _, o := range v {
			out = append(out, everywhere(o))
		}
		return out
	case object:
		out := object{}
		for name, value := range v {
			switch name {
			case "kind", "chat", "id", "at", "created", "expires", "issued", "last_seen", "field", "sub":
				out[name] = value
			case "token":
				if _, isReport := value.(object); !isReport {
					out[name] = shownToken(object{"sub": evil, "name": evil, "email": evil, "iat": evil, "exp": evil, evil: evil})
					continue
				}
				out[name] = everywhere(value)
			default:
				out[name] = everywhere(value)
			}
		}
		return out
	default:
		return v
	}
}

func TestNothingForeignBecomesMarkup(t *testing.T) {
	f := newFake(t)
	now := time.Now()
	events := append(visitOf("c1"), delivery("c1", 500, object{
		"error": "x", "answer_error": "x", "context_error": "x", "token_state": "x", "resend_of": 3, "dialogue": "x", "exchange_slug": "x", "url": "x",
		"problems": []object{violation()}, "buttons": []object{{"button_type": "link", "label": "x", "value": "x"}},
		"image_carousel": []object{{"imageUrl": "x", "title": "x"}},
	}), object{"kind": "dialogue.matched", "chat": "c1", "dialogue": object{"slug": "x", "by": "x", "phrase": "x", "bubbles": []string{"x"}}},
		object{"kind": "nobody.knows", "chat": "c1", "what": "x"})
	for i, e := range events {
		events[i] = everywhere(e).(object)
	}
	f.happen(events...)
	links := delivery("c1", 200, object{"url": "javascript:pwned()", "image_carousel": []object{{"imageUrl": "data:text/html,<script>pwned()</script>", "title": "x"}}})
	f.happen(links)
	user := object{"sub": evil, "name": evil, "email": evil, "picture": "javascript:pwned()"}
	contacts := []object{{"field": "email", "value": evil, "verified": true, "stored": true, "stored_value": evil + "2", "why": evil}}
	f.chats = []object{{"id": "c1", "bot_key": evil, "user_id": evil, "source": evil, "created": now, "web_url": "javascript:pwned()", "authenticated": true, "user": user, "expires": now,
		"token": shownToken(object{"sub": evil, "iat": now.Unix(), "exp": now.Unix() + 9}), "token_life": object{"issued": now, "expires": now.Add(time.Minute)},
		"webhook_domains": []string{evil}, "context": object{evil: evil}, "contacts": contacts, "refused": 1,
		"refusals": []object{{"at": now, "reason": evil, "violations": []object{everywhere(violation()).(object)}, "unjudged": []object{{"id": evil, "reason": evil}}}}}}
	f.users = []object{{"sub": evil, "name": evil, "picture": "javascript:pwned()", "contacts": contacts, "chats": 1, "last_chat": evil, "last_seen": now}}

	t.Run("console", func(t *testing.T) {
		p := visit(t, f.URL+"/")
		p.shows("#foot", "13 events")
		for seq := range len(events) + 1 {
			p.do(`location.hash = "#/event/` + itoa(seq+1) + `"`)
			p.shows("#detail", "#"+itoa(seq+1)+" ·")
			p.isHarmless()
		}
	})
	t.Run("inbox", func(t *testing.T) {
		p := visit(t, f.URL+"/inbox#/chat/c1")
		p.shows("#detail", "Conversation", "onerror")
		p.do(`document.querySelectorAll("details").forEach((d) => { d.open = true })`)
		p.isHarmless()
		p.keys("u")
		p.shows("#list", "onerror")
		p.do(`document.querySelector("[role=option]:not([hidden])").click()`)
		p.shows("#detail", "The last one")
		p.isHarmless()
	})
	t.Run("deep links", func(t *testing.T) {
		for _, page := range []string{"/", "/inbox"} {
			p := visit(t, f.URL+page)
			for _, hash := range []string{"#/event/" + strings.Repeat("9", 400), "#/event/%E0%A4%A", "#/chat/%3Cimg%20src%3Dx%20onerror%3Dpwned()%3E?q=%3Cimg%20src=x%20onerror=pwned()%3E", "#/__proto__/constructor?kind=__proto__"} {
				p.do("location.hash = `" + hash + "`")
				p.shows(".state", "Live")
				p.isHarmless()
			}
		}
	})
}

// isHarmless fails if anything ran, was loaded, or could be with a click.
func (p tab) isHarmless() {
	p.t.Helper()
	found := eval[[]string](p, `[...document.querySelectorAll("main *, dialog *")].flatMap((e) => [
		/^(SCRIPT|IMG|SVG|IFRAME|OBJECT|EMBED|STYLE|LINK|BASE|META)$/i.test(e.nodeName) ? e.nodeName : "",
		e.namespaceURI !== "http://www.w3.org/1999/xhtml" ? e.namespaceURI : "",
		...[...e.attributes].filter((a) => a.name.startsWith("on") || a.name === "src" || a.name === "srcdoc" || a.name === "formaction").map((a) => e.nodeName + " " + a.name),
		e.nodeName === "A" && !/^https?:$/.test(e.protocol) ? e.href : "",
	]).filter(Boolean)`)
	if len(found) > 0 {
		p.t.Errorf("in the page: %q", found)
	}
	for _, q := range p.Record().Requests {
		if !strings.HasPrefix(q.URL, "http://127.0.0.1:") {
			p.t.Errorf("the page asked for %s", q.URL)
		}
	}
	rec := p.Record()
	if len(rec.CSP)+len(rec.Exceptions) > 0 {
		p.t.Errorf("the page had to be stopped: %v %v", rec.CSP, rec.Exceptions)
	}
}
