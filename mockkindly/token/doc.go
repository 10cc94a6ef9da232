// Package token says what a chat authentication token must be for Kindly, and
// judges one. It is pure: no clock, no network, no state. Every rule is
// written once, as one literal beside the function that judges it.
//
//	key, err := token.ParsePublicKey("public.pem", pem)
//	if err != nil { … } // a *KeyError says what the file is instead
//	result := token.Check(token.Raw(jwt), token.Expect{
//		Keys: []*token.Key{key}, ChatID: chatID, Now: time.Now(),
//	})
//	fmt.Println(result) // accepted or refused, and each violation in a line
//
// Check gives all violations, not the first. A rule that cannot be judged (no
// key given, payload unreadable) is listed as such, so that silence always
// means "holds".
//
// The compact form, base64url and JSON are read here, over the raw bytes:
// JWT libraries forgive what a stricter one at Kindly may not (line ends within
// the signature, EXP for exp, a member given twice).
package token
