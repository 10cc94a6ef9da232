package listen

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/forge"
	"github.com/kindlytest/kindlytest/internal/porttest"
	"github.com/kindlytest/kindlytest/internal/recording"
	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
)

const secret = "a-secret-of-the-webhook"

// A rig is a proxy before an app.
type rig struct {
	t    testing.TB
	base string
	file string
	told chan Delivery
	mock *mockkindly.Kindly
}

func start(t testing.TB, app string) *rig {
	t.Helper()
	r := &rig{t: t, file: filepath.Join(t.TempDir(), "kindly.jsonl"), told: make(chan Delivery, 100)}
	to, err := url.Parse(app)
	if err != nil {
		t.Fatal(err)
	}
	bot := mockkindly.Bot{Key: "listen", Webhooks: []mockkindly.Webhook{{Name: "app", URL: app, Secret: secret}}}
	if r.mock, err = mockkindly.New(mockkindly.Options{Bots: []mockkindly.Bot{bot}}); err != nil {
		t.Fatal(err)
	}
	rec, err := recording.Create(r.file, recording.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(Options{ForwardTo: to, Kindly: r.mock, Bot: "listen", Webhook: "app", Secret: secret, Recorder: rec, Told: func(d Delivery) { r.told <- d }})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := p.Server()
	go s.Serve(Listen(l))
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), rec.Close(), r.mock.Close()); err != nil {
			t.Error(err)
		}
		p.Close()
	})
	r.base = l.Addr().String()
	return r
}

// next is the next delivery of the journal.
func (r *rig) next() Delivery {
	r.t.Helper()
	select {
	case d := <-r.told:
		if d.Err != nil {
			r.t.Fatal(d.Err)
		}
		return d
	case <-time.After(20 * time.Second):
		r.t.Fatal("nothing is journalled")
		return Delivery{}
	}
}

// recorded are the lines that are in the file now.
func (r *rig) recorded() (all []recording.Delivery) {
	r.t.Helper()
	file, err := os.Open(r.file)
	if err != nil {
		r.t.Fatal(err)
	}
	defer file.Close()
	for d, err := range recording.Read(file) {
		if err != nil {
			r.t.Fatal(err)
		}
		all = append(all, d)
	}
	return all
}

// rawApp answers each connection with a text, and tells what came, up to an end.
func rawApp(t *testing.T, end, answer string) (base string, came <-chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	out := make(chan string, 10)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			var got []byte
			one := make([]byte, 1)
			for !strings.HasSuffix(string(got), end) {
				if _, err := c.Read(one); err != nil {
					break
				}
				got = append(got, one[0])
			}
			_, _ = io.WriteString(c, answer)
			c.Close()
			out <- string(got)
		}
	}()
	return "http://" + l.Addr().String(), out
}

func zipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return b.String()
}

