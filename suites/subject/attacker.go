package subject

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"

	"github.com/kindlytest/kindlytest/internal/forge"
)

// material is what tokens are forged from: a current valid one, if there is one.
func (s *Session) Material(ctx context.Context, h *Webhook) (forge.Material, error) {
	p, err := s.AcceptedToken(ctx)
	if errors.Is(err, ErrMissing) { // some attacks are made from nothing
		p = pass{ChatID: s.NewChatID()}
	} else if err != nil {
		return forge.Material{}, err
	}
	listener, err := s.Listener()
	if err != nil {
		return forge.Material{}, err
	}
	m := forge.Material{
		Token: forge.Secret(p.Raw.Secret()), ChatID: p.ChatID, Now: s.Options.Now(), Rand: lockedRand{s},
		PublicPEM: s.Target.PublicPEM, Attacker: s.attacker(), Listener: listener.URL,
	}
	if len(s.Target.PublicKeys) > 0 {
		m.Public = s.Target.PublicKeys[0].Public
	}
	if s.Target.PrivateKey != nil {
		m.Private = s.Target.PrivateKey.Private
	}
	return m, nil
}

// A keyListener is a local server that serves an attacker's key set, and
// counts who fetches it.
type keyListener struct {
	*httptest.Server
	Count atomic.Int64
}

func (l *keyListener) Close() error { l.Server.Close(); return nil }

func (s *Session) Listener() (*keyListener, error) {
	return s.listening.Get(func() (*keyListener, error) {
		documents, err := s.attacker().Documents(s.Options.Now())
		if err != nil {
			return nil, fmt.Errorf("making the attacker's key set: %w", err)
		}
		l := &keyListener{}
		mux := http.NewServeMux()
		for _, d := range documents {
			mux.HandleFunc(d.Path, func(w http.ResponseWriter, _ *http.Request) {
				l.Count.Add(1)
				w.Header().Set("Content-Type", d.ContentType)
				w.Write(d.Body)
			})
		}
		mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { l.Count.Add(1); http.NotFound(w, r) })
		l.Server = httptest.NewServer(mux)
		s.onClose(l)
		return l, nil
	})
}

// attacker is whoever forges in this run; its key is made at the first use.
func (s *Session) attacker() *forge.Attacker {
	a, _ := s.forger.Get(func() (*forge.Attacker, error) { return forge.NewAttacker(lockedRand{s}), nil })
	return a
}

// lockedRand is the session's randomness, for several goroutines.
type lockedRand struct{ s *Session }

func (r lockedRand) Read(b []byte) (int, error) { r.s.random(b); return len(b), nil }
