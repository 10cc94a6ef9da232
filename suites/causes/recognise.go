package causes

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/reports"
)

// Recognise finds the causes of what does not hold, and notes beside each check
// which one accounts for it. Where names the webhook that a check is about, if
// there are several.
func Recognise(checks []reports.Check, where func(id string) string) []reports.Cause {
	r := &recognition{checks: checks, where: where}
	for _, c := range all() {
		r.named(c)
	}
	for _, c := range all() {
		if len(c.When) > 0 {
			r.inferred(c)
		}
	}
	r.disown()
	r.besides()
	return r.found
}

// disown takes from the checks what is no cause of the catalogue: they speak for
// themselves then.
func (r *recognition) disown() {
	for i := range r.checks {
		if _, known := Find(r.checks[i].Cause); !known {
			r.checks[i].Cause = ""
		}
	}
}

type recognition struct {
	checks []reports.Check
	where  func(id string) string
	found  []reports.Cause
}

// fails says whether a check did not hold, or would have failed the run.
func fails(c reports.Check) bool { return c.Outcome == reports.Failed || c.Outcome == reports.Warned }

// doubtful says whether a MUST was only warned of: it could not be told. Nothing
// grave is inferred from that.
func doubtful(c reports.Check) bool {
	return c.Outcome == reports.Warned && c.Level == string(rule.Must)
}

// named takes the cause that probes have named, once for each place.
func (r *recognition) named(c Cause) {
	var places []string
	for _, row := range r.checks {
		if row.Cause == c.ID && fails(row) && !r.spokenAgainst(c) && !slices.Contains(places, r.where(row.ID)) {
			places = append(places, r.where(row.ID))
		}
	}
	if c.Everywhere && len(places) > 0 { // what is seen of it names the URL
		places = []string{""}
	}
	for _, place := range places {
		found := c.report()
		found.Confirmed, found.Where = true, place
		for i := range r.checks {
			row := &r.checks[i]
			switch {
			case row.Cause == c.ID && (r.where(row.ID) == place || c.Everywhere):
			case row.Cause == "" && fails(*row) && c.explains(row.ID) && (slices.Contains([]string{place, ""}, r.where(row.ID)) || place == "" || c.Everywhere):
			default:
				continue
			}
			if fails(*row) && found.Seen == "" && row.Cause == c.ID {
				found.Seen, found.Repeat, found.Sample, found.Evidence = row.Actual, row.Repeat, row.Sample, row.Evidence
				if row.Fix != "" && (row.Fix != row.Help || found.Fix == "") {
					found.Fix = row.Fix
				}
			}
			if c.Everywhere && row.ID == "LIVE-PROCESS" { // it says of each where it was
				found.Seen = row.Actual
			}
			row.Cause = c.ID
			found.Explains = append(found.Explains, row.ID)
		}
		if c.Everywhere && !slices.ContainsFunc(found.Explains, func(id string) bool { return id != "LIVE-PROCESS" && !ofEndpoint(id) }) {
			found.Owner = Endpoint
		}
		r.found = append(r.found, found)
	}
	if len(places) == 0 { // it only keeps checks from telling: whoever fails says it
		for i := range r.checks {
			if r.checks[i].Cause == c.ID {
				r.checks[i].Cause = ""
			}
		}
	}
}

// spokenAgainst says whether a check fails that rules the cause out.
func (r *recognition) spokenAgainst(c Cause) bool {
	return slices.ContainsFunc(r.checks, func(row reports.Check) bool { return fails(row) && matches(c.Unless, row.ID) })
}

// besides gives to the causes that were found what no cause accounts for.
func (r *recognition) besides() {
	for i := range r.found {
		c, _ := Find(r.found[i].ID)
		for j := range r.checks {
			if row := &r.checks[j]; row.Cause == "" && fails(*row) && matches(c.Besides, row.ID) {
				row.Cause = c.ID
				r.found[i].Explains = append(r.found[i].Explains, row.ID)
			}
		}
	}
}

// inferred takes the cause if all fails that shows it.
func (r *recognition) inferred(c Cause) {
	for _, id := range c.When {
		if !slices.ContainsFunc(r.checks, func(row reports.Check) bool {
			return row.Cause == "" && fails(row) && !(c.Severity == reports.Critical && doubtful(row)) && matches([]string{id}, row.ID)
		}) {
			return
		}
	}
	if r.spokenAgainst(c) {
		return
	}
	found := c.report()
	for i := range r.checks {
		row := &r.checks[i]
		if row.Cause != "" || !fails(*row) || !c.explains(row.ID) {
			continue
		}
		if found.Repeat == "" || row.ID == c.When[0] {
			found.Repeat, found.Sample, found.Evidence, found.Seen = row.Repeat, row.Sample, row.Evidence, row.Actual
			found.Where = r.where(row.ID)
		}
		row.Cause = c.ID
		found.Explains = append(found.Explains, row.ID)
	}
	found.Confirmed = len(found.Explains) == 1 // the one check has seen it itself
	if n := len(found.Explains) - 1; n > 0 {
		found.Seen += fmt.Sprintf(" (%s), and %d more that this explains", found.Explains[0], n)
	}
	r.found = append(r.found, found)
}

// ofEndpoint says whether a check asks the auth endpoint.
func ofEndpoint(id string) bool {
	return strings.HasPrefix(id, "AUTH-") || strings.HasPrefix(id, "LIVE-AUTH-")
}
