package service

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/kindlytest/kindlytest/internal/wire"
)

func TestLimitsAreWaitedForOnce(t *testing.T) {
	clock := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	l := limit{now: func() time.Time { return clock }}
	tooMany := Evidence{Exchange: wire.Exchange{Response: &wire.Response{Status: 429, Header: http.Header{"Retry-After": {"20"}}}}}
	const patience = 30 * time.Second

	pause, again := l.learn(tooMany, 0, patience)
	if !again || pause != 20*time.Second {
		t.Fatalf("the first time: %s, %v", pause, again)
	}
	clock = clock.Add(pause)
	if _, again := l.learn(tooMany, pause, patience); again {
		t.Error("it is waited for longer than patience")
	}
	if _, again := l.learn(tooMany, 0, patience); again {
		t.Error("it has served nothing, and the next request waits all over again")
	}
	l.serve("")
	if _, again := l.learn(tooMany, 0, patience); !again {
		t.Error("it has served since, and is not waited for")
	}
}

// What one place of an address turns away says nothing of the others there.
func TestALimitIsThatOfThePlacesWhichHaveOne(t *testing.T) {
	clock := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	l := limit{now: func() time.Time { return clock }}
	answer := func(url string) Evidence {
		return Evidence{Exchange: wire.Exchange{Request: wire.Request{URL: url}, Response: &wire.Response{Status: 429, Header: http.Header{"Retry-After": {"3600"}}}}}
	}
	const auth, hook = "http://a.example/auth", "http://a.example/hook"
	if _, again := l.learn(answer(auth+"?a=b"), 0, time.Minute); again || !l.shut(auth) {
		t.Error("an hour is waited for")
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := l.wait(ended, hook); err != nil || l.shut(hook) {
		t.Errorf("the other place waits too: %v", err)
	}
	if clock = clock.Add(2 * time.Minute); l.shut(auth) {
		t.Error("it is never tried again")
	}
}

// A limit is kept to at about what it allows, whatever it goes by. Who counts what he
// refuses, and locks everybody out for a while, is no sooner served by who asks slowly.
func TestALimitIsKeptToAtWhatItAllows(t *testing.T) {
	const requests, patience = 300, time.Minute
	for _, row := range []struct {
		name    string
		serves  func() func(n int, now time.Time) bool
		atLeast time.Duration // that it takes whoever knows the limit
		learnt  string
	}{
		{"five seconds' lock after ten that are refused", func() func(int, time.Time) bool {
			refused, until := 0, time.Time{}
			return func(n int, now time.Time) bool {
				if now.Before(until) {
					return false
				}
				if n%3 > 0 {
					if refused++; refused%10 == 0 {
						until = now.Add(5 * time.Second)
					}
				}
				return true
			}
		}, 100 * time.Second, "counts what it refuses"},
		{"ten a second, and forty at once", func() func(int, time.Time) bool {
			tokens := rate.NewLimiter(10, 40)
			return func(_ int, now time.Time) bool { return tokens.AllowN(now, 1) }
		}, 26 * time.Second, "times a second"},
		{"forty in each second", func() func(int, time.Time) bool {
			in := map[int64]int{}
			return func(_ int, now time.Time) bool { in[now.Unix()]++; return in[now.Unix()] <= 40 }
		}, 7 * time.Second, "times a second"},
		{"sixty in each minute", func() func(int, time.Time) bool {
			in := map[int64]int{}
			return func(_ int, now time.Time) bool { in[now.Unix()/60]++; return in[now.Unix()/60] <= 60 }
		}, 240 * time.Second, "times a"},
	} {
		t.Run(row.name, func(t *testing.T) {
			began := time.Date(2026, 1, 31, 12, 0, 20, 0, time.UTC)
			clock := began
			l := limit{now: func() time.Time { return clock }}
			serves := row.serves()
			tooMany := Evidence{Exchange: wire.Exchange{Response: &wire.Response{Status: 429}}}
			for n := range requests {
				for waited := time.Duration(0); ; {
					if l.allowed == nil {
						clock = clock.Add(5 * time.Millisecond)
					} else {
						clock = clock.Add(time.Duration(float64(time.Second) / float64(l.allowed.Limit())))
					}
					if serves(n, clock) {
						l.serve("")
						break
					}
					pause, again := l.learn(tooMany, waited, patience)
					if !again {
						t.Fatalf("request %d was given up after %s", n, waited)
					}
					waited, clock = waited+pause, clock.Add(pause)
				}
			}
			if took := clock.Sub(began); took > 4*row.atLeast {
				t.Errorf("it took %s; whoever knows the limit needs %s", took, row.atLeast)
			}
			if got := l.learnt(); !strings.Contains(got, row.learnt) {
				t.Errorf("it says that it %s", got)
			}
		})
	}
}

// What is sent at once, or by a page, is more than a limit lets through, however slowly
// all else is sent.
func TestABurstMakesNothingSlower(t *testing.T) {
	clock := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	l := limit{now: func() time.Time { return clock }}
	tooMany := Evidence{Exchange: wire.Exchange{Response: &wire.Response{Status: 429, Header: http.Header{"Retry-After": {"1"}}}}}
	for range 10 {
		l.serve("")
	}
	l.learn(tooMany, 0, time.Minute)
	was := l.allowed.Limit()
	for range 5 {
		clock = clock.Add(2 * time.Second)
		if pause, again := l.pause(tooMany, time.Minute); !again || pause != time.Second {
			t.Errorf("after a burst: %s, %v", pause, again)
		}
	}
	if l.allowed.Limit() != was {
		t.Errorf("%v a second, it was %v", l.allowed.Limit(), was)
	}
	clock = clock.Add(2 * time.Second)
	if l.learn(tooMany, 0, time.Minute); l.allowed.Limit() >= was {
		t.Errorf("%v a second are too many, and are sent on", was)
	}
}
