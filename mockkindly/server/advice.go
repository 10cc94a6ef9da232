package server

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"

	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// Advice is what the chat client says in the browser's console to whoever writes
// the page: what kindlytest run would say of what has just happened. A mock without
// checks gives none.
type advice struct {
	ID   string `json:"id"`   // of the check
	Text string `json:"text"` // what is wrong
	Fix  string `json:"fix"`
	More string `json:"more"` // where it is checked
}

// maxAdvice bounds what is said at a time.
const maxAdvice = 5

// advise puts what checks say into words. What is no check is left out.
func (s *server) advise(breaches []mockkindly.Breach) []advice {
	var all []advice
	for _, b := range breaches {
		rule, ok := s.rules[b.ID]
		if !ok || len(all) == maxAdvice {
			continue
		}
		said := advice{b.ID, cmp.Or(rule.Broken, rule.Requirement), cmp.Or(b.Fix, rule.Help),
			s.kindly.Public() + "/checks#/check/" + url.PathEscape(b.ID)}
		if !slices.Contains(all, said) { // a delivery and its answer may say the same
			all = append(all, said)
		}
	}
	return all
}

// rulesOf are the words of the checks, by their IDs.
func rulesOf(c Checks) map[string]ChecksRule {
	rules := map[string]ChecksRule{}
	if c == nil {
		return rules
	}
	for _, area := range c.Offer().Areas {
		for _, rule := range area.Checks {
			rules[rule.ID] = rule
		}
	}
	return rules
}

// ofToken are the breaches of what a token breaks.
func ofToken(violations []token.Violation) []mockkindly.Breach {
	var all []mockkindly.Breach
	for _, v := range violations {
		all = append(all, mockkindly.Breach{ID: v.Rule.ID, Fix: v.Fix})
	}
	return all
}

// ofReplies are the breaches of what webhooks answered.
func ofReplies(replies []mockkindly.Reply) []mockkindly.Breach {
	var all []mockkindly.Breach
	for _, r := range replies {
		if r.Delivery == nil {
			continue
		}
		all = append(all, r.Delivery.Breaches()...)
		for _, p := range r.Delivery.Problems {
			all = append(all, mockkindly.Breach{ID: p.Rule.ID, Fix: p.Fix})
		}
	}
	return all
}

// writeAdvice answers a report of the client: 204 where there is nothing to say.
func (s *server) writeAdvice(w http.ResponseWriter, breaches []mockkindly.Breach) error {
	all := s.advise(breaches)
	if len(all) == 0 {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return writeJSON(w, http.StatusOK, struct {
		Advice []advice `json:"advice"`
	}{all})
}
