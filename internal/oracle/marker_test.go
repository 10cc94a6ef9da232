package oracle

import "testing"

func TestValuesThatTellWhoSomebodyIs(t *testing.T) {
	for value, want := range map[string]bool{
		"Ada": false, "Ada Lovelace": true, "ada@shop.example": true,
		"7": false, "100001": false, "4711471147": true, "c0ffee-1": true,
	} {
		if got := (Marker{Value: value}).Telling(); got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
}
