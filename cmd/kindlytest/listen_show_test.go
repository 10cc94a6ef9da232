package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/internal/listen"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly"
)

func TestListenTellsOfADelivery(t *testing.T) {
	right := mockkindly.Signature{Verdict: "right", Text: "The signature is right."}
	answered := &wire.Response{Status: 200}
	for name, row := range map[string]struct {
		err       error
		response  *wire.Response
		givenUp   bool
		signature mockkindly.Signature
		recorded  int
		says, not string
	}{
		"an answer":                   {nil, answered, false, right, 0, "#7  200", "delivery"},
		"recorded":                    {nil, answered, false, right, 28, "signature right  delivery 28\n", "Kindly got"},
		"the app is down":             {errors.New("refused"), nil, false, right, 0, "Kindly got 502", ""},
		"an answer that breaks off":   {listen.ErrBroken, nil, false, right, 0, "broke off; Kindly got what came of it", "502"},
		"Kindly hangs up":             {errors.New("gone"), nil, true, right, 0, "Kindly hung up after", "502"},
		"no secret, as said at start": {nil, answered, false, mockkindly.Signature{Verdict: "unjudged", Text: "Nobody can say.", Fix: "Give it."}, 0, "signature unjudged", "Nobody"},
		"too long to be judged":       {nil, answered, false, mockkindly.Signature{Verdict: "unjudged", Text: "The body is too long."}, 0, "  The body is too long.\n", ""},
		"wrong":                       {nil, answered, false, mockkindly.Signature{Verdict: "wrong", Text: "It is wrong.", Fix: "Mend it."}, 0, "  It is wrong. Mend it.\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			(&app{stdout: &b, stderr: &b}).tellDelivery(listen.Delivery{Seq: 7, Recorded: row.recorded, Overheard: mockkindly.Overheard{
				Exchange: wire.Exchange{Err: row.err, Response: row.response},
				Heard:    mockkindly.Heard{Signature: row.signature, GivenUp: row.givenUp},
			}})
			if !strings.Contains(b.String(), row.says) || row.not != "" && strings.Contains(b.String(), row.not) {
				t.Errorf("it says %q; want %q, and not %q", b.String(), row.says, row.not)
			}
		})
	}
}
