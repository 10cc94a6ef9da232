package subject

import (
	"strings"
	"testing"
	"time"
)

func TestAKindIsToldOnceASecond(t *testing.T) {
	now, long := time.Unix(1_750_000_000, 0), strings.Repeat("x", maxKnown+1)
	var k knownKinds
	for i, row := range []struct {
		at   time.Duration
		what [2]string
		told bool // anew
	}{
		{0, [2]string{"chat", "Bearer a"}, true},
		{0, [2]string{"chat", "Bearer b"}, true},
		{0, [2]string{"other chat", "Bearer a"}, true},
		{999 * time.Millisecond, [2]string{"chat", "Bearer a"}, false},
		{time.Second, [2]string{"chat", "Bearer a"}, true}, // it may have expired
		{time.Second, [2]string{"chat", "Bearer a"}, false},
		{time.Second, [2]string{"body", long}, true},
		{time.Second, [2]string{"body", long}, true},
	} {
		told := false
		kind := k.of(now.Add(row.at), row.what, func() string { told = true; return "kind of " + row.what[0] + row.what[1] })
		if told != row.told || kind != "kind of "+row.what[0]+row.what[1] {
			t.Errorf("%d: told anew: %t, want %t; %.40q", i+1, told, row.told, kind)
		}
	}
}
