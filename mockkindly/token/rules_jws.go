package token

import (
	"errors"
	"fmt"
	"strings"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
)

// jwsRules judge the form of the token, its signature and its key.
var jwsRules = []judgedRule{
	{rule.Rule{
		ID: "TOK-COMPACT", Level: rule.Must, Fidelity: rule.Documented, Code: "mint",
		Text:    "Three segments of unpadded, canonical base64url; no white space or line ends.",
		Source:  rule.RFC7515,
		Fix:     "Return what the JWT library gives, as it is: no trimming, wrapping, quoting or encoding of your own.",
		Broken:  "The token is not written as a JWT must be: something was wrapped around it, or it was encoded again.",
		Why:     "A line end, a quote or padding makes it a different text: strict parsers refuse it, and as a header it may not even be sent.",
		Refused: rule.Documented,
	}, needForm, judgeCompact},
	{rule.Rule{
		ID: "TOK-ALG", Level: rule.Must, Fidelity: rule.Documented, Code: "mint",
		Text:    "The header's alg is exactly RS256.",
		Source:  rule.ChatAuthentication,
		Fix:     "Sign with RS256 and your RSA private key.",
		Broken:  "The token is not signed with RS256.",
		Why:     "Another algorithm does not fit the key that Kindly has. With HS256 the public key would have to serve as a secret, which everybody knows.",
		Kindly:  "It takes RS256, signed and not encrypted.",
		Refused: rule.Documented,
	}, needForm | needHeader, judgeAlg},
	{rule.Rule{
		ID: "TOK-HEADER-SAFE", Level: rule.Should, Fidelity: rule.Assumed, Code: "mint",
		Text:   "The header has no jwk, jku, x5u, x5c, crit, b64 or zip.",
		Source: rule.RFC8725,
		Fix:    "Leave them out: Kindly has your key, and whoever believes a key that comes with the token can be fooled.",
		Broken: "The token's header carries a key, a link to one, or an extension.",
		Why:    "A key, or a link to one, in the header is an offer to verify the token with what its sender brought. A careless webhook takes it, and then anybody can sign.",
	}, needForm | needHeader, judgeHeaderSafe},
	{rule.Rule{
		ID: "TOK-SIGNATURE", Level: rule.Must, Fidelity: rule.Documented, Code: "keys",
		Text: "It verifies with the uploaded public key. A failure says which key did sign it, where that can be told " +
			"(another configured key, the published demo key), and what is wrong with the PEM.",
		Source:  rule.ChatAuthentication,
		Fix:     "Upload the public half of the key that signs: openssl rsa -in private.pem -pubout -out public.pem.",
		Broken:  "The token's signature does not verify with the uploaded public key.",
		Why:     "If it does not verify, nothing in it counts: the user is a stranger. The usual cause is a key that was changed in one place only.",
		Refused: rule.Documented,
	}, needForm | needHeader | needKey, judgeSignature},
	{rule.Rule{
		ID: "TOK-KEY-SIZE", Level: rule.Must, Fidelity: rule.Assumed, Code: "keys",
		Text:   "The key is RSA, 2048 bits or more, with a usual exponent.",
		Source: rfc7518KeySize,
		Fix:    "Make a new key (openssl genrsa -out private.pem 2048), and upload its public half.",
		Broken: "The key that signs tokens is weak.",
		Why:    "Short RSA keys can be factored with rented computers (512 bits in hours, 768 bits have been done). Who has the private key is every one of your users.",
	}, needForm | needKey, judgeKeySize},
	{rule.Rule{
		ID: "TOK-KEY-PUBLISHED", Level: rule.Must, Fidelity: rule.Assumed, Code: "keys",
		Text: "The key is not one whose private half is public (Kindly's published demo key has the SPKI SHA-256 " +
			KindlyDemoKey + "; it stands in a public repository, and integrations get copied from there).",
		Source: rule.RFC8725,
		Fix:    "Anyone can sign as any of your users. Make a key of your own (openssl genrsa -out private.pem 2048), and upload its public half.",
		Broken: "The private half of the key that signs tokens is public.",
		Why:    "The private half of this key stands in a public repository. Anyone who finds it signs tokens for any user of yours.",
		Kindly: "The demo key belongs to a published example; integrations are copied from there.",
	}, needForm | needKey, judgeKeyPublished},
	{rule.Rule{
		ID: "TOK-JSON", Level: rule.Must, Fidelity: rule.Documented, Code: "mint",
		Text:    "Header and payload are JSON objects in valid UTF-8.",
		Source:  rule.RFC7519,
		Fix:     "Let a JWT library write the token, and give it UTF-8 text.",
		Broken:  "The token's header or payload is no JSON object in UTF-8.",
		Why:     "Names with æ, é or ł break a token that was put together by hand in another encoding: it works for your testers, and not for Zoë.",
		Refused: rule.Documented,
	}, needForm, judgeJSON},
	{rule.Rule{
		ID: "TOK-DUPLICATE-KEYS", Level: rule.Should, Fidelity: rule.Assumed, Code: "mint",
		Text:   "No object in it has a member twice.",
		Source: rule.RFC7519 + "#section-4",
		Fix:    "Write each member once: parsers differ in which one they take.",
		Broken: "The token holds a member twice.",
		Why:    "Parsers differ in which of two members they take. Kindly shows one user then, and your webhook serves the other.",
	}, needForm, judgeDuplicates},
}

