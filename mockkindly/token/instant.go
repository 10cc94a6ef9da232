package token

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/internal/clip"
)

// instant is a claim that should hold seconds since 1970.
type instant struct {
	seconds int64
	known   bool   // seconds is what is meant, also if it is written otherwise
	problem string // why it doesn't
	mistake Diagnosis
}

// readInstant reads a claim that holds seconds since 1970, and says what it is
// if it is something else. A point in time in another unit, as text or with a
// fraction is one all the same: the other rules judge what is meant.
func readInstant(v Value) instant {
	n, ok := v.Int()
	no := func(mistake Diagnosis, format string, args ...any) instant {
		at := instant{problem: fmt.Sprintf(format, args...), mistake: mistake}
		at.seconds, at.known = meant(v)
		return at
	}
	switch {
	case !v.Exists():
		return no(Diagnosis{}, "is missing")
	case v.Kind() == String:
		return no(textMistake(v.text), "is %s", show(v))
	case v.Kind() == Null:
		return no(TimeIsNull, "is null")
	case v.Kind() != Number:
		return no(Diagnosis{}, "is %s", show(v))
	case !ok:
		return no(fractionMistake(v), "is written %s, which is no integer of 64 bits", clip.Text(v.JSON(), maxShown))
	case n < 0:
		return no(Diagnosis{}, "is %d: before 1970", n)
	case isTicks(float64(n)):
		return no(Milliseconds, "is %d: that is .NET's ticks, of 100 ns since the year 1", n)
	case n >= 1e17:
		return no(Milliseconds, "is %d: that looks like nanoseconds", n)
	case n >= 1e14:
		return no(Milliseconds, "is %d: that looks like microseconds", n)
	case n >= 1e11: // the year 5138 in seconds, 1973 in milliseconds
		return no(Milliseconds, "is %d: that is milliseconds", n)
	}
	return instant{seconds: n, known: true}
}

const ticksTo1970 = 621355968e9

// isTicks says whether a number is a DateTime.Ticks of .NET of our times: as nanoseconds
// it would be one of 1990.
func isTicks(f float64) bool { return f >= 6.3e17 && f < 6.7e17 }

// meant is the point in time that a claim plainly tells, in seconds, whatever it is
// written in.
func meant(v Value) (seconds int64, ok bool) {
	written := v.json
	if text, isText := v.Text(); isText {
		written = strings.TrimSpace(text)
	} else if v.Kind() != Number {
		return 0, false
	}
	f, err := strconv.ParseFloat(written, 64)
	if err != nil {
		return 0, false
	}
	if isTicks(f) {
		f = (f - ticksTo1970) / 1e7
	}
	for f >= 1e11 && f < 1e20 { // milliseconds, microseconds, nanoseconds
		f /= 1000
	}
	return int64(f), f >= earliest && f < latest
}

// duration is how lifetimes are written as text: "300", "5m", "15 minutes".
var duration = regexp.MustCompile(`^\s*\d{1,8}\s*([a-z]+\s*)?$`)

func textMistake(text string) Diagnosis {
	if len(text) < maxShown && duration.MatchString(strings.ToLower(text)) {
		return DurationForInstant
	}
	return TimeAsText
}

func fractionMistake(v Value) Diagnosis {
	if f, err := strconv.ParseFloat(v.json, 64); err == nil && f > 0 && f < 1e11 {
		return TimeWithFraction
	}
	return Diagnosis{}
}

// earliest is a time before that of any token, in seconds: what is smaller
// counts from somewhere else than 1970.
const earliest = 5e8 // 1985

// latest is a time after that of any token whose time is written otherwise than in
// seconds, in seconds: what is greater is a number that never comes.
const latest = 5e9 // 2128

// readTimes reads iat and exp, of which each tells about the other.
func (s *state) readTimes() {
	s.iat, s.exp = readInstant(s.claim("iat")), readInstant(s.claim("exp"))
	if s.iat.problem == "" && s.iat.seconds < earliest {
		s.iat = instant{mistake: DurationForInstant,
			problem: fmt.Sprintf("is %d: seconds since something else than 1970, such as the start of the process", s.iat.seconds)}
	}
	if s.exp.problem == "" && s.exp.seconds < earliest {
		s.exp = instant{mistake: DurationForInstant, problem: fmt.Sprintf("is %d: a duration, not a point in time", s.exp.seconds)}
	}
	if exp, err := strconv.ParseFloat(s.claim("exp").json, 64); err == nil && s.exp.mistake == TimeWithFraction && s.iat.problem == "" {
		if d := exp - float64(s.iat.seconds); d >= 0 && d <= tooShort {
			s.exp.mistake = LifetimeAsText
		}
	}
	if d := s.exp.seconds - s.iat.seconds; s.exp.problem != "" && s.iat.known && d >= 0 && d <= tooShort {
		s.exp.known = false // now + 300 in milliseconds: nobody means that
	}
}

