package subject

import (
	"context"
	"slices"

	"github.com/kindlytest/kindlytest/internal/oracle"
)

// Looks are what is asked of a webhook that takes valid requests, whatever comes of it.
type looks struct {
	chats    []newChat
	unsigned *Evidence // the answer to a valid request without its signature
}

// A newChat is how the first message of one is answered, by a member, and the next one,
// which brings no token.
type newChat struct{ member, stranger Evidence }

// lookCloser asks all of that at once: one after another, a slow webhook would be waited
// for half a minute before anything is judged.
func (h *Webhook) lookCloser(ctx context.Context, st Standing) (looks, error) {
	var seen looks
	tasks := []func() error{
		func() error { _, err := h.SignedBodies(ctx); return err },
		func() (err error) { seen.chats, err = h.newChats(ctx, st); return err },
		func() (err error) { seen.unsigned, err = h.withoutSignature(ctx, st); return err },
	}
	if h.Config.Secret == "" {
		tasks = tasks[1:2] // the others are about signatures
	}
	err := h.Session.Each(len(tasks), func(i int) error { return tasks[i]() })
	return seen, err
}

// newChats are as many as there are tokens to be had.
func (h *Webhook) newChats(ctx context.Context, st Standing) ([]newChat, error) {
	if !st.Members() {
		return nil, nil
	}
	var tokens []ChatToken
	for range samples { // one of several processes keeps its own
		p, err := h.newWitness(ctx)
		if err != nil {
			break // what was seen must do
		}
		tokens = append(tokens, p)
	}
	out := make([]newChat, len(tokens))
	err := h.Session.Each(len(tokens), func(i int) (err error) {
		p := tokens[i]
		if out[i].member, err = h.Call(ctx, "with a valid token of a new chat", Call{ChatID: p.ChatID, Token: p.Raw}); err != nil {
			return err
		}
		out[i].stranger, err = h.Call(ctx, "without a token, in the chat of a request with one", Call{ChatID: p.ChatID})
		return err
	})
	return out, err
}

// separateChats finds out whether the webhook answers the first message of a chat
// otherwise than the next ones. If it does, each request is made in a chat of its
// own: attempts would differ by their turn, and not by who is believed.
func (h *Webhook) separateChats(ctx context.Context, st *Standing, seen []newChat) error {
	if len(seen) == 0 || known(exchanges(st.Member[1:]), st.Member[0].Exchange) && known(exchanges(st.Member), seen[0].member.Exchange) {
		return nil // it is answered as in the chat that it knows
	}
	var turns [2][]Evidence // the first message of each new chat, and the second
	for range samples {
		p, err := h.newWitness(ctx)
		if err != nil {
			return nil // there are no more tokens to be had: what was seen must do
		}
		for turn := range turns {
			ev, err := h.Call(ctx, "with a valid token of a new chat", Call{ChatID: p.ChatID, Token: p.Raw})
			if err != nil {
				return err
			}
			turns[turn] = append(turns[turn], ev)
		}
	}
	if !differs(exchanges(turns[0]), exchanges(turns[1])) {
		return nil
	}
	return h.ownChats(ctx, st)
}

// ownChats gives each attempt a chat of its own from now on.
func (h *Webhook) ownChats(ctx context.Context, st *Standing) error {
	if h.repair.ownChats {
		return nil
	}
	h.repair.ownChats = true
	unrepaired := st.Unrepaired
	err := h.sampleBoth(ctx, st)
	st.Unrepaired = unrepaired
	return err
}

// separateUsers looks whether the webhook keeps who somebody is by their chat: then
// what brings no token is answered as the member's, in a chat that has seen one.
func (h *Webhook) separateUsers(ctx context.Context, st *Standing, seen []newChat) error {
	if len(st.Stranger) == 0 || st.Mistaken != nil {
		return nil
	}
	for _, chat := range seen {
		member, ev := chat.member, chat.stranger
		if !h.Acceptable(member) || ev.Exchange.Response == nil || known(exchanges(st.Stranger), ev.Exchange) {
			continue
		}
		o, err := h.learn(oracle.Controls{Valid: append(exchanges(st.Member), member.Exchange), Anonymous: exchanges(st.Stranger)}, *st)
		if err == nil && o.Signal() && o.Judge(oracle.Probe{Exchange: ev.Exchange}).Class == oracle.Believed {
			st.Kept = &ev
			return h.ownChats(ctx, st)
		}
	}
	return nil
}

// mistakesStrangers looks whether a stranger who comes after a member is answered as that
// one: a variable that outlives requests holds the last user.
func (h *Webhook) mistakesStrangers(ctx context.Context, st *Standing, seen []newChat) error {
	shows := func(ev Evidence) bool {
		return slices.ContainsFunc(MarkersOf(st.Token.Result.Token), func(m oracle.Marker) bool {
			return m.Telling() && oracle.ShowsWord(ev.Exchange, m.Value)
		})
	}
	if len(st.Stranger) == 0 || !slices.ContainsFunc(seen, func(c newChat) bool { return shows(c.stranger) }) {
		return nil
	}
	ev, err := h.Call(ctx, "without a token, after a request with one", Call{})
	if err == nil && shows(ev) {
		st.Mistaken = &ev
	}
	return err
}
