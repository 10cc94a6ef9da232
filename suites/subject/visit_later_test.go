package subject

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// On a busy machine each look takes long: what is there by the twentieth is seen, and
// what never comes is given up.
func TestAPageIsLookedAtOftenEnoughOnABusyMachine(t *testing.T) {
	for _, row := range []struct {
		name  string
		each  time.Duration
		comes int // with which look; 0: never
		want  bool
		most  time.Duration
	}{
		{"quick, and soon there", time.Millisecond, 2, true, time.Second},
		{"quick, and never there", time.Millisecond, 0, false, patience + time.Second},
		{"slow, and there with the twelfth look", 400 * time.Millisecond, 12, true, 2 * patience},
		{"slow, and never there", 400 * time.Millisecond, 0, false, 4*patience + time.Second},
		{"no look ever ends", time.Hour, 1, false, 4*patience + time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began, looks := time.Now(), 0
				got := until(t.Context(), func(ctx context.Context) bool {
					looks++
					select {
					case <-time.After(row.each):
						return looks == row.comes
					case <-ctx.Done():
						return false
					}
				})
				if took := time.Since(began); got != row.want || took > row.most {
					t.Errorf("it is %v after %v, want %v within %v", got, took, row.want, row.most)
				}
			})
		})
	}
}