// tooShort is a lifetime that nobody means, in seconds: 5000 ms.
const tooShort = 5

// describeLifetime says what is wrong with a lifetime out of bounds.
func (s *state) describeLifetime(lifetime int64) verdict {
	var v verdict
	switch {
	case lifetime == 0:
		return bad("exp after iat", "exp equals iat").as(LifetimeAsText)
	case lifetime < 0:
		v = badf("exp after iat", "exp is %d s before iat", -lifetime)
	default:
		v = badf("at most 900 s", "exp is %d s after iat", lifetime)
	}
	switch size, ok := zoneIn(lifetime); {
	case ok && s.iatIsRight():
		v.actual += fmt.Sprintf(": %s off, as a time zone is", hours(size))
		return v.as(TimeZone)
	case lifetime < 0:
		return v.as(ExpiryBeforeIssue)
	case lifetime%1000 == 0 && slices.Contains(usualLifetimes, lifetime/1000):
		v.actual += fmt.Sprintf(": %d s in milliseconds", lifetime/1000)
		return v.as(LifetimeInMilliseconds)
	}
	return v
}

// iatIsRight says whether iat is the time of arrival, as far as that is known.
func (s *state) iatIsRight() bool {
	return s.Now.IsZero() || s.skew() <= maxClock && s.skew() >= -maxClock
}

// usualLifetimes are those that people choose, in seconds.
var usualLifetimes = []int64{60, 120, 180, 300, 600, 900}

// zoneIn finds the offset of a time zone in a lifetime: what is left then is a
// usual lifetime.
func zoneIn(lifetime int64) (size int64, ok bool) {
	for _, size := range zones {
		for _, usual := range usualLifetimes {
			if lifetime+size == usual || lifetime-size == usual && lifetime%3600 != 0 {
				return size, true
			}
		}
	}
	return 0, false
}

// whyExpired says why a token has expired on arrival, if iat tells.
func (s *state) whyExpired() Diagnosis {
	if !s.iat.known {
		return Diagnosis{}
	}
	lifetime, d := s.exp.seconds-s.iat.seconds, s.skew()
	switch {
	case lifetime <= 0:
		return s.describeLifetime(lifetime).diagnosis
	case lifetime <= tooShort && s.iatIsRight():
		return LifetimeAsText
	case d < -maxClock:
		return skewMistake(d)
	}
	return Diagnosis{}
}

// zones are the sizes of the offsets that time zones have from UTC, in seconds.
var zones = func() (out []int64) {
	for hour := int64(1); hour <= 14; hour++ {
		out = append(out, hour*3600)
	}
	for _, minutes := range []int64{150, 210, 270, 330, 345, 390, 525, 570, 630, 765, 825} {
		out = append(out, minutes*60)
	}
	return out
}()

// zoneOf tells whether a skew is the offset of a time zone, but for the way of
// the token.
func zoneOf(skew int64) (size int64, ok bool) {
	const way, rounding = 15, 2
	for _, size := range zones {
		for _, offset := range []int64{size, -size} {
			if left := skew - offset; left >= -way && left <= rounding {
				return size, true
			}
		}
	}
	return 0, false
}

func skewMistake(d int64) Diagnosis {
	switch _, zone := zoneOf(d); {
	case zone:
		return TimeZone
	case d > 0:
		return ClockAhead
	}
	return ClockOrKept
}

func describeSkew(d int64) string {
	side, size := "ahead of", d
	if d < 0 {
		side, size = "behind", -d
	}
	if zone, ok := zoneOf(d); ok {
		return fmt.Sprintf("%d s %s the real time: %s, to the second, as a time zone is", size, side, hours(zone))
	}
	return fmt.Sprintf("%d s %s the real time", size, side)
}

// hours writes a whole number of minutes: "1 h", "5 h 30 min".
func hours(seconds int64) string {
	d := time.Duration(seconds) * time.Second
	text := fmt.Sprintf("%d h", int(d.Hours()))
	if m := int(d.Minutes()) % 60; m > 0 {
		text += fmt.Sprintf(" %d min", m)
	}
	return text
}
