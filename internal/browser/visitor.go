package browser

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/chromedp/cdproto/cdp/jsonv2"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
)

// A Deed is one thing that a visitor did on a page. What was typed is not in it.
type Deed struct {
	Kind     string // "click", "fill" or "press"
	Selector string // as steps take it; "" for what it does not reach
	Within   string // the selector in a frame of another origin, whose place in the page nobody tells
	Field    string // of "fill": "user", "password", "code", or its name
	Chosen   string // of "fill": what was chosen of a list, or "true" and "false" of a box
	Key      string // of "press"
	URL      string // of the document, without its query
}

// maxDeeds and maxDeed (bytes) bound what a page can make of a visit.
const (
	maxDeeds = 200
	maxDeed  = 4 << 10
)

const (
	deedWorld   = "kindlytest visitor" // where the page's scripts see nothing of it
	deedBinding = "visitorDid"
)

// watchDeeds tells of trusted events only: of what a person did, not a script. A
// field is told when it is left, by whatever; Enter, which ends a form, is told in
// place of the click that browsers make of it.
const watchDeeds = `(() => {
	` + selectorOf + `
	const found = (e) => {
		const s = place(e), root = e.getRootNode();
		return root.host && e.ownerDocument.querySelector(s) ? "" : s; // a shadow tree has no name
	};
	const frame = (w) => { // with those that it is in; null in one of another origin
		if (w === top) return "";
		const around = w.frameElement && frame(w.parent);
		return typeof around === "string" && found(w.frameElement) ? around + found(w.frameElement) + " >>> " : null;
	};
	const reach = (e) => {
		const s = found(e), at = frame(window);
		return at === null ? {Within: s} : {Selector: s && at + s};
	};
	const here = () => { try { return top.location.pathname && top.location; } catch { return location; } };
	const tell = (deed) => { const {origin, pathname} = here(); visitorDid(JSON.stringify({...deed, URL: origin + pathname})); };
	const typed = (e) => e.isContentEditable || e.tagName === "TEXTAREA" || e.tagName === "INPUT" && !["checkbox", "radio", "button", "submit", "reset", "image", "file", "hidden"].includes(e.type);
	const kind = (e) => {
		const hint = [e.id, e.name, e.autocomplete, e.placeholder].join(" ");
		if (e.type === "password") return "password";
		if (e.autocomplete === "one-time-code" || /\b(otp|totp|mfa|2fa)/i.test(hint) || /^#?(code|passcode|pin)$/i.test(e.id || e.name)) return "code";
		if (e.type === "email" || /user|mail|login|account|identifier/i.test(hint)) return "user";
		return String(e.name || e.id || "field").slice(0, 40);
	};
	const dirty = new Set();
	const flush = () => {
		for (const e of dirty) tell({Kind: "fill", ...(e.isConnected ? reach(e) : e.visitorReach), Field: kind(e)});
		dirty.clear();
	};
	let entered = false;
	const on = (name, f) => addEventListener(name, (ev) => { if (ev.isTrusted) f(ev.composedPath()[0] ?? ev.target, ev); }, {capture: true, passive: true});
	on("input", (e) => { if (typed(e)) { e.visitorReach ??= reach(e); dirty.add(e); } });
	on("change", (e) => {
		if (typed(e)) return flush();
		const box = e.type === "checkbox" || e.type === "radio";
		if (box || e.tagName === "SELECT") tell({Kind: "fill", ...reach(e), Field: kind(e), Chosen: String(box ? e.checked : e.value).slice(0, 200)});
	});
	on("keydown", (e, ev) => {
		if (ev.key !== "Enter" || e.tagName !== "INPUT" || !typed(e)) return;
		flush();
		tell({Kind: "press", ...reach(e), Key: "Enter"});
		entered = true;
		setTimeout(() => { entered = false; });
	});
	on("click", (e, ev) => {
		if (entered && ev.detail === 0 || typed(e) || e.tagName === "SELECT" || e.tagName === "OPTION" || e.type === "checkbox" || e.type === "radio" || e.closest?.("label")?.control) return;
		flush();
		e = e.closest?.("button, a, input, summary, [role=button], [role=link], [role=tab], [role=menuitem], [role=option], [onclick]") ?? e;
		if (e !== document.documentElement && e !== document.body) tell({Kind: "click", ...reach(e)});
	});
	addEventListener("pagehide", flush, true);
})()`

// Accompany opens a page like Visit, and calls told with what a visitor does there,
// in order, until the tab is closed; told must not block.
func (u *User) Accompany(ctx context.Context, rawURL string, kindly http.Handler, told func(Deed)) (*Page, error) {
	p, err := u.newPage(ctx, pageOptions{kindly: kindly, watched: true})
	if err != nil {
		return nil, err
	}
	if err := p.watchVisitor(ctx, told); err != nil {
		return nil, errors.Join(fmt.Errorf("watching the visitor: %w", err), p.Close())
	}
	if err := p.open(ctx, rawURL); err != nil && !p.asksWho(ctx, err) {
		return nil, errors.Join(fmt.Errorf("opening %s: %w", withoutQuery(rawURL), err), p.Close())
	}
	return p, nil
}

func (p *Page) watchVisitor(ctx context.Context, told func(Deed)) error {
	n := 0 // events come one after the other
	p.tells(deedBinding, func(payload string) {
		var d Deed
		if n++; n <= maxDeeds && json.Unmarshal([]byte(payload), &d) == nil {
			told(d)
		}
	})
	return errors.Join(p.watchDeeds(ctx, p.session)...)
}

// watchDeeds watches in a session of the page: its own, or a frame's.
func (p *Page) watchDeeds(ctx context.Context, s *session) []error {
	script := page.AddScriptToEvaluateOnNewDocumentParams{Source: watchDeeds, WorldName: deedWorld}
	answers := []promise{
		tell(ctx, s, page.Enable, page.EnableParams{}),
		tell(ctx, s, runtime.AddBinding, runtime.AddBindingParams{Name: deedBinding, ExecutionContextName: deedWorld}),
		tell(ctx, s, page.AddScriptToEvaluateOnNewDocument, script),
	}
	var errs []error
	for _, a := range answers {
		errs = append(errs, a.wait(ctx, nil))
	}
	return errs
}

// tells lets scripts of ours call a function by a binding's name.
func (p *Page) tells(binding string, f func(payload string)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.told == nil {
		p.told = map[string]func(string){}
	}
	p.told[binding] = f
}

// onTold takes what a script of ours tells.
func (p *Page) onTold(params jsonv2.Value) {
	ev, ok := decodeEvent[runtime.EventBindingCalled](params)
	if !ok || len(ev.Payload) > maxDeed || !strings.HasPrefix(ev.Payload, "{") {
		return
	}
	p.mu.Lock()
	told := p.told[ev.Name]
	p.mu.Unlock()
	if told != nil {
		told(ev.Payload)
	}
}
