package mockkindly

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
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
	maxSlow    = 60_000        // milliseconds
	maxForward = 366 * 24 * 60 // minutes
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

// Now is the time by which tokens are judged: the clock's, and the fault's.
func (k *Kindly) Now() time.Time {
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
