package advice

import "path"

// alongWith are regions that are of no use without others: they are shown
// together.
var alongWith = map[string][]string{"verify": {"claims"}}

// instead names the region to take where a stack needs no such region of its own.
var instead = map[string]string{"errors": "answer", "answer": "endpoint"}

// closes says which region of the samples closes which findings. The first
// entry that matches counts. What no entry matches is closed by no code.
var closes = []struct {
	region string
	ids    []string // or globs
}{
	{"once", []string{"PAGE-WIDGET-ONCE"}},
	{"csp", []string{"PAGE-CSP"}},
	{"keys", []string{"PAGE-PRIVATE-KEY", "TOK-SIGNATURE", "TOK-KEY-*"}},
	{"callback", []string{"PAGE-WIDGET", "PAGE-CALLBACK-*", "PAGE-LOGGED-OUT", "PAGE-ERRORS", "PAGE-TOKEN-LEAK"}},
	{"mint", []string{"TOK-*", "AUTH-FRESH", "AUTH-HOST-HEADER",
		"FWD-PATTERNS", "FWD-COVERED", "FWD-BROAD", "FWD-SHARED-TENANT", "FWD-UNUSED"}},
	{"origin", []string{"AUTH-CORS-*", "AUTH-CSRF"}},
	{"errors", []string{"AUTH-ERROR-LEAK", "LIVE-HOOK-ABORT", "LIVE-PROCESS", "HOOK-TOKEN-ECHO", "HOOK-ERROR-LEAK"}},
	{"answer", []string{"AUTH-CONTENT-TYPE", "AUTH-NO-STORE", "AUTH-NOSNIFF"}},
	{"endpoint", []string{"AUTH-POST-TOKEN", "AUTH-FORM", "AUTH-NO-SESSION", "AUTH-BAD-SESSION", "AUTH-CHATID-*", "AUTH-BODY-*",
		"AUTH-METHOD", "AUTH-IDENTITY-BODY", "AUTH-BIND-*", "AUTH-CONCURRENT", "LIVE-AUTH-*"}},
	{"claims", []string{"HOOK-OTHER-CHAT", "HOOK-EXP-*", "HOOK-LIFETIME", "HOOK-IAT", "HOOK-NO-CHAT", "HOOK-CHAT-TYPE", "HOOK-SUB-TYPE"}},
	{"reply", []string{"HOOK-UNVERIFIED", "HOOK-ESCAPES"}},
	{"webhook", []string{"HOOK-ANONYMOUS", "HOOK-USER-ID", "HOOK-DISTINGUISHES", "HOOK-SCHEME", "HOOK-BEARER-CASE", "SIG-RAW-BODY",
		"FWD-DELIVERED", "RESP-STATUS", "RESP-JSON", "RESP-FIELDS", "RESP-FIELD-NAMES", "RESP-EMPTY", "RESP-METHOD", "LIVE-HOOK-HEADERS", "LIVE-HOOK-BURST"}},
	{"verify", []string{"HOOK-VALID", "HOOK-TAMPERED", "HOOK-SIGNATURE", "HOOK-ALG-*", "HOOK-KEY-CONFUSION", "HOOK-WRONG-KEY",
		"HOOK-EMBEDDED-KEY", "HOOK-REMOTE-KEY", "HOOK-KID-INJECTION", "HOOK-ECDSA-ZERO", "HOOK-SEGMENTS", "HOOK-GARBAGE",
		"HOOK-EXPIRED", "HOOK-NBF", "HOOK-CRIT"}},
	{"signature", []string{"SIG-*"}},
	{"json", []string{"LIVE-HOOK-BODY", "RESP-ADDITIVE", "RESP-SPARSE", "RESP-UNICODE", "RESP-SOURCES"}},
}

// regionOf is the region that closes a finding; "" if none does.
func regionOf(id string) string {
	for _, c := range closes {
		for _, pattern := range c.ids {
			if ok, err := path.Match(pattern, id); ok && err == nil {
				return c.region
			}
		}
	}
	return ""
}
