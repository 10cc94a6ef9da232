package subject

import (
	"context"
	"errors"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/kindlytest/kindlytest/internal/forge"
	"github.com/kindlytest/kindlytest/mockkindly/allowlist"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/target"
)

// A Rung says where the token comes from that stands for a valid one. Attackers
// don't ask Kindly: that the page, the endpoint or the token is wrong keeps
// nobody from calling a webhook, and so no check of webhooks from being made.
type Rung string

// The rungs, the best first.
const (
	FromPage     Rung = "page"     // the page's callback gave it
	FromEndpoint Rung = "endpoint" // the endpoint gave it
	Repaired     Rung = "repaired" // the page's claims, with what was wrong put right, signed with the private key
	Minted       Rung = "minted"   // made with the private key alone
)

// A ChatToken is a token and the chat that it is for.
type ChatToken struct {
	Raw    token.Raw
	ChatID string
	// Result is Kindly's judgement when the token arrived.
	Result token.Result
	Rung   Rung
}

// issued keep the tokens in use: the first one, which the TOK checks judge, and
// a current one for the webhooks' controls.
type issued struct {
	first   Memo[ChatToken]
	rung    Memo[Rung]
	mu      sync.Mutex
	current ChatToken
}

// FirstToken is the first token that the target gave, valid or not: the page's,
// or without a page the endpoint's.
func (s *Session) FirstToken() (ChatToken, error) {
	return s.tokens.first.Get(func() (ChatToken, error) {
		if s.Target.PageURL != "" {
			v, err := s.visitWithToken()
			if err != nil { // the endpoint may give the token that the page loses
				if p, endpointErr := s.firstOfEndpoint(); endpointErr == nil {
					return p, nil
				}
				return ChatToken{}, err
			}
			return ChatToken{Raw: v.Token, ChatID: v.ChatID, Result: v.result, Rung: FromPage}, nil
		}
		if s.Target.Endpoint == nil {
			return ChatToken{}, MissingError(target.NeedPage.Hint())
		}
		return s.firstOfEndpoint()
	})
}

// firstOfEndpoint asks the endpoint, and tells of it.
func (s *Session) firstOfEndpoint() (ChatToken, error) {
	p := ChatToken{ChatID: s.NewChatID(), Rung: FromEndpoint}
	raw, ev, err := s.FetchToken(s.Base, p.ChatID)
	if ev.Exchange.Request.Method != "" {
		s.tell(askedFor(ev, raw != ""))
	}
	if err != nil {
		return ChatToken{}, err
	}
	p.Raw, p.Result = raw, s.checkToken(raw, p.ChatID)
	s.tell(judged(s.Options.Now(), p.Result))
	return p, nil
}

// NewTokenFor fetches a token for a chat: from the endpoint, or where that is
// unknown by calling the page's callback.
func (s *Session) NewTokenFor(ctx context.Context, chatID string) (ChatToken, error) {
	p := ChatToken{ChatID: chatID, Rung: FromEndpoint}
	raw, _, err := s.FetchToken(ctx, p.ChatID)
	if errors.Is(err, ErrMissing) && s.Target.PageURL != "" {
		v, visitErr := s.visitWithToken()
		if visitErr != nil {
			return ChatToken{}, err
		}
		called, callErr := v.page.Call(ctx, p.ChatID)
		if callErr != nil {
			return ChatToken{}, callErr
		}
		if called.Token == "" {
			return ChatToken{}, err
		}
		raw, p.Rung, err = token.Raw(called.Token), FromPage, nil
	}
	if err != nil {
		return ChatToken{}, err
	}
	p.Raw, p.Result = raw, s.checkToken(raw, p.ChatID)
	return p, nil
}

// lacksToken says why a token had to be made with the private key alone, and what else
// would tell.
func (s *Session) lacksToken() string {
	named := ""
	if s.Target.Sub == "" {
		named = "; --sub (sub in kindlytest.yaml) names a user whom the webhook knows"
	}
	if s.Target.PageURL == "" && s.Target.Endpoint == nil {
		return "neither page nor endpoint was given, whose tokens it takes" + named
	}
	if _, err := s.FirstToken(); err != nil {
		return err.Error() + named
	}
	return "the token that was given can't be read (see TOK-COMPACT)" + named
}

// spare is the life that a token must still have to be used as a control.
const spare = 20 * time.Second

