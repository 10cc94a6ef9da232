package oracle

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/internal/wire"
)

func FuzzOracle(f *testing.F) {
	f.Add("application/json", []byte(`{"r":"Hi Ada","n":[1,2]}`), []byte(`{"r":"Hi Ada","n":[1]}`), []byte(`{"r":"Who?"}`), []byte(`{"chat_id":"0123456789"}`))
	f.Add("text/html", []byte("<p>\\u00\\ud800\\"), []byte("%%4%zz+"), []byte(""), []byte("["))
	f.Add("", []byte("[[[[]]]]"), []byte(`{"":{"":null}}`), []byte("\xff\ue000\ue001"), []byte(`"`))
	f.Fuzz(func(t *testing.T, media string, a, b, c, request []byte) {
		ex := func(body []byte) wire.Exchange {
			return wire.Exchange{Request: wire.Request{Body: request},
				Response: &wire.Response{Status: 200, Header: http.Header{"Content-Type": {media}}, Body: body}}
		}
		o, err := Learn(Controls{Valid: []wire.Exchange{ex(a), ex(b)}, Anonymous: []wire.Exchange{ex(c), ex(c)}}, Options{Markers: []Marker{{"name", "Ada"}}})
		if err != nil {
			t.Fatal(err)
		}
		for _, body := range [][]byte{a, b, c} {
			j := o.Judge(Probe{Exchange: ex(body), Canaries: []string{"ktname"}})
			if j.Class == "" || j.Why == "" {
				t.Errorf("%+v", j)
			}
		}
		if strings.Contains(string(c), "ktname") {
			return
		}
		if j := o.Judge(Probe{Exchange: ex(c), Canaries: []string{"ktnameX"}}); j.Class != Stranger {
			t.Errorf("the anonymous control is %s: %s", j.Class, j.Why)
		}
	})
}

func BenchmarkJudge(b *testing.B) {
	for _, size := range []int{1 << 10, maxBody} {
		b.Run(fmt.Sprintf("%d KB", size>>10), func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 2))
			page := func(who string) wire.Exchange {
				var s strings.Builder
				fmt.Fprintf(&s, "<p>Hi %s</p>", who)
				for s.Len() < size {
					fmt.Fprintf(&s, "<li class=%q>item %d of many</li>\n", "c", r.Uint32N(10))
				}
				return exchange(answer(200, "text/html", s.String()))
			}
			o, err := Learn(Controls{Valid: []wire.Exchange{page("Ada"), page("Ada")}, Anonymous: []wire.Exchange{page("stranger"), page("stranger")}}, Options{Markers: markers})
			if err != nil {
				b.Fatal(err)
			}
			probe := Probe{Exchange: page("nobody"), Canaries: []string{canary}}
			for b.Loop() {
				o.Judge(probe)
			}
		})
	}
}
