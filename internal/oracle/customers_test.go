package oracle

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// A user is whom a customer takes the caller for: the name in the token it
// believes, "" for a stranger; bad says that there was a token that it refuses.
type user struct {
	name string
	bad  bool
}

// A customer answers like one kind of webhook.
type customer func(r *rand.Rand, u user, chat, message string) wire.Response

const (
	canary  = "ktname0123456789ab"
	message = "where is my order?"
)

func jsonAnswer(status int, body string) wire.Response {
	return answer(status, "application/json; charset=utf-8", body)
}

func answer(status int, contentType, body string) wire.Response {
	return wire.Response{Status: status, Header: http.Header{"Content-Type": {contentType}}, Body: []byte(body)}
}

func pick(r *rand.Rand, texts ...string) string { return texts[r.IntN(len(texts))] }

func uuid(r *rand.Rand) string {
	return fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", r.Uint32(), r.Uint32N(1<<16), r.Uint32N(1<<12), r.Uint32N(1<<12), r.Uint64N(1<<48))
}

var (
	passes   = []Class{Refusal, Stranger}
	doubtful = append(passes, Unknown) // warns
)

// customers are all sound or fooled by the same code: a fooled one gets a name.
var customers = []struct {
	name string
	ask  customer
	// what may be said of a refused token, and of a believed one
	refused, believed []Class
	signal            bool
}{{
	name: "401 for strangers", signal: true,
	ask: func(_ *rand.Rand, u user, _, _ string) wire.Response {
		if u.name == "" {
			return jsonAnswer(401, `{"error":"unauthorized"}`)
		}
		return jsonAnswer(200, `{"reply":"Your order is on its way, `+u.name+`."}`)
	},
	refused: passes, believed: []Class{Believed},
}, {
	name: "401 and random jokes", signal: true,
	ask: func(r *rand.Rand, u user, _, _ string) wire.Response {
		if u.name == "" {
			return jsonAnswer(401, `{}`)
		}
		return jsonAnswer(200, fmt.Sprintf(`{"reply":"%d knock %d who %d is"}`, r.Uint32(), r.Uint32(), r.Uint32()))
	},
	refused: passes, believed: []Class{Believed},
}, {
	name: "polite 200", signal: true,
	ask: func(_ *rand.Rand, u user, _, _ string) wire.Response {
		if u.name == "" {
			return jsonAnswer(200, `{"reply":"Please log in first."}`)
		}
		return jsonAnswer(200, `{"reply":"Hi `+u.name+`, your order is on its way."}`)
	},
	refused: passes, believed: []Class{Believed},
}, {
	name: "polite 200 that says why", signal: true,
	ask: func(r *rand.Rand, u user, _, _ string) wire.Response {
		switch {
		case u.bad:
			return jsonAnswer(200, `{"reply":"`+pick(r, "Your JWT is invalid", "Your JWT has expired", "Your JWT is for another chat")+`"}`)
		case u.name == "":
			return jsonAnswer(200, `{"reply":"Please log in first."}`)
		}
		return jsonAnswer(200, `{"reply":"Hi `+u.name+`, your order is on its way."}`)
	},
	refused: passes, believed: []Class{Believed},
}, {
	name: "no name in the answer", signal: true,
	ask: func(_ *rand.Rand, u user, _, _ string) wire.Response {
		if u.name == "" {
			return jsonAnswer(200, `{"reply":"Please log in first."}`)
		}
		return jsonAnswer(200, `{"reply":"Your order is on its way."}`)
	},
	refused: passes, believed: []Class{Believed},
}, {
	name: "noisy", signal: true,
	ask: func(r *rand.Rand, u user, chat, _ string) wire.Response {
		common := fmt.Sprintf(`"request_id":"%s","at":%q,"ms":%d,"nonce":"%x","chat":%q,"hits":%d`,
			uuid(r), time.Unix(int64(r.Uint32()), 0).UTC().Format(time.RFC3339), r.IntN(90), r.Uint64(), chat, r.IntN(1000))
		if u.name == "" {
			return jsonAnswer(200, `{`+common+`,"reply":"Who are you? Ask `+uuid(r)+`."}`)
		}
		return jsonAnswer(200, fmt.Sprintf(`{%s,"reply":"Order %d of %s is on its way."}`, common, r.IntN(1000), u.name))
	},
	refused: passes, believed: []Class{Believed},
}, {
	name: "noisy without a name", signal: true,
	ask: func(r *rand.Rand, u user, chat, _ string) wire.Response {
		common := fmt.Sprintf(`"nonce":"%x","chat":%q,"hits":%d`, r.Uint64(), chat, r.IntN(1000))
		if u.name == "" {
			return jsonAnswer(200, `{`+common+`,"reply":"Who are you?"}`)
		}
		return jsonAnswer(200, fmt.Sprintf(`{%s,"reply":"Order %d is on its way to you."}`, common, r.IntN(1000)))
	},
	refused: passes, believed: []Class{Believed},
}, {
	name: "changing greeting with a name", signal: true,
	ask: func(r *rand.Rand, u user, _, _ string) wire.Response {
		if u.name == "" {
			return jsonAnswer(200, `{"reply":"`+pick(r, "Who are you?", "Please log in.", "Have we met before?", "I know nobody here.")+`"}`)
		}
		return jsonAnswer(200, `{"reply":"`+fmt.Sprintf(pick(r, "Hi %s!", "Good day, %s.", "Nice to see you again, %s"), u.name)+`"}`)
	},
	refused: passes, believed: []Class{Believed},
}, {
	name: "changing greeting without a name",
	ask: func(r *rand.Rand, u user, _, _ string) wire.Response {
		if u.name == "" {
			return jsonAnswer(200, `{"reply":"`+pick(r, "Who are you?", "Please log in.")+`"}`)
		}
		return jsonAnswer(200, `{"reply":"`+pick(r, "It is on its way.", "Your order was shipped.")+`"}`)
	},
	refused: doubtful, believed: []Class{Stranger, Unknown, Believed}, // six answers may not show enough
}, {
	name: "changing greeting that is the same for all",
	ask: func(r *rand.Rand, _ user, _, _ string) wire.Response {
		return jsonAnswer(200, `{"reply":"`+pick(r, "Hello there, friend.", "Welcome to the shop!")+`"}`)
	},
	refused: doubtful, believed: []Class{Stranger, Unknown},
}, {
	name: "random flag for all",
	ask: func(r *rand.Rand, _ user, _, _ string) wire.Response {
		return jsonAnswer(200, `{"reply":"Hello","experiment":`+pick(r, "true", "false")+pick(r, `,"buttons":[]`, "")+`}`)
	},
	refused: doubtful, believed: []Class{Stranger, Unknown},
}, {
	name: "echoing message", signal: true,
	ask: func(_ *rand.Rand, u user, chat, message string) wire.Response {
		who := "a stranger"
		if u.name != "" {
			who = "our member " + u.name
		}
		return jsonAnswer(200, fmt.Sprintf(`{"reply":%q}`, fmt.Sprintf("%s said %q in %s", who, message, chat)))
	},
	refused: passes, believed: []Class{Believed},
}, {
	name: "HTML", signal: true,
	ask: func(r *rand.Rand, u user, chat, _ string) wire.Response {
		head := fmt.Sprintf(`<html><head><meta name="csrf" content="%x"></head><body data-chat="%s"><p>%d ms</p>`, r.Uint64(), chat, r.IntN(90))
		if u.name == "" {
			return answer(200, "text/html", head+`<p>Please <a href="/login">log in</a>.</p></body></html>`)
		}
		return answer(200, "text/html", head+`<p>Hi &lt;`+u.name+`&gt;, 2 new messages.</p></body></html>`)
	},
	refused: passes, believed: []Class{Believed},
}, {
	name: "empty bodies, told apart by status", signal: true,
	ask: func(_ *rand.Rand, u user, _, _ string) wire.Response {
		if u.name == "" {
			return wire.Response{Status: 202}
		}
		return wire.Response{Status: 200}
	},
	refused: passes, believed: []Class{Believed},
}, {
	name:    "empty bodies for all",
	ask:     func(*rand.Rand, user, string, string) wire.Response { return wire.Response{Status: 200} },
	refused: passes, believed: []Class{Stranger},
}, {
	name: "the same for all",
	ask: func(*rand.Rand, user, string, string) wire.Response {
		return jsonAnswer(200, `{"reply":"We open at nine."}`)
	},
	refused: passes, believed: []Class{Stranger},
}, {
	name: "key order changes", signal: true,
	ask: func(r *rand.Rand, u user, _, _ string) wire.Response {
		members := []string{`"a":1`, `"b":[1,{"c":null}]`, `"known":` + fmt.Sprint(u.name != "")}
		r.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
		return jsonAnswer(200, "{"+strings.Join(members, pick(r, ",", " , "))+"}")
	},
	refused: passes, believed: []Class{Believed},
}, {
	name: "lists of changing length", signal: true,
	ask: func(r *rand.Rand, u user, _, _ string) wire.Response {
		news := slices.Repeat([]string{`{"title":"News"}`}, r.IntN(4))
		reply := "Log in, please"
		if u.name != "" {
			reply = "You have 2 orders"
		}
		return jsonAnswer(200, `{"news":[`+strings.Join(news, ",")+`],"reply":"`+reply+`"}`)
	},
	refused: doubtful, believed: []Class{Believed, Unknown},
}, {
	name: "extra login button for strangers", signal: true,
	ask: func(_ *rand.Rand, u user, _, _ string) wire.Response {
		if u.name == "" {
			return jsonAnswer(200, `{"reply":"We open at nine.","buttons":[{"label":"Log in"}]}`)
		}
		return jsonAnswer(200, `{"reply":"We open at nine."}`)
	},
	refused: passes, believed: []Class{Believed},
}, {
	name: "Canada for all, Ada for Ada", signal: true,
	ask: func(_ *rand.Rand, u user, _, _ string) wire.Response {
		return jsonAnswer(200, `{"reply":"We ship to Canada. `+u.name+`"}`)
	},
	refused: passes, believed: []Class{Believed},
}}

