package mockkindly

import "regexp"

// mostLength is how long a token may be that the chat client hands over, in
// characters.
const mostLength = 1_000_000

// fixesOfErrors are told by what browsers throw.
var fixesOfErrors = []struct {
	says *regexp.Regexp
	fix  string
}{
	{regexp.MustCompile(`(?i)not valid JSON|JSON\.parse|JSON Parse error|in JSON at position|JSON input`),
		"What the callback reads as JSON is none: a page for people (a login, an error page), nothing, or the token as a text. The browser's Network panel shows the answer."},
	{regexp.MustCompile(`(?i)failed to fetch|networkerror|load failed`),
		"The request did not get through: the browser's console says why (CORS, a Content-Security-Policy, nobody at that address)."},
	{regexp.MustCompile(`(?i)cannot read propert|can't access property|is not an object|is not defined`),
		"What the callback reads is not there when the chat calls it: another script has not come so far, or the name is another. Wait for it in the callback."},
}

// Fix says what helps where a call of getAuthToken brought no token; "" where
// nothing is wrong, or the call goes on.
func (c CallbackReport) Fix() string {
	switch c.Outcome {
	case "undefined":
		return "Define window.kindlyOptions.getAuthToken before Kindly's script runs."
	case "empty":
		if c.Type == "undefined" {
			return "Return the promise: `return fetch(…)` (a function with braces returns nothing by itself), and return in each `then`, or use await."
		}
		return "For whoever is not logged in that is right. For others look at what the auth endpoint answers: the browser's Network panel shows it."
	case "not-a-string":
		return "Return the token alone: `return (await response.json()).token`."
	case "threw", "rejected":
		for _, f := range fixesOfErrors {
			if f.says.MatchString(c.Error) {
				return f.fix
			}
		}
		return "Handle the errors of the callback, and return null where there is no token. The browser's console has the whole message, that of CORS too."
	case "token":
		if c.Length > mostLength {
			return "Return the token alone, a JWT of a few hundred bytes, not a whole page or file."
		}
	}
	return ""
}
