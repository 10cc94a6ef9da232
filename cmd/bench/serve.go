package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"time"
)

// measureMock puts kindlytest serve under load, beside a bare server that does
// only the unavoidable, each a process of its own.
func measureMock(ctx context.Context, b *bench) error {
	r, err := b.startRace(ctx)
	if err != nil {
		return err
	}
	defer r.stop()
	const turns = 7
	paces, err := race(ctx, turns, r.bare("/verify"), r.intake)
	if err != nil {
		return err
	}
	b.table.AtLeast(0.8, "×", "token intake over HTTP, of a handler that only verifies", paces[1].perSecond/paces[0].perSecond,
		"%.0f and %.0f requests/s", paces[1].perSecond, paces[0].perSecond)

	paces, err = race(ctx, turns, r.bare("/proxy"), r.bare("/forward"), r.forward, r.stored, r.synced)
	if err != nil {
		return err
	}
	proxy := paces[0]
	b.table.AtLeast(0.7, "×", "forwarding with journal, of a bare reverse proxy", paces[2].perSecond/proxy.perSecond,
		"%.0f and %.0f requests/s; a minimal verify-sign-forward: %.2f ×", paces[2].perSecond, proxy.perSecond, paces[1].perSecond/proxy.perSecond)
	b.table.AtLeast(0.7, "×", "the same, 99th percentile", proxy.p99/paces[2].p99,
		"%.1f and %.1f ms; verify-sign-forward %.1f ms", paces[2].p99, proxy.p99, paces[1].p99)
	b.table.AtLeast(0.4, "×", "the same with --db", paces[3].perSecond/proxy.perSecond, "%.0f requests/s", paces[3].perSecond)
	b.table.Stated("the same with --db --db-sync", "%.2f × (%.0f requests/s: this machine's disk)", paces[4].perSecond/proxy.perSecond, paces[4].perSecond)
	return nil
}

// runners are the servers of a race, and their loads.
type runners struct {
	hook                            *httptest.Server
	plain, mock, db, sync           *server
	intake, forward, stored, synced load
	message                         string
}

