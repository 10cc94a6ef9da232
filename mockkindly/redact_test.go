package mockkindly

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"
)

// aToken says the same as removeSignatures, in a way that is easier to believe,
// and slow.
var aToken = regexp.MustCompile(`(e(?:y[A-Za-z0-9]|w[0-9ko])[A-Za-z0-9_-]{13,}\.[A-Za-z0-9_-]{8,}\.)[A-Za-z0-9_-]{8,}`)

func withoutSignatures(text string) string { return aToken.ReplaceAllString(text, "${1}"+removed) }

// TestRemoveSignaturesAsTheExpressionDoes compares both, on texts made of parts
// that matter.
func TestRemoveSignaturesAsTheExpressionDoes(t *testing.T) {
	parts := []string{
		"e", "ey", "eyJ", "ew0", "ewk", "ewx", "ey-", "A", "eyJhbGciOiJSUzI1NiJ9", "ABCDEFGH", "ABCDEFG", "0123456789abc", "0123456789ab",
		".", ".", ".", "\"", " ", "\\n", "-_", "é",
	}
	random := rand.New(rand.NewPCG(1, 2))
	found := 0
	for range 200_000 {
		var b strings.Builder
		for i := range 1 + random.IntN(12) {
			if i%2 == 1 && random.IntN(3) > 0 {
				b.WriteString(".")
			}
			b.WriteString(parts[random.IntN(len(parts))])
		}
		text := b.String()
		want, got := withoutSignatures(text), string(removeSignatures([]byte(text)))
		if got != want {
			t.Fatalf("%q became %q, not %q", text, got, want)
		}
		if got != text {
			found++
		}
	}
	if found < 1000 {
		t.Errorf("only %d texts held a token", found)
	}
}

func FuzzRemoveSignatures(f *testing.F) {
	f.Add(`{"a":"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"}`)
	f.Fuzz(func(t *testing.T, text string) {
		if want, got := withoutSignatures(text), string(removeSignatures([]byte(text))); got != want {
			t.Errorf("%q became %q, not %q", text, got, want)
		}
	})
}

// TestRemoveSignaturesInLinearTime would take minutes otherwise.
func TestRemoveSignaturesInLinearTime(t *testing.T) {
	for _, unit := range []string{"eyJ", "eyJhbGciOiJSUzI1NiJ9.", "e.", "eyJhbGciOiJSUzI1NiJ9.ABCDEFGH.x "} {
		start := time.Now()
		removeSignatures([]byte(strings.Repeat(unit, 4<<20/len(unit))))
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%q: %v", unit, took)
		}
	}
}

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
				{`{"replies":[{"webhook":"a"`, `"reply":"it is [<secret removed>]"`}, {`{"replies":[{"slug":"start","by":"fallback"`}} {
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
			for _, part := range []string{"wo", "Kg=="} {
				if strings.Contains(shown+string(text), part) {
					t.Errorf("the secret is in %s\n%s", shown, text)
				}
			}
			if !strings.Contains(string(text), "it is [<secret removed>]") {
				t.Errorf("more than the secret is missing: %s", text)
			}
		})
	}
}
