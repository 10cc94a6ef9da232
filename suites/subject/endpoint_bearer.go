package subject

import (
	"regexp"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/param"
	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// A session need not be in a header: OAuth's token exchange has it in a form (RFC
// 8693, subject_token), others in JSON or in the path.

// Bearers are the values of the page's request, besides headers and cookies, that are
// the session by themselves: with them alone the user gets a token, and with another
// value in their place no such one.
func (e *Endpoint) Bearers() []param.Leaf {
	if e.bearers == nil {
		return nil
	}
	return e.bearers()
}

// isBearer says whether a value stands where one of [Endpoint.Bearers] does.
func (e *Endpoint) isBearer(l param.Leaf) bool { return slices.ContainsFunc(e.Bearers(), l.Same) }

// findBearers tries what may be one.
func (s *Session) findBearers(e *Endpoint) []param.Leaf {
	if !e.Gave {
		return nil
	}
	v, err := s.visitWithToken()
	if err != nil {
		return nil
	}
	own, err := token.Decode(v.Token)
	if err != nil {
		return nil
	}
	maybe := slices.DeleteFunc(param.All(e.Request, chosenHeader), func(l param.Leaf) bool {
		return l.Place == param.InHeader || !likeACredential(l, own) && !v.toldToUser(l) || param.HoldsID(l.Text(), e.ChatID)
	})
	if len(maybe) == 0 || !s.isOf(v.Token, e.withoutHeaders(e.WithChat(s.NewChatID()), IsCSRFName)) {
		return nil
	}
	var out []param.Leaf
	for _, l := range maybe {
		r, err := WithLeaf(e.withoutHeaders(e.WithChat(s.NewChatID()), IsCSRFName), l, reversed(l.Text()))
		if err != nil {
			continue
		}
		ev, raw := s.Ask(s.Base, "with another value of the "+l.String(), r)
		refused := raw == "" && isRefusal(ev) || raw != "" && differentPeople(raw, v.Token)
		if refused && s.namesUser(e, v, l) {
			out = append(out, l)
			s.Redact.Learn(l.Text())
		}
	}
	return out
}

// isOf says whether a request gets a token for whom another is.
func (s *Session) isOf(own token.Raw, r wire.Request) bool {
	_, raw := s.Ask(s.Base, "with what is in the request itself alone", r)
	return raw != "" && !differentPeople(own, raw)
}

// namesUser tells a session from a value that works once, which nobody gets a token
// without either: the other user's gets the other user's token; or, where there is no
// other user, it is called as credentials are, or is what the page keeps, or was told
// by a session.
func (s *Session) namesUser(e *Endpoint, v *Visit, l param.Leaf) bool {
	if s.Target.Second != nil {
		second, err := s.SecondEndpoint()
		if err != nil {
			return false
		}
		other, err := s.visitSecond()
		if err != nil || !differentPeople(v.Token, other.Token) {
			return false
		}
		for _, theirs := range param.All(second.Request, chosenHeader) {
			if theirs.Same(l) {
				r, err := WithLeaf(e.withoutHeaders(e.WithChat(s.NewChatID()), IsCSRFName), l, theirs.Value)
				return err == nil && s.isOf(other.Token, r)
			}
		}
		return false
	}
	return redact.IsSecretName(l.Name()) || v.keeps(l.Text()) || v.toldToUser(l) && !s.tellsStrangers(e, v, l)
}

// keeps says whether the page keeps a text in the browser's storage.
func (v *Visit) keeps(text string) bool {
	for _, storage := range []map[string]string{v.State.LocalStorage, v.State.SessionStorage} {
		for _, value := range storage {
			if strings.Contains(value, text) {
				return true
			}
		}
	}
	return false
}

// toldToUser says whether the page has a value of an answer to a script's request with
// a session.
func (v *Visit) toldToUser(l param.Leaf) bool {
	if len(l.Text()) < redact.MinSecret || IsCSRFName(l.Name()) {
		return false
	}
	i, place := whereFrom(v.Record.Requests, l.Text())
	if !place.known() {
		return false
	}
	r := v.Record.Requests[i]
	return scriptAsks[r.ResourceType] && (r.Header.Get("Cookie") != "" || r.Header.Get("Authorization") != "")
}

// tellsStrangers says whether who has no session is told a value like one that the page
// was told, and gets a token with that.
func (s *Session) tellsStrangers(e *Endpoint, v *Visit, l param.Leaf) bool {
	i, place := whereFrom(v.Record.Requests, l.Text())
	told, ok := place.read(s.Do(s.Base, "what the page asks before, without credentials", e.withoutHeaders(Resend(v.Record.Requests[i]), IsCSRFName)).Exchange)
	if !ok {
		return false
	}
	r, err := WithLeaf(e.withoutHeaders(e.WithChat(s.NewChatID()), IsCSRFName), l, told.Secret())
	return err == nil && s.isOf(v.Token, r)
}

// likeACredential says whether a value is long and nothing that people write, is not
// what a token tells of its user, and is not called as what names somebody.
func likeACredential(l param.Leaf, own *token.Token) bool {
	text, isText := l.Value.(string)
	name := l.Name()
	return isText && len(text) >= redact.MinSecret && !strings.ContainsAny(text, " @") &&
		!IsCSRFName(name) && !signatureName(name) && (redact.IsSecretName(name) || !NamesSomebody(name)) && !strings.Contains(own.Claims.JSON(), text)
}

// reversed is another value of the same letters.
func reversed(text string) string {
	letters := []rune(text)
	slices.Reverse(letters)
	return string(letters)
}

// personal matches the names of members that say who somebody is.
var personal = regexp.MustCompile(`(?i)^(?:.*(?:user|customer|account|member|person|client|contact|profile|login|e?mail|identity|principal|subject|phone|msisdn|ssn).*|sub|uid|upn|id|name|nick.*|(?:first|last|full|given|family|display)[-_]?name)$`)

// notPersonal are names that would match and say what is asked for.
var notPersonal = regexp.MustCompile(`(?i)^(?:operation_?name|user_?agent|client_?(?:id|version|name)|event_?name|file_?name|host_?name|app_?name|bot_?name|message_?id)$`)

// NamesSomebody says whether a member of this name says who somebody is.
func NamesSomebody(name string) bool {
	return personal.MatchString(name) && !notPersonal.MatchString(name)
}
