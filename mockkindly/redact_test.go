package mockkindly

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestSecretsThatAreWordsOfTheMock: somebody's secret may be spelled as the
// mock's own words are. What webhooks repeat is hidden; the words stay.
func TestSecretsThatAreWordsOfTheMock(t *testing.T) {
	for _, secret := range []string{"delivered", "delivery", "webhook.delivered", "bot-key", "replies", "fallback", "secret"} {
		t.Run(secret, func(t *testing.T) {
			h := newHook(t, replying(`{"reply":"it is [`+secret+`]"}`))
			bot := MustBot("bot-key", publicPEM(),
				Webhook{Name: "a", URL: h.URL, Secret: secret}, Webhook{Name: "b", URL: h.URL + "/b", Secret: secret + "-b"})
			talking := bot.clone()
			talking.Key, talking.Dialogues = "talking", []Dialogue{{Slug: "start", Fallback: true, Webhook: "a"}}
			k := newMock(t, Options{Bots: []Bot{bot, talking}})
			var answers []string
			for _, key := range []string{"bot-key", "talking"} {
				chat, err := k.CreateChat(key, Web{})
				if err != nil {
					t.Fatal(err)
				}
				answers = append(answers, replied(t, k, chat.ID, "hi"))
			}
			for i, want := range [][]string{
				{`{"replies":[{"webhook":"a"`, `"reply":"it is [[removed]]"`}, {`{"replies":[{"slug":"start","by":"fallback"`}} {
				for _, want := range want {
					if !strings.Contains(answers[i], want) {
						t.Errorf("without %s: %s", want, answers[i])
					}
				}
			}
			text, err := k.Journal().Events(2)[0].MarshalJSON()
			for _, want := range []string{`"kind":"webhook.delivered","bot":"bot-key","chat":"`, `,"delivery":{`} {
				if err != nil || !strings.Contains(string(text), want) || strings.Contains(string(text), "["+secret+"]") {
					t.Errorf("without %s: %s, %v", want, text, err)
				}
			}
		})
	}
}

// The body of an answer is shown as it came: what is a text there stands
// escaped, as JSON wants it or as some stacks like it.
func TestSecretsAreHiddenHoweverTheyAreEscaped(t *testing.T) {
	for name, tt := range map[string]struct{ secret, answer string }{
		"a quote and a backslash": {`pass"wo\rd`, `{"reply":"it is [pass\"wo\\rd]"}`},
		"a slash, escaped":        {"c2VjcmV0/Kg==", `{"reply":"it is [c2VjcmV0\/Kg==]"}`},
		"a slash, as it is":       {"c2VjcmV0/Kg==", `{"reply":"it is [c2VjcmV0/Kg==]"}`},
		"no JSON":                 {`pass"wo\rd`, `it is [pass"wo\rd]`},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHook(t, replying(tt.answer))
			k := newMock(t, Options{}, Webhook{Name: "a", URL: h.URL, Secret: tt.secret})
			chat := newChat(t, k)
			shown := replied(t, k, chat.ID, "hi")
			text, err := k.Journal().Events(2)[0].MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			for _, part := range []string{`wo\`, "Kg=="} {
				if strings.Contains(shown+string(text), part) {
					t.Errorf("the secret is in %s\n%s", shown, text)
				}
			}
			if !strings.Contains(string(text), "it is [[removed]]") {
				t.Errorf("more than the secret is missing: %s", text)
			}
		})
	}
}

// Whoever has seen a token without its signature could put it together again.
func TestASignatureThatAWebhookRepeatsLaterGetsNowhere(t *testing.T) {
	earlier := make(chan string, 1)
	h := newHook(t, func(w http.ResponseWriter, r *http.Request) {
		_, bearer, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		s := bearer[strings.LastIndexByte(bearer, '.')+1:]
		select {
		case earlier <- s:
			_, _ = io.WriteString(w, "{}")
		default:
			s := <-earlier
			_, _ = io.WriteString(w, `{"reply":"it was `+s+`","new_context":{"a":"`+s+`","b":"`+base64.StdEncoding.EncodeToString([]byte("hush-hush"))+`"}}`)
		}
	})
	store := &memoryStore{}
	k := newMock(t, Options{Store: store}, Webhook{Name: "a", URL: "https://hooks.example.com/", ConnectTo: h.URL, Secret: "hush-hush"})
	chat, raw := authenticated(t, k, "hooks.example.com")
	say(t, k, chat.ID)
	second := sign(claims(chat.ID, k.Now().Add(-time.Second), "hooks.example.com"))
	if res, err := k.Authenticate(chat.ID, second, Expired); err != nil || !res.Accepted() {
		t.Fatal(err, res.Violations)
	}
	shown := replied(t, k, chat.ID, "hi")
	chat, _ = k.Chat(chat.ID)
	for _, v := range []any{k.Journal().Events(0), chat} {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		shown += string(text)
	}
	for where, text := range map[string]string{"the answers": shown, "the file": store.text.String()} {
		for what, secret := range map[string]string{"signature": signature(raw), "secret in base64": "aHVzaC1odXNo"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s: the %s is in %s", where, what, text)
			}
		}
		if !strings.Contains(text, "it was [removed]") {
			t.Errorf("%s: more than it is missing: %s", where, text)
		}
	}
}

// The journal cuts long bodies, also where a secret stands.
func TestSecretsAstrideTheCutOfABodyAreHidden(t *testing.T) {
	const secret, late = "Hmac-s3cret-of-the-webhook", "S3cret-that-is-learnt-later"
	h := newHook(t, func(w http.ResponseWriter, r *http.Request) {
		pad := strings.Repeat("x", maxJournalBody-len(secret)/2-len(`{"reply":"`))
		value := secret
		if strings.Contains(r.URL.Path, "late") {
			value = late
		}
		_, _ = io.WriteString(w, `{"reply":"`+pad+value+`"}`)
	})
	k := newMock(t, Options{}, Webhook{Name: "a", URL: h.URL, Secret: secret}, Webhook{Name: "b", URL: h.URL + "/late"})
	chat := newChat(t, k)
	if _, err := k.Say(t.Context(), chat.ID, Message{Text: "hi"}); err != nil {
		t.Fatal(err)
	}
	if _, err := k.AddBot(MustBot("another", publicPEM(), Webhook{Name: "c", URL: h.URL, Secret: late})); err != nil {
		t.Fatal(err)
	}
	marshalled, err := json.Marshal(k.Journal().Events(0))
	if err != nil {
		t.Fatal(err)
	}
	text := string(marshalled)
	for _, secret := range []string{secret, late} {
		if strings.Contains(text, secret[:8]) {
			t.Errorf("the beginning of %s is in the journal", secret)
		}
	}
	if strings.Count(text, "xxx[removed]") != 2 {
		t.Errorf("they are not hidden at the end of the bodies: …%s", text[max(0, len(text)-300):])
	}
}
