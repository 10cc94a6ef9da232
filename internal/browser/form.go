package browser

import (
	"context"
	"fmt"
)

// A Form is a login form as its page shows it: CSS selectors, "" for what is not
// there.
type Form struct {
	User, Password string
	Code           string // of a one-time code
	Submit         string
}

// selectorOf are JavaScript functions that give an element's CSS selector. selector is one
// that a developer would choose, and that no build makes anew; "" if there is none. place
// says in that case where it stands, from what has one.
const selectorOf = `
	const quoted = (s) => '"' + CSS.escape(s).replaceAll("\\ ", " ") + '"';
	const selector = (e) => {
		if (!e) return "";
		const one = (s) => e.getRootNode().querySelectorAll(s).length === 1 ? s : ""; // in its document, or its shadow tree
		const tag = e.tagName.toLowerCase(), a = (name) => e.getAttribute(name);
		return e.id && /^[A-Za-z][\w-]{0,40}$/.test(e.id) && one("#" + e.id)
			|| a("name") && a("name").length <= 60 && one(tag + "[name=" + quoted(a("name")) + "]")
			|| a("data-testid") && a("data-testid").length <= 60 && one("[data-testid=" + quoted(a("data-testid")) + "]")
			|| a("type") && one(tag + "[type=" + quoted(a("type")) + "]") || one(tag) || "";
	};
	const path = (e) => {
		const steps = [];
		for (; e && e !== document.documentElement; e = e.parentElement) {
			const own = selector(e);
			if (own) return [own, ...steps].join(" > ");
			const same = [...e.parentNode.children].filter((s) => s.tagName === e.tagName);
			steps.unshift(e.tagName.toLowerCase() + (same.length > 1 ? ":nth-of-type(" + (same.indexOf(e) + 1) + ")" : ""));
		}
		return steps.join(" > ");
	};
	const place = (e) => e ? selector(e) || path(e) : "";`

// readForm looks for the fields by what browsers fill in, then by type and place.
const readForm = `() => {
	const shown = (e) => e.getClientRects().length > 0 && !e.disabled;
	` + selectorOf + `
	const inputs = [...document.querySelectorAll("input")].filter(shown);
	const hint = (e) => [e.id, e.name, e.autocomplete, e.placeholder].join(" ");
	const password = inputs.find((e) => e.type === "password");
	const code = inputs.find((e) => e.autocomplete === "one-time-code" || /\b(otp|totp|mfa|2fa)/i.test(hint(e)));
	const form = (password ?? code)?.form;
	const texts = inputs.filter((e) => ["text", "email", "tel"].includes(e.type) && e !== code && (!form || e.form === form));
	const user = texts.find((e) => /username|email/.test(e.autocomplete) || e.type === "email")
		?? texts.find((e) => /user|mail|login|account|identifier/i.test(hint(e))) ?? (password ? texts[0] : undefined);
	const scope = form ?? user?.form ?? document;
	const submit = [...scope.querySelectorAll("button, input[type=submit], input[type=image]")].filter(shown)
		.sort((a, b) => (b.type === "submit") - (a.type === "submit"))[0];
	return {User: place(user), Password: place(password), Code: place(code), Submit: user || password || code ? place(submit) : ""};
}`

// LoginForm reads the login form that the page shows.
func (p *Page) LoginForm(ctx context.Context) (Form, error) {
	f, err := evaluate[Form](ctx, p, readForm)
	if err != nil {
		return f, fmt.Errorf("reading the login form: %w", err)
	}
	return f, nil
}
