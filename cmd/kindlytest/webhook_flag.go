package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/config"
	"github.com/kindlytest/kindlytest/cmd/kindlytest/hint"
	"github.com/kindlytest/kindlytest/target"
)

// localStart is where LOCAL begins in [NAME=]PUBLIC[=LOCAL].
var localStart = regexp.MustCompile(`=https?://`)

// parseWebhook reads [NAME=]PUBLIC[=LOCAL]. URLs hold = in their queries, so
// that the parts are told by what they are: a NAME has no ':' and no '/', and a
// LOCAL begins with http:// or https://.
func parseWebhook(s string) (target.Webhook, error) {
	var w target.Webhook
	if name, rest, ok := strings.Cut(s, "="); ok && !strings.ContainsAny(name, ":/") {
		if name == "" {
			return w, hint.Errorf("an example: orders=https://hooks.example.com/kindly", "%q begins with =, so the name is missing", s)
		}
		w.Name, s = name, rest
	}
	public, local, err := splitLocal(s)
	if err != nil {
		return w, err
	}
	if err := config.CheckURL(public); err != nil {
		return w, err
	}
	if local != "" {
		if err := config.CheckURL(local); err != nil {
			return w, fmt.Errorf("the local address: %w", err)
		}
	}
	w.URL, w.ConnectTo = public, local
	return w, nil
}

func splitLocal(s string) (public, local string, err error) {
	starts := localStart.FindAllStringIndex(s, -1)
	if len(starts) == 0 {
		return s, "", nil
	}
	public, local = s[:starts[0][0]], s[starts[0][0]+1:]
	if len(starts) > 1 || endsInParameterName(public) {
		return "", "", hint.Errorf("percent-encode a URL within a query (http%3A%2F%2F), or describe the webhook in kindlytest.yaml",
			"it is not clear where the local address begins in %q", s)
	}
	return public, local, nil
}

// endsInParameterName says whether a URL breaks off where its query names a
// parameter, so that =http:// may be the parameter's value.
func endsInParameterName(url string) bool {
	_, query, ok := strings.Cut(url, "?")
	last := query[strings.LastIndexByte(query, '&')+1:]
	return ok && !strings.Contains(last, "=")
}
