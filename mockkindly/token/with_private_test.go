package token

import (
	"strings"
	"testing"
)

// TestTheOtherConfiguredKeyIsNamed: a private key that is at hand signed, and
// its public half is not the uploaded one.
func TestTheOtherConfiguredKeyIsNamed(t *testing.T) {
	k := keys()
	private := &PrivateKey{Key: *NewKey("staging.pem", &k.otherPrivate.PublicKey), Private: k.otherPrivate}
	e := expect()
	e.Keys = WithPrivate(e.Keys, private)
	result := Check(signedBy(k.otherPrivate, mintJSON(nil)), e)
	v, _ := result.Violation("TOK-SIGNATURE")
	if !strings.Contains(v.Actual, `another key: "staging.pem"`) || v.Diagnosis != OtherKnownKey || result.SignedBy == nil {
		t.Errorf("%+v", v)
	}
}

func TestKeysWithAPrivateOne(t *testing.T) {
	k := keys()
	own := &PrivateKey{Key: *NewKey("private.pem", &k.private.PublicKey), Private: k.private}
	for _, c := range []struct {
		name     string
		uploaded []*Key
		private  *PrivateKey
		want     int
	}{
		{"no private key", []*Key{k.key}, nil, 1},
		{"the other half of the uploaded one", []*Key{k.key}, own, 1},
		{"another one", []*Key{k.other}, own, 2},
		{"no uploaded key: the private one is not taken for it", nil, own, 2},
	} {
		got := WithPrivate(c.uploaded, c.private)
		if len(got) != c.want || len(c.uploaded) == 0 && got[0] != nil {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
