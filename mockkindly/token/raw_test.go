package token

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestRawIsNeverPrintedWithItsSignature(t *testing.T) {
	raw := mint(nil)
	header, rest, _ := strings.Cut(raw.Secret(), ".")
	payload, signature, _ := strings.Cut(rest, ".")
	var text, jsonLog strings.Builder
	slog.New(slog.NewTextHandler(&text, nil)).Info("x", "token", raw, "in", struct{ T Raw }{raw})
	slog.New(slog.NewJSONHandler(&jsonLog, nil)).Info("x", "token", raw, "in", struct{ T Raw }{raw})
	inJSON, err := json.Marshal([]any{raw, struct{ T Raw }{raw}})
	if err != nil {
		t.Fatal(err)
	}
	printed := map[string]string{"text log": text.String(), "JSON log": jsonLog.String(), "JSON": string(inJSON)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%10.3s", "%t"} {
		printed[verb] = fmt.Sprintf(verb, raw) + fmt.Sprintf(verb, struct{ T Raw }{raw}) + fmt.Sprintf(verb, []Raw{raw})
	}
	for how, out := range printed {
		if strings.Contains(out, signature) || strings.Contains(out, fmt.Sprintf("%x", signature)) {
			t.Errorf("%s shows the signature", how)
		}
		if !strings.Contains(out, header+"."+payload+".") {
			t.Errorf("%s does not show the rest: %s", how, out)
		}
	}
}

func TestRawString(t *testing.T) {
	for raw, want := range map[Raw]string{
		"":                                      "<no token>",
		"secret":                                "<6 bytes that are no JWT>",
		"a.secret":                              "<8 bytes that are no JWT>",
		"a.b.secret":                            "a.b.<signature removed>",
		"a.b.":                                  "a.b.<signature removed>",
		"a.b.secret.secret":                     "a.b.<signature removed>",
		Raw(strings.Repeat("x", 9000) + ".a.b"): "<a token of 9004 bytes>",
	} {
		if got := raw.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