func judgeCompact(s *state) verdict {
	if s.problem == "" {
		return held
	}
	v := bad("header.payload.signature, each in unpadded base64url", s.problem)
	if s.mistake.ID != "" {
		return v.as(s.mistake)
	}
	return v
}

func judgeAlg(s *state) verdict {
	const expected = `alg is "RS256"`
	alg := s.token.Header.Get("alg")
	switch text, ok := alg.Text(); {
	case ok && text == "RS256":
		return held
	case ok && strings.EqualFold(text, "none"):
		return bad(expected, "alg is "+show(alg)+": the token is not signed, anyone can write it").as(Unsigned)
	case ok && isHMAC(text) && s.keyedWithPublicKey(text):
		return bad(expected, "alg is "+show(alg)+", and the public key is its secret").as(HMACPublicKey)
	case ok && (isHMAC(text) || isOtherKeyType(text)) && s.isForAnotherService():
		return bad(expected, "alg is "+show(alg)+", and the token names no chat").as(ForAnotherService)
	case ok && isHMAC(text):
		return bad(expected, "alg is "+show(alg)+": a shared secret, which Kindly has not").as(HMAC)
	case ok && otherRSA(text) != 0:
		return bad(expected, "alg is "+show(alg)).as(OtherAlgorithm)
	case ok && isOtherKeyType(text):
		return bad(expected, "alg is "+show(alg)+": no RSA key signs so").as(OtherKeyType)
	case alg.Exists():
		return bad(expected, "alg is "+show(alg))
	}
	for _, m := range s.token.Header.Members() {
		if strings.EqualFold(m.Name, "alg") {
			return badf(expected, "alg is missing; %s is another name", quote(m.Name))
		}
	}
	return bad(expected, "alg is missing")
}

func judgeHeaderSafe(s *state) verdict {
	var found listing
	for _, m := range s.token.Header.Members() {
		switch m.Name {
		case "jwk", "jku", "x5u", "x5c", "crit", "b64", "zip":
			found.add(m.Name)
		}
	}
	if found.n == 0 {
		return held
	}
	return bad("only alg, typ and kid", "the header has "+found.String())
}

func judgeKeySize(s *state) verdict {
	bits := s.key.Public.N.BitLen()
	if bits < 2048 {
		return badf("2048 bits or more", "%s has %d bits", s.key.title(), bits)
	}
	switch e := s.key.Public.E; e {
	case 3, 5, 17, 257, 65537: // the Fermat primes
		return held
	default:
		return badf("the exponent 65537", "%s has the exponent %d", s.key.title(), e)
	}
}

func judgeKeyPublished(s *state) verdict {
	const expected = "a key whose private half only you have"
	for _, k := range []*Key{s.key, s.signedBy} {
		if k == nil {
			continue
		}
		if where, ok := s.published(k); ok {
			return badf(expected, "%s is %s", k.title(), where)
		}
	}
	return held
}

func judgeJSON(s *state) verdict {
	const expected = "a JSON object as header, and one as payload"
	var missing error
	for _, err := range []error{s.headerErr, s.claimsErr, s.encoded} {
		switch {
		case err == nil:
		case errors.Is(err, errNoSegment):
			missing = err
		case s.headerErr == nil && s.token.Header.Get("zip").Kind() == String:
			return bad(expected, err.Error()+", and the header has zip").as(Compressed)
		case s.mistake == CutOff:
			return bad(expected, err.Error()).as(CutOff)
		default:
			return bad(expected, err.Error())
		}
	}
	if missing != nil {
		return unknown("the token cannot be taken apart: see TOK-COMPACT")
	}
	return held
}

func judgeDuplicates(s *state) verdict {
	if s.headerErr != nil || s.claimsErr != nil {
		return unknown("the token is no JSON that could be read: see TOK-JSON and TOK-COMPACT")
	}
	var found listing
	findDuplicates(s.token.Header, "", &found)
	findDuplicates(s.token.Claims, "", &found)
	if found.n == 0 {
		return held
	}
	return bad("each member once", "more than once: "+found.String())
}

// findDuplicates collects the paths of members whose name was there before.
func findDuplicates(v Value, path string, found *listing) {
	members := v.Members()
	if v.Kind() == Object {
		repeatedNames(members, func(name string) { found.add(quote(join(path, name))) })
	}
	for _, m := range members {
		if len(m.Value.Members()) > 0 {
			findDuplicates(m.Value, join(path, m.Name), found)
		}
	}
}

// fewMembers is up to where comparing all with all is cheaper than a map.
const fewMembers = 24

func repeatedNames(members []Member, report func(name string)) {
	if len(members) > fewMembers {
		seen := make(map[string]bool, len(members))
		for _, m := range members {
			if seen[m.Name] {
				report(m.Name)
			}
			seen[m.Name] = true
		}
		return
	}
	for i, m := range members {
		for _, before := range members[:i] {
			if before.Name == m.Name {
				report(m.Name)
				break
			}
		}
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// maxListed is how many names a message shows.
const maxListed = 5

// listing collects names for a message.
type listing struct {
	n     int
	names []string
}

func (l *listing) add(name string) {
	if l.n++; l.n <= maxListed {
		l.names = append(l.names, name)
	}
}

func (l *listing) String() string {
	text := strings.Join(l.names, ", ")
	if more := l.n - len(l.names); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