func (b *bench) startRace(ctx context.Context) (r *runners, err error) {
	r = &runners{message: `{"text":"where is my order?"}`}
	defer func() {
		if err != nil {
			r.stop()
		}
	}()
	key, err := b.makeKey()
	if err != nil {
		return nil, err
	}
	r.hook = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"reply":"It is on its way.\n\nAnything else?"}`)
	}))
	if r.plain, err = serve(ctx, nil, b.path("plain"), "ADDRESS", r.hook.URL, b.path("public.pem")); err != nil {
		return nil, err
	}
	if r.mock, err = b.serveMock(ctx, r.hook.URL); err != nil {
		return nil, err
	}
	if r.db, err = b.serveMock(ctx, r.hook.URL, "--db", b.path("mock.db")); err != nil {
		return nil, err
	}
	if r.sync, err = b.serveMock(ctx, r.hook.URL, "--db", b.path("sync.db"), "--db-sync"); err != nil {
		return nil, err
	}
	if err := r.plain.answered(ctx, "/"); err != nil {
		return nil, err
	}
	if r.intake, r.forward, err = r.mock.chat(ctx, key, r.message); err != nil {
		return nil, err
	}
	if _, r.stored, err = r.db.chat(ctx, key, r.message); err != nil {
		return nil, err
	}
	if _, r.synced, err = r.sync.chat(ctx, key, r.message); err != nil {
		return nil, err
	}
	// The plain server forwards the token that it got last.
	_, _, err = r.bare("/verify").send(ctx, connections)
	return r, err
}

// bare is the load of a route of the plain server: what the mock gets, too.
func (r *runners) bare(path string) load {
	body := r.message
	if path == "/verify" {
		_, after, _ := bytes.Cut(r.intake.request, []byte("\r\n\r\n"))
		body = string(after)
	}
	return newLoad(r.plain.address, path, body)
}

func (r *runners) stop() {
	for _, s := range []*server{r.plain, r.mock, r.db, r.sync} {
		if s != nil {
			_ = s.stop() // nothing is measured any more
		}
	}
	if r.hook != nil {
		r.hook.Close()
	}
}

// serveMock starts kindlytest serve before a webhook.
func (b *bench) serveMock(ctx context.Context, hook string, more ...string) (*server, error) {
	args := []string{"serve", "--listen", "ADDRESS", "--public-key", b.path("public.pem"),
		"--webhook", "https://hooks.example.com/kindly=" + hook}
	return serve(ctx, []string{"KINDLYTEST_HMAC_SECRET=examplekey"}, b.path("kindlytest"), append(args, more...)...)
}

// chat opens an authenticated chat, and returns the loads that send its token
// and a message of it.
func (s *server) chat(ctx context.Context, key *rsa.PrivateKey, message string) (intake, forward load, err error) {
	if err := s.answered(ctx, "/mock/v1/health"); err != nil {
		return intake, forward, err
	}
	var chat struct{ ID string }
	if err := s.post(ctx, "/mock/v1/chats", `{"bot_key":"shop"}`, &chat); err != nil {
		return intake, forward, err
	}
	token, err := sign(key, chat.ID)
	if err != nil {
		return intake, forward, err
	}
	path := "/mock/v1/chats/" + chat.ID
	intake = newLoad(s.address, path+"/token", `{"token":"`+token+`","reason":"INITIAL_CONNECT"}`)
	forward = newLoad(s.address, path+"/messages", message)
	_, _, err = intake.send(ctx, connections)
	return intake, forward, err
}

func (s *server) post(ctx context.Context, path, body string, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.address+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	return json.NewDecoder(res.Body).Decode(into)
}

// makeKey makes the customer's key pair, and writes public.pem.
func (b *bench) makeKey() (*rsa.PrivateKey, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, err
	}
	return key, os.WriteFile(b.path("public.pem"), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o600)
}

// sign makes a sound token.
func sign(key *rsa.PrivateKey, chatID string) (string, error) {
	now := time.Now()
	claims, err := json.Marshal(map[string]any{
		"iss": "https://shop.example.com", "sub": "user-1", "name": "Ada", "email": "ada@example.com", "email_verified": true,
		"iat": now.Unix(), "exp": now.Add(14 * time.Minute).Unix(),
		"chat": map[string]any{"id": chatID, "webhook_domains": []string{"hooks.example.com"}},
	})
	if err != nil {
		return "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + encode(claims)
	digest := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	return text + "." + encode(signature), err
}

// measureServe looks at the process: how soon it answers, and what it occupies.
func measureServe(ctx context.Context, b *bench) error {
	if _, err := b.makeKey(); err != nil {
		return err
	}
	start := func(path, name string, args ...string) contestant {
		return func(ctx context.Context) (float64, error) {
			began := time.Now()
			s, err := serve(ctx, nil, name, args...)
			if err != nil {
				return 0, err
			}
			if err := s.answered(ctx, path); err != nil {
				return 0, err
			}
			took := time.Since(began)
			return milliseconds(took), s.stop()
		}
	}
	mock := []string{"serve", "--listen", "ADDRESS", "--public-key", b.path("public.pem")}
	took, err := takeTurns(ctx, 15, start("/", b.path("plain"), "ADDRESS"),
		start("/mock/v1/health", b.path("kindlytest"), mock...),
		start("/mock/v1/health", b.path("kindlytest"), append(slices.Clone(mock), "--db", b.path("start.db"))...))
	if err != nil {
		return err
	}
	b.table.AtMost(25, "ms", "serve, from exec to the first answer", took[1], "a bare Go server %.1f ms; with --db %.1f ms", took[0], took[2])
	return b.measureMemory(ctx)
}

func (b *bench) measureMemory(ctx context.Context) error {
	r, err := b.startRace(ctx)
	if err != nil {
		return err
	}
	defer r.stop()
	var idle [2]float64
	for i, db := range []string{"", b.path("idle.db")} {
		if idle[i], err = b.idleMemory(ctx, r.hook.URL, db); err != nil {
			return err
		}
	}
	b.table.AtMost(25, "MB", "serve, memory when idle", idle[0], "with --db %.1f MB", idle[1])
	const deliveries = 100_000
	_, took, err := r.forward.send(ctx, deliveries)
	if err != nil {
		return err
	}
	used, err := r.mock.memory()
	if err != nil {
		return err
	}
	b.table.Stated("serve, 100,000 deliveries journalled", "%.0f MB, in %.1f s; the journal keeps the newest 10,000 events, and at most 64 MiB", used, took.Seconds())
	return nil
}

// idleMemory is what serve occupies when it has answered once and then rested.
func (b *bench) idleMemory(ctx context.Context, hook, db string) (float64, error) {
	var more []string
	if db != "" {
		more = []string{"--db", db}
	}
	s, err := b.serveMock(ctx, hook, more...)
	if err != nil {
		return 0, err
	}
	if err := s.answered(ctx, "/mock/v1/health"); err != nil {
		return 0, err
	}
	time.Sleep(time.Second)
	used, err := s.memory()
	if err != nil {
		return 0, err
	}
	return used, s.stop()
}
