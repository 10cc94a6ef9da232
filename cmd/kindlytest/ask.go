package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/config"
	"github.com/kindlytest/kindlytest/cmd/kindlytest/hint"
	"github.com/kindlytest/kindlytest/cmd/kindlytest/starter"
	"github.com/kindlytest/kindlytest/internal/wire"
)

// An interview asks, and asks again until an answer will do.
type interview struct {
	in  *bufio.Scanner
	out io.Writer
	err error // the first; from then on nothing is asked
}

// ask asks what a team begins with. exists tells whether a file is there.
func ask(in io.Reader, out io.Writer, exists func(string) bool) (starter.Answers, error) {
	i := &interview{in: bufio.NewScanner(in), out: out}
	var a starter.Answers
	fmt.Fprintln(out, "What is to be checked? An empty answer takes what is in brackets, or leaves it out.")
	for i.err == nil {
		i.target(&a)
		if i.err != nil || a.Page != "" || a.Endpoint != "" || len(a.Webhooks) > 0 {
			break
		}
		fmt.Fprintln(out, "  At least one of page, endpoint and webhook is needed.")
	}
	if !i.isLocal(a) {
		a.Gate = i.gate()
	}
	a.BotKey = i.text("The bot's key", "")
	if a.PublicKey = i.text("PEM file of the public key that you pasted into Kindly, or none", "public.pem"); a.PublicKey == "none" {
		a.PublicKey = ""
	}
	if i.err == nil && a.PublicKey != "" && !exists(a.PublicKey) {
		fmt.Fprintf(out, "  There is no %s yet; put the key there before the first run.\n", printable(a.PublicKey))
	}
	a.CI = i.ci(exists)
	if len(a.CI) > 0 && a.Local() != "" {
		a.Start = i.text("Shell command that starts your application in the CI", "")
	}
	return a, i.err
}

func (i *interview) target(a *starter.Answers) {
	a.Page = i.url("URL of the page with the chat")
	if a.Page == "" {
		a.Endpoint = i.url("URL of the auth endpoint")
	} else if a.Login = i.url("URL where users log in"); a.Login != "" {
		a.SecondLogin = i.yes("Is there a second user, to see that sessions are kept apart?")
	}
	for i.err == nil {
		w, ok := i.webhook()
		if !ok {
			break
		}
		a.Webhooks = append(a.Webhooks, w)
	}
	if len(a.Webhooks) > 0 {
		a.HMAC = i.yes("Does Kindly sign its requests to the webhooks (Kindly-HMAC)?")
	}
}

// isLocal says whether all that is called is on this machine, before which
// nothing stands.
func (i *interview) isLocal(a starter.Answers) bool {
	urls := []string{a.Page, a.Endpoint}
	for _, w := range a.Webhooks {
		urls = append(urls, cmp.Or(w.ConnectTo, w.URL))
	}
	return !slices.ContainsFunc(urls, func(u string) bool { return u != "" && !wire.IsLoopback(u) })
}

// gate asks what stands before a staging system.
func (i *interview) gate() string {
	for i.err == nil {
		answer := i.text("What stands before it: header, basic, certificate or none", "none")
		if answer == "none" {
			return ""
		}
		if slices.Contains(starter.Gates, answer) {
			return answer
		}
		fmt.Fprintln(i.out, "  There are header, basic, certificate and none; a proxy is read from HTTPS_PROXY.")
	}
	return ""
}

const noTokenToLocalhost = "Kindly forwards no token to localhost"

// webhook asks for one; false if there is none more.
func (i *interview) webhook() (starter.Webhook, bool) {
	public := i.url("URL of a webhook, as Kindly knows it")
	if public == "" {
		return starter.Webhook{}, false
	}
	if wire.IsLoopback(public) {
		fmt.Fprintln(i.out, "  "+noTokenToLocalhost+": give the public URL here, and this one at the next question.")
	}
	w := starter.Webhook{URL: public, ConnectTo: i.url("  where to call it instead, for local work")}
	w.Message = i.text("  a message that it answers", starter.DefaultMessage)
	return w, true
}

// ci asks for the CI; what lies in the project is proposed.
func (i *interview) ci(exists func(string) bool) []string {
	proposed := "none"
	switch {
	case exists(".github"):
		proposed = "github"
	case exists(".gitlab-ci.yml"):
		proposed = "gitlab"
	}
	for i.err == nil {
		answer := i.text("CI to write files for: github, gitlab or none", proposed)
		if answer == "none" {
			return nil
		}
		if slices.Contains(starter.CIs, answer) {
			return []string{answer}
		}
		fmt.Fprintln(i.out, "  There are github, gitlab and none.")
	}
	return nil
}

func (i *interview) url(question string) string {
	for i.err == nil {
		answer := i.text(question, "")
		if answer == "" {
			return ""
		}
		err := config.CheckURL(answer)
		if err == nil {
			return answer
		}
		fmt.Fprintf(i.out, "  %s; %s\n", printable(err.Error()), printable(hint.Of(err)))
	}
	return ""
}

func (i *interview) yes(question string) bool {
	for i.err == nil {
		switch strings.ToLower(i.text(question+" y/n", "n")) {
		case "y", "yes":
			return true
		case "n", "no":
			return false
		}
	}
	return false
}

var errNoAnswer = errors.New("no answer: nothing was written")

// text asks for one line.
func (i *interview) text(question, otherwise string) string {
	if i.err != nil {
		return ""
	}
	if otherwise != "" {
		question += " [" + otherwise + "]"
	}
	fmt.Fprint(i.out, question+": ")
	if !i.in.Scan() {
		i.err = errNoAnswer
		return ""
	}
	if answer := strings.TrimSpace(i.in.Text()); answer != "" {
		return answer
	}
	return otherwise
}