// Witness is a current token that a sound webhook takes, from the best rung that
// serves. Where none does, the error wraps [ErrMissing].
func (s *Session) Witness(ctx context.Context) (ChatToken, error) {
	rung, err := s.tokens.rung.Get(s.findRung)
	if err != nil {
		return ChatToken{}, err
	}
	s.tokens.mu.Lock()
	defer s.tokens.mu.Unlock()
	if s.tokens.current.Raw != "" && s.tokens.current.lasts(s.Options.Now()) {
		return s.tokens.current, nil
	}
	var next ChatToken
	switch rung {
	case Repaired, Minted:
		next, err = s.Mint(s.NewChatID(), forge.TokenMistake{})
	default:
		if next, err = s.FirstToken(); err == nil && next.Rung == rung && next.lasts(s.Options.Now()) && s.tokens.current.Raw == "" {
			break
		}
		next, err = s.NewTokenFor(ctx, s.NewChatID())
	}
	if err != nil {
		return ChatToken{}, err
	}
	s.tokens.current = next
	return next, nil
}

// findRung goes down the rungs until one serves.
func (s *Session) findRung() (Rung, error) {
	first, err := s.FirstToken()
	if err != nil || len(first.Result.Refused()) > 0 { // the page fails; its endpoint may be known all the same
		if p, err := s.NewTokenFor(s.Base, s.NewChatID()); err == nil && len(p.Result.Refused()) == 0 {
			return FromEndpoint, nil
		}
	}
	refused := err == nil && len(first.Result.Refused()) > 0
	key := s.Target.PrivateKey != nil
	switch {
	case err == nil && !refused:
		return first.Rung, nil
	case refused && key && readable(first.Result):
		return Repaired, nil
	case key:
		return Minted, nil
	case refused: // Kindly would not send it; a webhook may take it all the same
		return first.Rung, nil
	}
	return "", err
}

// readable says whether a token has claims to take.
func readable(r token.Result) bool {
	return r.Token != nil && r.Token.Claims.Kind() == token.Object
}

// Mint makes a token of the page's claims, or of none, as a webhook expects it
// that makes a mistake; the zero value is none.
func (s *Session) Mint(chatID string, as forge.TokenMistake) (ChatToken, error) {
	if s.Target.PrivateKey == nil {
		return ChatToken{}, MissingError(target.NeedKey.Hint())
	}
	m := forge.Minting{Key: s.Target.PrivateKey.Private, ChatID: chatID, Domains: s.domains(), Now: s.Options.Now().Add(as.Shift), Claims: as.ClaimsFor(chatID), MaxClaim: as.MaxClaim,
		Alg: as.Alg, Secret: as.Secret, As: as}
	p := ChatToken{ChatID: chatID, Rung: Minted}
	if first, err := s.FirstToken(); err == nil && readable(first.Result) {
		m.Base, p.Rung = forge.Secret(first.Raw.Secret()), Repaired
		m.Claims = withSoundTypes(first.Result, as.ClaimsFor(chatID))
	} else if s.Target.Sub != "" {
		m.Claims = maps.Clone(m.Claims)
		if m.Claims == nil {
			m.Claims = map[string]any{}
		}
		m.Claims["sub"] = s.Target.Sub
	}
	secret, err := m.Token()
	if err != nil {
		return ChatToken{}, err
	}
	p.Raw = token.Raw(secret.Reveal())
	p.Result = s.checkToken(p.Raw, chatID)
	return p, nil
}

// withSoundTypes adds to claims what puts those right whose type is wrong.
func withSoundTypes(r token.Result, claims map[string]any) map[string]any {
	out := map[string]any{}
	for id, fix := range map[string]struct {
		claim string
		value any
	}{
		"TOK-EMAIL": {"email", "kindlytest@example.com"}, "TOK-EMAIL-VERIFIED": {"email_verified", true},
		"TOK-PHONE-VERIFIED": {"phone_number_verified", true}, "TOK-PHONE": {"phone_number", nil}, "TOK-NAME": {"name", "Kindly Test"},
	} {
		if _, wrong := r.Violation(id); wrong {
			out[fix.claim] = fix.value
		}
	}
	maps.Copy(out, claims)
	return out
}

// domains are entries of webhook_domains that cover the configured webhooks.
func (s *Session) domains() []string {
	out := []string{}
	for _, h := range s.Webhooks {
		if pattern, err := allowlist.Cover(h.Config.URL); err == nil {
			out = append(out, pattern)
		}
	}
	return out
}

func (p ChatToken) lasts(now time.Time) bool {
	t, err := token.Decode(p.Raw)
	return err == nil && t.Expires().After(now.Add(spare))
}

// NotForwarded names the rules for which Kindly refuses a token: it would not
// forward it, so that webhooks need not accept it.
func NotForwarded(result token.Result) (string, bool) {
	var ids []string
	for _, v := range result.Refused() {
		ids = append(ids, v.Rule.ID)
	}
	return strings.Join(ids, ", "), len(ids) > 0
}

// Rung is where the token comes from that stands for a valid one; "" if none does,
// or none was needed.
func (s *Session) Rung() Rung {
	s.tokens.mu.Lock()
	defer s.tokens.mu.Unlock()
	if s.tokens.current.Raw == "" {
		return ""
	}
	return s.tokens.current.Rung
}