func ask(c customer, r *rand.Rand, u user) wire.Exchange {
	chat := uuid(r)
	res := c(r, u, chat, message)
	if res.Header == nil {
		res.Header = http.Header{}
	}
	body := fmt.Sprintf(`{"chat_id":%q,"message":%q,"exchange":{"exchange_id":%q}}`, chat, message, uuid(r))
	return wire.Exchange{Request: wire.Request{Method: "POST", Body: []byte(body)}, Response: &res}
}

func askTwice(c customer, r *rand.Rand, u user) []wire.Exchange {
	return []wire.Exchange{ask(c, r, u), ask(c, r, u)}
}

var (
	ada     = user{name: "Ada"}
	nobody  = user{}
	refused = user{bad: true}
	fooled  = user{name: canary}
	markers = []Marker{{"name", "Ada"}, {"sub", "u-4711"}}
)

// learn is what a run does: controls, and more where the oracle wants them.
func learn(t testing.TB, c customer, r *rand.Rand) *Oracle {
	t.Helper()
	o, err := Learn(Controls{Valid: askTwice(c, r, ada), Anonymous: askTwice(c, r, nobody), Unreadable: askTwice(c, r, refused)}, Options{Markers: markers})
	if err != nil {
		t.Fatal(err)
	}
	for o.WantsMore() {
		if err := errors.Join(o.Observe(Valid, ask(c, r, ada)), o.Observe(Anonymous, ask(c, r, nobody))); err != nil {
			t.Fatal(err)
		}
	}
	return o
}

