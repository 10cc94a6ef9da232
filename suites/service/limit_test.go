package service

import (
	"context"
	"net/http"
	"testing"
	"time"

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