func TestPassesBothSidesOnToTheByte(t *testing.T) {
	ask := "\x00\xff{\"message\":\"h\u00e9\"}\r\n\r\nEND"
	zip := zipped(`{"reply":"hello"}`)
	for _, row := range []struct{ name, request, answer, status, body string }{
		{"plain", "content-length: LENGTH\r\n\r\n" + ask, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "200 OK", "{}"},
		{"a chunked request", "Transfer-Encoding: chunked\r\n\r\nHEX\r\n" + ask + "\r\n0\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "200 OK", "{}"},
		{"gzip", "Accept-Encoding: gzip\r\nContent-Length: LENGTH\r\n\r\n" + ask, fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", len(zip), zip), "200 OK", zip},
		{"a chunked answer", "Content-Length: LENGTH\r\n\r\n" + ask, "HTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{\"a\r\n4\r\n\":1}\r\n0\r\n\r\n", "200 OK", `{"a":1}`},
		{"a server error", "Content-Length: LENGTH\r\n\r\n" + ask, "HTTP/1.1 503 Oh no\r\nRetry-After: 7\r\nContent-Length: 3\r\n\r\nno!", "503 Service Unavailable", "no!"},
		{"until the end of the connection", "Content-Length: LENGTH\r\n\r\n" + ask, "HTTP/1.1 200 OK\r\nX-Odd: a  b\r\n\r\nuntil the end", "200 OK", "until the end"},
		{"no content", "Content-Length: LENGTH\r\n\r\n" + ask, "HTTP/1.1 204 No Content\r\n\r\n", "204 No Content", ""},
		{"a redirect", "Content-Length: LENGTH\r\n\r\n" + ask, "HTTP/1.1 308 Permanent Redirect\r\nLocation: /kindly/\r\nContent-Length: 0\r\n\r\n", "308 Permanent Redirect", ""},
	} {
		end := "END"
		if strings.Contains(row.request, "chunked") {
			end = "\r\n0\r\n\r\n"
		}
		app, came := rawApp(t, end, row.answer)
		r := start(t, app)
		c, err := net.Dial("tcp", r.base)
		if err != nil {
			t.Fatal(err)
		}
		head := "POST /kindly?a=%2f&b HTTP/1.1\r\nhost: abc.tunnel.example\r\nkindly-HMAC: x+/=\r\nX-TWICE: 1\r\nx-twice: 2\r\nX-TWICE: 3\r\nX-Forwarded-For: 192.0.2.7\r\n"
		request := head + strings.NewReplacer("LENGTH", fmt.Sprint(len(ask)), "HEX", fmt.Sprintf("%x", len(ask))).Replace(row.request)
		if _, err := io.WriteString(c, request); err != nil {
			t.Fatal(err)
		}
		answer, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		body, err := io.ReadAll(answer.Body)
		if err != nil || string(body) != row.body || answer.Status != row.status {
			t.Errorf("%s: %s %q, %v", row.name, answer.Status, body, err)
		}
		for _, name := range []string{"Retry-After", "X-Odd", "Location", "Content-Encoding"} {
			want := ""
			if _, rest, ok := strings.Cut(row.answer, name+": "); ok {
				want, _, _ = strings.Cut(rest, "\r\n")
			}
			if got := answer.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", row.name, name, got, want)
			}
		}
		for _, name := range []string{"Date", "Content-Type", "Server"} { // the app sent none
			if answer.Header.Get(name) != "" {
				t.Errorf("%s: %s was added", row.name, name)
			}
		}
		got := <-came
		for _, want := range []string{"POST /kindly?a=%2f&b HTTP/1.1\r\n", "\r\nkindly-HMAC: x+/=\r\n", "\r\nX-TWICE: 1\r\nX-TWICE: 3\r\n", "\r\nx-twice: 2\r\n", "\r\nX-Forwarded-For: 192.0.2.7\r\n", ask} {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %q is not in what came: %q", row.name, want, got)
			}
		}
		for _, not := range []string{"User-Agent", "Kindly-Hmac", "tunnel.example"} {
			if strings.Contains(got, not) {
				t.Errorf("%s: %q is in what came: %q", row.name, not, got)
			}
		}
		line := r.recorded()[0]
		if first := line.Request.Headers[0]; first.Name != "host" || line.Request.Size != len(ask) || line.Answer.Size != len(row.body) {
			t.Errorf("%s: recorded is %+v", row.name, line)
		}
		c.Close()
	}
}

func TestEachAnsweredDeliveryIsRecorded(t *testing.T) {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, `{"reply":"hello"}`)
	}))
	defer app.Close()
	r := start(t, app.URL+"/kindly")
	for i := 1; i <= 20; i++ { // one after the other, on one connection
		name := [2]string{"X-Odd", "x-ODD"}[i%2]
		req, err := http.NewRequest("POST", "http://"+r.base+"/", strings.NewReader(`{"chat_id":"c"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header[name] = []string{"1"}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(res.Body); err != nil || string(body) != `{"reply":"hello"}` {
			t.Fatal(string(body), err)
		}
		res.Body.Close()
		lines := r.recorded()
		if len(lines) != i {
			t.Fatalf("%d answers, and %d lines", i, len(lines))
		}
		spelled := false
		for _, h := range lines[i-1].Request.Headers {
			spelled = spelled || h.Name == name
		}
		if !spelled {
			t.Fatalf("delivery %d: %s is spelled otherwise: %v", i, name, lines[i-1].Request.Headers)
		}
	}
}

func TestAnswersAreNotHeldBack(t *testing.T) {
	goOn := make(chan bool)
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"reply":`)
		w.(http.Flusher).Flush()
		<-goOn
		_, _ = io.WriteString(w, `"slow"}`)
	}))
	defer app.Close()
	r := start(t, app.URL)
	res, err := http.Post("http://"+r.base+"/", "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	part := make([]byte, 9)
	if _, err := io.ReadFull(res.Body, part); err != nil {
		t.Fatal(err)
	}
	if n := len(r.recorded()); n != 0 {
		t.Errorf("%d deliveries are recorded before their answer is there", n)
	}
	close(goOn)
	if rest, err := io.ReadAll(res.Body); err != nil || string(rest) != `"slow"}` {
		t.Error(string(rest), err)
	}
	if n := len(r.recorded()); n != 1 {
		t.Errorf("%d deliveries are recorded", n)
	}
}

