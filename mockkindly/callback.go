package mockkindly

// mostLength is how long a token may be that the chat client hands over, in
// characters.
const mostLength = 1_000_000

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
		return "Handle the errors of the callback, and return null where there is no token. The browser's console has the whole message, that of CORS too."
	case "token":
		if c.Length > mostLength {
			return "Return the token alone, a JWT of a few hundred bytes, not a whole page or file."
		}
	}
	return ""
}