func TestCustomers(t *testing.T) {
	for _, row := range customers {
		t.Run(row.name, func(t *testing.T) {
			seen := map[string]int{}
			for seed := range uint64(40) {
				r := rand.New(rand.NewPCG(seed, 1))
				o := learn(t, row.ask, r)
				if row.signal && !o.Signal() {
					t.Errorf("seed %d: no signal", seed)
				}
				for _, probe := range []struct {
					who      string
					u        user
					canaries []string
					want     []Class
				}{
					{"refused", refused, []string{canary}, row.refused},
					{"believed", fooled, []string{canary}, row.believed},
					{"believed as the page's user", ada, nil, row.believed},
				} {
					j := o.Judge(Probe{Exchange: ask(row.ask, r, probe.u), Canaries: probe.canaries})
					seen[probe.who+": "+string(j.Class)]++
					if !slices.Contains(probe.want, j.Class) {
						t.Errorf("seed %d: %s is %s: %s; want %v", seed, probe.who, j.Class, j.Why, probe.want)
					}
					if j.Class.Passes() && !row.signal && !o.Signal() && !j.Weak {
						t.Errorf("seed %d: %s is not weak, and there is no signal", seed, probe.who)
					}
				}
				if t.Failed() {
					return
				}
			}
			t.Log(seen)
		})
	}
}