func TestAnAppThatIsDownIsTold(t *testing.T) {
	r := start(t, "http://"+porttest.Nobody)
	req, err := http.NewRequest("POST", "http://"+r.base+"/", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	webhook.SetSignature(req.Header, secret, []byte("{}"))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(res.Body)
	res.Body.Close()
	if res.StatusCode != 502 || strings.Contains(string(body), porttest.Nobody) {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	if line := r.recorded()[0]; line.Error != "unreachable" || line.Answer != nil || line.GivenUp || line.Request.Signature != "right" {
		t.Errorf("recorded is %+v", line)
	}
	if d := r.next(); d.Exchange.Err == nil {
		t.Error("the journal knows an answer")
	}
}

// TestAnAppMayAnswerEarly is for one that refuses a body before it has come:
// what was not seen is not accused.
func TestAnAppMayAnswerEarly(t *testing.T) {
	app, _ := rawApp(t, "\r\n\r\n", "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
	r := start(t, app)
	c, err := net.Dial("tcp", r.base)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nKindly-HMAC: x\r\nContent-Length: 100\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	if res, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || res.StatusCode != 413 {
		t.Fatal(res, err)
	}
	if line := r.recorded()[0]; line.Request.Signature != "unjudged" || line.Request.Digest != "" || line.Request.Size != 100 {
		t.Errorf("recorded is %+v", line)
	}
}

func TestKindlyMayGiveUp(t *testing.T) {
	asked, gone := make(chan bool, 1), make(chan bool, 1)
	app := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		asked <- true
		<-r.Context().Done()
		gone <- true
	}))
	defer app.Close()
	r := start(t, app.URL)
	ctx, giveUp := context.WithCancel(t.Context())
	defer giveUp()
	go func() {
		<-asked
		giveUp()
	}()
	req, err := http.NewRequestWithContext(ctx, "POST", "http://"+r.base+"/", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := http.DefaultClient.Do(req); err == nil {
		t.Fatal("there is an answer")
	}
	d := r.next()
	if line := r.recorded()[0]; !line.GivenUp || line.Answer != nil || line.TookMS <= 0 || !d.Heard.GivenUp {
		t.Errorf("recorded is %+v", line)
	}
	<-gone // the app sees it too, as it would without us
}

func TestAnAnswerThatBreaksOffDoesSo(t *testing.T) {
	app, _ := rawApp(t, "{}", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"rep")
	r := start(t, app)
	res, err := http.Post("http://"+r.base+"/", "application/json", strings.NewReader("{}"))
	if err == nil {
		_, err = io.ReadAll(res.Body)
		res.Body.Close()
	}
	if err == nil {
		t.Error("the answer looks whole")
	}
	r.next()
	if line := r.recorded()[0]; line.Error != ErrBroken.Error() || line.GivenUp {
		t.Errorf("recorded is %+v", line)
	}
}

func TestHTTP2WithoutTLS(t *testing.T) {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = w.Write(body)
	}))
	defer app.Close()
	r := start(t, app.URL)
	client := &http.Transport{Protocols: &http.Protocols{}}
	client.Protocols.SetUnencryptedHTTP2(true)
	defer client.CloseIdleConnections()
	for range 3 {
		req, _ := http.NewRequest("POST", "http://"+r.base+"/", strings.NewReader(`{"message":"hello"}`))
		res, err := client.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || string(body) != `{"message":"hello"}` || res.ProtoMajor != 2 {
			t.Errorf("%s %q, %v", res.Proto, body, err)
		}
	}
	lines := r.recorded()
	if len(lines) != 3 || lines[2].Request.Protocol != "HTTP/2.0" {
		t.Errorf("recorded is %+v", lines)
	}
}

func TestSignaturesAreJudged(t *testing.T) {
	const body = `{"message":"h\u00e9 hello","a":1}`
	mac := func(secret string) string { return webhook.Sign(secret, []byte(body)) }
	for _, row := range []struct{ name, mac, algorithm, secret, want string }{
		{"right", mac(secret), webhook.Algorithm, secret, "right"},
		{"hex", forge.DigestForms(mac(secret))[3], webhook.Algorithm, secret, "hmac-hex"},
		{"a secret with a line end", mac(secret + "\n"), webhook.Algorithm, secret, "hmac-secret-line-end"},
		{"another secret", mac("another"), webhook.Algorithm, secret, "wrong"},
		{"another algorithm", mac(secret), "SHA-1", secret, "wrong"},
		{"none", "", "", secret, "missing"},
		{"no secret here", mac(secret), webhook.Algorithm, "", "unjudged"},
	} {
		var lines []recording.Header
		if row.mac != "" {
			lines = []recording.Header{{Name: "kindly-hmac", Value: row.mac}, {Name: "kindly-hmac-algorithm", Value: row.algorithm}}
		}
		got := signatureOf(row.secret, "https://hooks.example.com/kindly", lines, []byte(body), len(body))
		if got.Verdict != row.want || got.Text == "" || strings.Contains(fmt.Sprint(got), secret) {
			t.Errorf("%s: %+v", row.name, got)
		}
	}
}
