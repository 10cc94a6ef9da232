package subject

import (
	"net/http"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/wire"
)

func turnedAway(retryAfter string) Evidence {
	h := http.Header{}
	if retryAfter != "" {
		h.Set("Retry-After", retryAfter)
	}
	return Evidence{Exchange: wire.Exchange{Response: &wire.Response{Status: http.StatusTooManyRequests, Header: h}}}
}

func TestALimitIsLearnt(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, row := range map[string]struct {
		served     int
		retryAfter string
		pause      time.Duration
		perSecond  float64
	}{
		"ten a second":                  {10, "1", time.Second, 10},
		"sixty a minute":                {60, "60", time.Minute, 1},
		"without a word of when":        {10, "", time.Second, 10},
		"at a point in time":            {10, now.Add(2 * time.Second).Format(http.TimeFormat), 2 * time.Second, 10},
		"from the first request onward": {0, "1", time.Second, 1},
	} {
		t.Run(name, func(t *testing.T) {
			l := limit{now: func() time.Time { return now }}
			for range row.served {
				l.serve()
			}
			pause, again := l.learn(turnedAway(row.retryAfter), 0, 2*time.Minute)
			if !again || pause != row.pause {
				t.Errorf("pause %s, again %v; want %s", pause, again, row.pause)
			}
			if got, limited := l.is(); !limited || got != row.perSecond {
				t.Errorf("%g a second, want %g", got, row.perSecond)
			}
		})
	}
}

func TestALimitOfHoursIsNotWaitedFor(t *testing.T) {
	l := limit{now: time.Now}
	if pause, again := l.learn(turnedAway("3600"), 0, time.Minute); again {
		t.Errorf("it would wait %s", pause)
	}
}
