package browser

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// A Presence is whether a chat client would find the page's callback now.
type Presence struct {
	Callback string // typeof getAuthToken; "undefined" if there is none
	Options  bool   // there is an options object at all
	Client   bool   // the chat client is still on the page
	URL      string // of the document
	// Promise says that what stands in its place is a promise. Elsewhere is where a
	// function stands that may be meant instead: "window.getAuthToken"; "" if none.
	Promise   bool
	Elsewhere string
}

const readPresence = `() => {
	const kind = (v) => v === null ? "null" : typeof v;
	const owner = [window.kindlyOptions, window.kindlySettings].find((o) => o?.getAuthToken != null);
	const functions = (o, at, like) => o === null || typeof o !== "object" ? [] :
		Object.keys(o).filter((name) => like.test(name) && typeof o[name] === "function").map((name) => at + "." + name.slice(0, 40));
	const elsewhere = () => { try { return lookElsewhere(); } catch { return ""; } }; // its members are the page's, and may throw
	const lookElsewhere = () => {
		const options = window.kindlyOptions ?? window.kindlySettings;
		const found = functions(options, "window.kindlyOptions", /token|jwt/i);
		const within = (o, at) => Object.keys(o ?? {}).forEach((name) => found.push(...functions(o[name], at + "." + name.slice(0, 40), /^getAuthToken$/i)));
		if (typeof options === "object") within(options, "window.kindlyOptions");
		const others = Object.keys(window).filter((name) => /kindly/i.test(name) && window[name] !== options);
		within(Object.fromEntries(others.map((name) => [name, window[name]])), "window");
		return [...found, ...functions(window, "window", /^getAuthToken$/i)][0] ?? "";
	};
	return {
		Promise: typeof owner?.getAuthToken?.then === "function", Elsewhere: typeof owner?.getAuthToken === "function" ? "" : elsewhere(),
		Callback: kind(owner?.getAuthToken), Options: window.kindlyOptions != null || window.kindlySettings != null,
		Client: window[Symbol.for("kindlytest.widget")]?.alive?.() === true, URL: location.href,
	};
}`

// Presence looks whether the callback is there, in the page or in the frame that
// has it.
func (p *Page) Presence(ctx context.Context) (Presence, error) {
	found, err := evaluateThere[Presence](ctx, p, readPresence)
	if err != nil {
		return Presence{}, fmt.Errorf("looking for getAuthToken in the page: %w", err)
	}
	return found, nil
}

// putCallback gives the chat client the callback that a page means it to have, and has
// put where nobody looks. It says whether there is one then.
const putCallback = `(meant) => {
	const found = () => [window.kindlyOptions, window.kindlySettings].some((o) => typeof o?.getAuthToken === "function");
	if (found()) return true;
	const path = meant.split(".").slice(1), name = path.pop();
	let owner = path.reduce((o, member) => o?.[member], window), member = name;
	if (!/^get/i.test(name ?? "") || typeof owner?.[name] !== "function") [owner, member] = [typeof kindlyOptions === "object" ? kindlyOptions : null, "getAuthToken"];
	if (typeof owner?.[member] !== "function") return false;
	const options = window.kindlyOptions ?? window.kindlySettings;
	const getAuthToken = (...args) => owner[member](...args);
	if (typeof options === "object" && options !== null) options.getAuthToken = getAuthToken;
	else window.kindlyOptions = { getAuthToken };
	return found();
}`

// PutCallback puts the function that a page means for its callback in the callback's
// place, where one can be told: under another name, or in a variable that is not on
// window. It says whether a chat client would find a callback then.
func (p *Page) PutCallback(ctx context.Context) (bool, error) {
	here, err := p.Presence(ctx)
	if err != nil || here.Callback == "function" {
		return err == nil, err
	}
	there, err := evaluateThere[bool](ctx, p, putCallback, here.Elsewhere)
	if err != nil {
		return false, fmt.Errorf("putting getAuthToken in its place: %w", err)
	}
	return there, nil
}

// routeLinks are addresses that the page's own router may know: what it links
// to on its own origin, without what may log the user out or change something.
const routeLinks = `() => {
	const out = [];
	const risky = /log-?_?out|sign-?_?out|exit|delete|remove|cancel|unsubscribe|quit|logg-?ut|avmeld/i;
	for (const a of document.querySelectorAll("a[href]")) {
		if (a.origin !== location.origin || a.hasAttribute("download") || a.target && a.target !== "_self") continue;
		if (a.pathname === location.pathname || risky.test(a.href + " " + a.textContent) || /\.\w{2,5}$/.test(a.pathname)) continue;
		if (!out.includes(a.href)) out[out.length] = a.href;
		if (out.length === 2) break;
	}
	return out;
}`

// routeTo lets the page's router believe that the user went there, as its own
// links and the browser's buttons do. Nothing is clicked, and nothing is loaded
// unless the router does so.
const routeTo = `(to) => {
	if (to.startsWith("#")) { location.hash = to; return true; }
	history.pushState(history.state, "", to);
	window.dispatchEvent(new PopStateEvent("popstate", { state: history.state }));
	return true;
}`

const routeBack = `() => { history.back(); return true; }`

// routePause is how long a router may take to show another route.
const routePause = 150 * time.Millisecond

// Wander goes to other routes of the page, within its document: to two that it
// links to, to a hash, and back again. After each it says what became of the
// callback. It ends early once the page has left its document: then the new one
// is another page.
func (p *Page) Wander(ctx context.Context) ([]Presence, error) {
	links, err := evaluate[[]string](ctx, p, routeLinks)
	if err != nil {
		return nil, fmt.Errorf("looking for the page's routes: %w", err)
	}
	steps := []func() error{}
	for _, to := range append(links, "#chat") {
		steps = append(steps, func() error { _, err := evaluate[bool](ctx, p, routeTo, to); return err })
	}
	steps = append(steps, func() error { _, err := evaluate[bool](ctx, p, routeBack); return err })
	p.mu.Lock()
	document := p.doc.number
	p.mu.Unlock()
	var seen []Presence
	for _, step := range steps {
		if err := step(); err != nil {
			return seen, nil // the page went elsewhere: another document
		}
		p.waitQuiet(ctx, routePause, 4*routePause)
		p.mu.Lock()
		left := p.doc.number != document
		p.mu.Unlock()
		here, err := p.Presence(ctx)
		if left || err != nil {
			return seen, ctx.Err()
		}
		seen = append(seen, here)
	}
	return slices.Clip(seen), nil
}
