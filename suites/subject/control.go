package subject

import (
	"context"
	"fmt"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// ControlCall is the valid request as a call that a probe can change: with a
// token where there is one.
func (h *Webhook) ControlCall(ctx context.Context, st Standing) (Call, error) {
	return h.withToken(ctx, st, Call{}, h.Witness)
}

// AnotherCall is ControlCall in a chat of its own.
func (h *Webhook) AnotherCall(ctx context.Context, st Standing) (Call, error) {
	return h.withToken(ctx, st, Call{}, h.newWitness)
}

// Another is c for one more attempt: of another chat where the webhook remembers those,
// or takes each token once.
func (h *Webhook) Another(ctx context.Context, st Standing, c Call) (Call, error) {
	if !h.repair.ownChats {
		return c, nil
	}
	return h.withToken(ctx, st, c, h.newWitness)
}

// withToken is c with a token, and its chat, where there is one to be had.
func (h *Webhook) withToken(ctx context.Context, st Standing, c Call, witness func(context.Context) (ChatToken, error)) (Call, error) {
	if !st.Members() {
		return c, nil
	}
	p, err := witness(ctx)
	if err != nil {
		return c, fmt.Errorf("a valid token for %s: %w", h.Name(), err)
	}
	c.ChatID, c.Token = p.ChatID, p.Raw
	return c, nil
}

// ControlRequest is the valid request as one that a probe can change.
func (h *Webhook) ControlRequest(ctx context.Context, st Standing) (wire.Request, error) {
	c, err := h.ControlCall(ctx, st)
	if err != nil {
		return wire.Request{}, err
	}
	return h.Request(c)
}
