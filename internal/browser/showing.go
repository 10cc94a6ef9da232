package browser

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/clip"
	"github.com/kindlytest/kindlytest/internal/jws"
)

// What a login came to is seen by what its page shows then, and by the cookies that
// the browser did not take.

// A Showing is what a document shows to somebody who may not have been let in.
type Showing struct {
	Says     string // its message of what went wrong, at most 160 characters; "" if it has none
	Captcha  bool   // it has one: whoever logs in must show that they are no robot
	Code     bool   // it asks for a one-time code
	Password bool   // it has a field for a password
	// Databases says whether the page's origin has an IndexedDB, in which some keep who
	// is logged in.
	Databases bool
	Cover     string // what lies over the element of a step; "" if nothing does
}

// readShowing takes a message for one of an error by its role, or by the words of a
// line of its own: pages mark them in as many ways as there are pages.
const readShowing = `async (selector) => {` + querying + `
	const LONG = 160, line = (s) => (s ?? "").replace(/\s+/g, " ").trim();
	const shown = (e) => e.getClientRects().length > 0 && visible(e);
	const any = (sel) => [...document.querySelectorAll(sel)];
	const wrong = /\b(invalid|incorrect|wrong|fail(ed|ure)?|denied|locked|blocked|disabled|expired|unknown|too many|try again|not (match|found|recogni[sz]ed|valid|correct)|(does|did)(n.t| not) match|ugyldig|feil|sperret|utl[øo]pt|ogiltig|fel|forkert|falsch|ung[üu]ltig|gesperrt|fehlgeschlagen)\b/i;
	const marked = any("[role=alert], [aria-live=assertive], [class*=error i], [class*=alert i], [class*=invalid i], [class*=danger i], [class*=flash i], [id*=error i]")
		.filter((e) => !e.matches("input, select, textarea, form, body, html") && shown(e)).map((e) => line(e.innerText));
	const lines = (document.body?.innerText ?? "").split("\n").map(line).filter((l) => wrong.test(l));
	const says = [...marked, ...lines].find((l) => l.length > 3 && l.length <= LONG) ?? "";
	let cover = "";
	try {
		const e = selector && !selector.includes(">>>") && query(selector);
		if (e && visible(e)) {
			const b = e.getBoundingClientRect(), top = e.getRootNode().elementFromPoint(b.x + b.width / 2, b.y + b.height / 2);
			if (top && top !== e && !e.contains(top) && !top.contains(e) && !e.labels?.length) {
				const named = top.closest("[id]") ?? top;
				cover = (named.id && /^[A-Za-z][\w-]*$/.test(named.id) ? "#" + named.id : named.tagName.toLowerCase()).slice(0, 60);
			}
		}
	} catch {}
	let databases = [];
	try { databases = await indexedDB.databases(); } catch {} // an opaque origin has none
	return {
		Databases: databases.length > 0,
		Says: says, Cover: cover,
		Captcha: any("[data-sitekey], .g-recaptcha, .h-captcha, .cf-turnstile, iframe[src*='recaptcha'], iframe[src*='hcaptcha'], iframe[src*='challenges.cloudflare.com']").length > 0,
		Code: any("input").some((i) => shown(i) && (i.autocomplete === "one-time-code" || /(^|[_\W])(otp|totp|mfa|2fa|one.?time.?code|verification.?code|passcode)([_\W]|$)/i.test(i.name + " " + i.id))),
		Password: any("input[type=password]").some(shown),
	};
}`

// HasDatabases says whether the page's origin has an IndexedDB, which no stored session
// brings.
func (p *Page) HasDatabases(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, looking)
	defer cancel()
	some, _ := evaluate[bool](ctx, p, `async () => (await indexedDB.databases()).length > 0`) // an opaque origin has none
	return some
}

// show says what the page shows now, and whether something lies over an element. What is
// secret is left out.
func (p *Page) show(ctx context.Context, selector string, secret func(string) bool) Showing {
	ctx, cancel := context.WithTimeout(ctx, looking)
	defer cancel()
	// A page that can't be asked shows nothing.
	s, _ := evaluate[Showing](ctx, p, readShowing, selector)
	if secret == nil {
		return s
	}
	words := strings.Fields(s.Says)
	for i, word := range words {
		if secret(word) {
			words[i] = "…"
		}
	}
	if s.Says = strings.Join(words, " "); secret(s.Says) {
		s.Says = ""
	}
	return s
}

// An Ended is what the steps of a login came to, beside what they left.
type Ended struct {
	Showing
	URL string // of the last page
	// Refused are the requests whose answers set cookies that the browser did not take.
	Refused []Request
}

// Ended says what the login's steps came to; nothing, if it has none.
func (u *User) Ended() Ended { return u.ended }

// failure is what went wrong last of what a login's scripts did: a request for more
// than reading that was refused, or else an error.
func (r Record) failure() string {
	for _, q := range slices.Backward(r.Requests) {
		if (q.ResourceType == "Fetch" || q.ResourceType == "XHR") && !q.Kindly && q.Method != http.MethodGet && (q.Status >= 400 || q.Error != "") {
			return "where a script's " + q.String() + " failed"
		}
	}
	for _, e := range slices.Backward(r.Exceptions) {
		if !e.Kindly {
			first, _, _ := strings.Cut(e.Text, "\n")
			return "where a script ended with: " + clip.Text(jws.Replace(first, "(token)"), 160)
		}
	}
	return ""
}

// refusals are the requests by which somebody logs in and whose answers set cookies
// that the browser did not take: documents, and what scripts asked of servers of the
// page's own, or elsewhere for what is called like a session. Those of advertisers are
// not among them.
func (r Record) refusals() []Request {
	hosts := map[string]bool{}
	for _, q := range r.Requests {
		if q.ResourceType == "Document" {
			hosts[hostOf(q.URL)] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(r.Requests), func(q Request) bool {
		own := hosts[hostOf(q.URL)] || q.Method != http.MethodGet && slices.ContainsFunc(q.Refused, func(k KeptBack) bool { return sessionName.MatchString(k.Name) })
		return len(q.Refused) == 0 || q.Kindly || !own
	})
}

var sessionName = regexp.MustCompile(`(?i)sess|sid\b|auth|token|jwt|login|identity|remember`)

func hostOf(rawURL string) string {
	origin, err := originOf(rawURL)
	if err != nil {
		return ""
	}
	_, host, _ := strings.Cut(origin, "://")
	return host
}
