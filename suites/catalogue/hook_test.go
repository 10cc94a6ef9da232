package catalogue

import "testing"

func TestValuesThatTellWhoSomebodyIs(t *testing.T) {
	for value, want := range map[string]bool{
		"Ada": false, "Ada Lovelace": true, "ada@shop.example": true,
		"7": false, "100001": false, "4711471147": true, "c0ffee-1": true,
	} {
		if got := telling(value); got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
}

func TestATokenIsLookedForWithoutWhatIsAroundIt(t *testing.T) {
	const compact = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiI3In0abc.c2lnbmF0dXJl"
	for given, want := range map[string]string{
		compact: compact, compact + "\n": compact, `"` + compact + `"`: compact, "Bearer " + compact: compact, "7f3a": "7f3a",
	} {
		if got := coreOf(given); got != want {
			t.Errorf("%q: %q, want %q", given, got, want)
		}
	}
}
