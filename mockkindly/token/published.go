package token

import "github.com/kindlytest/kindlytest/internal/clip"

// KindlyDemoKey is the fingerprint of the key that Kindly publishes, both
// halves, with a sample integration.
const KindlyDemoKey = "5450d44a257248a8bdf74950606c9e057815a90ec2f5e61ba7a1bddfb79204e9"

// publishedKeys are fingerprints of keys whose private half anyone can read,
// and where. Tests prove all but
// Kindly's from the publications themselves.
var publishedKeys = map[string]string{
	KindlyDemoKey: "Kindly's published demo key",
	"6fd13c2435a361e7c588cd17f55f5ad3df0177a66c1727a6a200845f4d7ab88c": "the sample key of RFC 7515, appendix A.2",
	"627771f25da426d1f9ae315e42106d700b1529850eee1592acf39603959d795d": "the sample key of RFC 7520, section 3.4",
	"f56c8b01227f62ddbc16eb29a6ac0b310e276760a5e06302fa881a35146f6bc7": "the sample key of jwt.io",
	"d2f8d7917928bbe7a457bdbaa0f69221a49b0fbc867ea34b700e9e78364d57e8": "the former sample key of jwt.io",
	"411a6612528417de252e5d2bf92bcf16bb2279b77f79ccd1f5c30d96418d1c08": "the test key of golang-jwt",
}

// published says where the private half of k can be read, if it can.
func (s *state) published(k *Key) (where string, ok bool) {
	id := k.Fingerprint
	if id == "" {
		id = fingerprint(k.Public)
	}
	if where, ok = publishedKeys[id]; ok {
		return where, true
	}
	if where, ok = s.Published[id]; ok {
		return "published: " + clip.Text(where, maxShown), true
	}
	return "", false
}
