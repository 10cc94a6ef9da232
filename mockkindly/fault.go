package mockkindly

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"time"
)

// Faults are what the mock does wrong on purpose, to shake a customer's code
// before production does it. They can be changed at any time.
type Faults struct {
	// SlowMS delays every answer to a page, in milliseconds.
	SlowMS int `json:"slow_ms"`
	// RefuseTokens refuses every token, also the good ones.
	RefuseTokens bool `json:"refuse_tokens"`
	// CallTwice lets the chat client call getAuthToken twice on connect.
	CallTwice bool `json:"call_twice"`
	// RenewEarly lets the chat client ask for a new token seconds after it got
	// one, as it does near the end of a token's life.
	RenewEarly bool `json:"renew_early"`
	// ClockForwardMinutes is how far the mock's clock is ahead when it judges
	// and forwards tokens.
	ClockForwardMinutes int `json:"clock_forward_minutes"`
	// RotateSecret signs webhook requests with another secret.
	RotateSecret bool `json:"rotate_secret"`
}

// Bounds of Faults.
const (
	maxSlow    = 60_000          // milliseconds
	maxForward = 366 * 24 * 60   // minutes
	renewAfter = 2 * time.Second // with RenewEarly
)

func (f Faults) validate() error {
	if f.SlowMS < 0 || f.SlowMS > maxSlow {
		return inputErrorf("slow_ms", "%d is not from 0 to %d", f.SlowMS, maxSlow)
	}
	if f.ClockForwardMinutes < 0 || f.ClockForwardMinutes > maxForward {
		return inputErrorf("clock_forward_minutes", "%d is not from 0 to %d", f.ClockForwardMinutes, maxForward)
	}
	return nil
}

// Faults returns what the mock does wrong at present.
func (k *Kindly) Faults() Faults {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.faults
}

// SetFaults replaces what the mock does wrong. It fails with an *InputError.
func (k *Kindly) SetFaults(f Faults) error {
	_, _, err := k.UpdateFaults(func(now *Faults) error { *now = f; return nil })
	return err
}

// UpdateFaults lets change work on what the mock does wrong at present, with
// nobody between. It returns the faults after that, and the State that they are
// of. change must not call the mock.
func (k *Kindly) UpdateFaults(change func(*Faults) error) (Faults, State, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f := k.faults
	err := change(&f)
	if err == nil {
		err = f.validate()
	}
	if err == nil && f != k.faults {
		k.faults = f
		k.state.Version++
	}
	return k.faults, k.state, err
}

// now is the time by which tokens are judged.
func (k *Kindly) now() time.Time {
	return k.opts.Now().Add(time.Duration(k.Faults().ClockForwardMinutes) * time.Minute)
}

// secretFor is what a request to the webhook is signed with.
func (k *Kindly) secretFor(hook Webhook) (secret string, rotated bool) {
	if hook.Secret != "" && k.Faults().RotateSecret {
		return k.opts.NextSecret, true
	}
	return hook.Secret, false
}

func randomSecret() (string, error) {
	var b [24]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", fmt.Errorf("making a secret: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}

// beSlow waits as long as the fault wants, or until the caller is gone.
func (k *Kindly) beSlow(ctx context.Context) {
	ms := k.Faults().SlowMS
	if ms == 0 {
		return
	}
	timer := time.NewTimer(time.Duration(ms) * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-k.ctx.Done():
	}
}

// renewIn is when the chat client has to ask for the next token, in
// milliseconds. It is 0 where the client finds out by its own clock.
func (k *Kindly) renewIn(expires time.Time) int64 {
	switch f := k.Faults(); {
	case f.RenewEarly:
		return renewAfter.Milliseconds()
	case f.ClockForwardMinutes > 0:
		const margin = 30 * time.Second
		return max(expires.Add(-margin).Sub(k.now()), time.Second).Milliseconds()
	}
	return 0
}

func (k *Kindly) getFaults(w http.ResponseWriter, _ *http.Request) error {
	return k.answerFaults(w, func(*Faults) error { return nil })
}

// putFaults changes the faults that are named, and leaves the others.
func (k *Kindly) putFaults(w http.ResponseWriter, r *http.Request) error {
	body, err := readJSON(w, r, "application/json")
	if err != nil {
		return err
	}
	return k.answerFaults(w, func(f *Faults) error { return unmarshalStrict(body, f) })
}

func (k *Kindly) answerFaults(w http.ResponseWriter, change func(*Faults) error) error {
	f, state, err := k.UpdateFaults(change)
	if err != nil {
		return err
	}
	w.Header().Set(stateHeader, state.String())
	return writeJSON(w, http.StatusOK, f)
}
