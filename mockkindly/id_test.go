package mockkindly

import "testing"

// The bits that RFC 9562, 5.4 fixes, and the form of section 4.
func TestUUID(t *testing.T) {
	var ones [16]byte
	for i := range ones {
		ones[i] = 0xff
	}
	for want, random := range map[string][16]byte{
		"00000000-0000-4000-8000-000000000000": {},
		"ffffffff-ffff-4fff-bfff-ffffffffffff": ones,
		"00010203-0405-4607-8809-0a0b0c0d0e0f": {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
	} {
		if got := UUID(random); got != want {
			t.Errorf("%s, not %s", got, want)
		}
	}
}
