package subject

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"

	"github.com/kindlytest/kindlytest/internal/forge"
	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// Material is what tokens for a webhook are forged from: a current valid one. Where
// there is none, the attacker signs one: what is forged of it proves less, but
// whoever believes it believes anybody.
func (s *Session) Material(ctx context.Context, h *Webhook) (forge.Material, error) {
	listener, err := s.listener()
	if err != nil {
		return forge.Material{}, err
	}
	m := forge.Material{
		Now: s.Options.Now(), Rand: lockedRand{s}, PublicPEM: s.Target.PublicPEM, Attacker: attacker, Listener: listener.address,
	}
	if len(s.Target.PublicKeys) > 0 {
		m.Public = s.Target.PublicKeys[0].Public
	}
	if s.Target.PrivateKey != nil {
		takes, err := h.takesOurKey(ctx)
		if err != nil {
			return forge.Material{}, err
		}
		if takes {
			m.Private = s.Target.PrivateKey.Private
		}
	}
	if m.Public == nil && m.Private != nil {
		m.Public = &m.Private.PublicKey
	}
	if r := h.repair.token; r != nil {
		m.Now, m.As = m.Now.Add(r.Shift), *r
	}
	if first, err := s.FirstToken(); err == nil {
		m.NumericSub = hasNumericSub(first.Raw)
	}
	p, err := h.Witness(ctx)
	m.NumericSub = m.NumericSub || err == nil && hasNumericSub(p.Raw)
	if err == nil {
		m.Token, m.ChatID = forge.Secret(p.Raw.Secret()), p.ChatID
		return m, nil
	}
	m.ChatID = s.NewChatID()
	// Without an e-mail: nobody is known by it, and a canary can take its place.
	m.Token, err = m.Attacker.Mint(forge.Minting{ChatID: m.ChatID, Domains: s.domains(), Now: m.Now, Claims: map[string]any{"email": nil, "email_verified": nil}})
	return m, err
}

// takesOurKey says whether a webhook takes what the private key signs. Where that is
// another key than the one that the target's tokens are signed with, it may not: then
// whatever is forged with it is refused for the key alone, and tells nothing.
func (h *Webhook) takesOurKey(ctx context.Context) (bool, error) {
	return h.ourKey.Get(func() (bool, error) {
		s := h.Session
		if !s.signsOtherwise() {
			return true, nil
		}
		st, err := h.Standing()
		if err != nil || !st.Members() {
			return true, nil // nothing can be told anyway
		}
		p, err := s.Mint(s.NewChatID(), forge.TokenMistake{})
		if err != nil {
			return false, err
		}
		ev, err := h.Call(trying(ctx, "HOOK-VALID"), "signed with the private key that was given", Call{ChatID: p.ChatID, Token: p.Raw})
		if err != nil {
			return false, err
		}
		if h.Acceptable(ev) && h.knows(ctx, &st, ev) {
			return true, nil
		}
		s.Incomplete("The private key that was given is not the one that the target's tokens are signed with, and the webhook does not take what it signs: what has to be forged with the right key was not tried.",
			"Give the private half of the key that signs (private_key in kindlytest.yaml), of a test environment.")
		return false, nil
	})
}

// signsOtherwise says whether the target's tokens are signed with another key than the
// private one that was given, as far as that is known.
func (s *Session) signsOtherwise() bool {
	first, err := s.FirstToken()
	return err == nil && first.Result.SignedBy != nil && first.Result.SignedBy.Fingerprint != s.Target.PrivateKey.Fingerprint
}

// A keyListener is a local server that serves an attacker's key set, below an
// address of its own for each who may be made to fetch it.
type keyListener struct {
	*httptest.Server

	mu      sync.Mutex
	made    int
	fetched map[string]int // by address
}

func (l *keyListener) Close() error { l.Server.Close(); return nil }

// address returns a new base URL.
func (l *keyListener) address() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.made++
	return fmt.Sprintf("%s/%d", l.URL, l.made)
}

// Fetched says how often something below an address was asked for.
func (s *Session) Fetched(address string) int {
	l, err := s.listener()
	if err != nil {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fetched[address]
}

func (s *Session) listener() (*keyListener, error) {
	return s.listening.Get(func() (*keyListener, error) {
		documents, err := attacker.Documents(s.Options.Now())
		if err != nil {
			return nil, fmt.Errorf("making the attacker's key set: %w", err)
		}
		l := &keyListener{fetched: map[string]int{}}
		l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			number, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
			l.mu.Lock()
			l.fetched["http://"+r.Host+"/"+number]++
			l.mu.Unlock()
			for _, d := range documents {
				if d.Path == "/"+path {
					w.Header().Set("Content-Type", d.ContentType)
					w.Write(d.Body)
					return
				}
			}
			http.NotFound(w, r)
		}))
		s.onClose(l)
		return l, nil
	})
}

// attacker is whoever forges, in all runs.
var attacker = forge.NewAttacker()

// lockedRand is the session's randomness, for several goroutines.
type lockedRand struct{ s *Session }

func (r lockedRand) Read(b []byte) (int, error) { r.s.random(b); return len(b), nil }

func hasNumericSub(raw token.Raw) bool {
	t, err := token.Decode(raw)
	return err == nil && t.Claims.Get("sub").Kind() == token.Number
}
