package causes

import (
	"net/http"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/reports"
)

// A Sighting is a check at one place: a webhook, where there are several.
type Sighting struct {
	Where    string
	Inferred bool // the check's cause: see [subject.Verdict]
	reports.Check
}

// Recognise finds the causes of what does not hold, and notes beside each check
// which one accounts for it. Seen says of a check at which places it does not
// hold, the worst first; none: it is about no place, or holds. Two places make
// their mistakes each by itself: what fails at both is no pattern of either.
func Recognise(checks []reports.Check, seen func(id string) []Sighting) []reports.Cause {
	r := &recognition{checks: checks}
	for i := range checks {
		sightings := seen(checks[i].ID)
		if len(sightings) == 0 {
			sightings = []Sighting{{}}
		}
		for j, s := range sightings {
			if j == 0 { // the row says the same, and more
				s.Check = checks[i]
			}
			r.rows = append(r.rows, row{Sighting: s, of: i, worst: j == 0})
		}
	}
	r.verifiedTooLate()
	for _, c := range all() {
		r.named(c)
	}
	for _, c := range all() {
		if len(c.When) > 0 {
			for _, place := range r.places() {
				r.inferred(c, place)
			}
		}
	}
	r.besides()
	r.note()
	return inOne(r.found)
}

// inOne tells a mistake once that several webhooks make, and names them all.
func inOne(found []reports.Cause) []reports.Cause {
	var out []reports.Cause
	for _, c := range found {
		i := slices.IndexFunc(out, func(o reports.Cause) bool { return o.ID == c.ID && o.Fix == c.Fix && o.Where != "" && c.Where != "" })
		if i < 0 {
			out = append(out, c)
			continue
		}
		out[i].Where += reports.PlaceSeparator + c.Where
		for _, id := range c.Explains {
			if !slices.Contains(out[i].Explains, id) {
				out[i].Explains = append(out[i].Explains, id)
			}
		}
	}
	return out
}

type recognition struct {
	checks []reports.Check
	rows   []row
	found  []reports.Cause
}

// A row is one sighting, and the check that it is of.
type row struct {
	Sighting
	of    int
	worst bool // the one of which the check speaks
}

// note tells the checks what accounts for them. What is no cause of the catalogue
// is left out: they speak for themselves then.
func (r *recognition) note() {
	for _, row := range r.rows {
		_, known := Find(row.Cause)
		switch c := &r.checks[row.of]; {
		case row.worst && known:
			c.Cause = row.Cause
		case row.worst:
			c.Cause = ""
		case !known && c.Cause != "" && row.Outcome == c.Outcome && r.explainsMore(c.Cause): // it would be lost behind what is wrong elsewhere
			c.Actual, c.Cause = row.Actual+r.alsoAt(row), ""
			c.Expected, c.Broken, c.Consequence, c.Fix = row.Expected, row.Broken, row.Consequence, row.Fix
			c.Evidence, c.Repeats = row.Evidence, row.Repeats
		}
	}
	for i := range r.found { // what speaks for itself where it is worst is not told by what is wrong elsewhere
		r.found[i].Explains = slices.DeleteFunc(r.found[i].Explains, func(id string) bool {
			return slices.ContainsFunc(r.checks, func(c reports.Check) bool { return c.ID == id && c.Cause == "" })
		})
	}
}

// explainsMore says whether a cause explains another check, wherever it was found.
func (r *recognition) explainsMore(cause string) bool {
	return !slices.ContainsFunc(r.found, func(c reports.Cause) bool { return c.ID == cause && len(c.Explains) < 2 })
}

// alsoAt says where else the check of a row does not hold.
func (r *recognition) alsoAt(of row) string {
	var names []string
	for _, row := range r.rows {
		if row.of == of.of && row.Where != of.Where && row.Outcome == of.Outcome {
			names = append(names, row.Where)
		}
	}
	return "; nor does it hold at " + strings.Join(names, ", ")
}

// places are where something was seen, in the order of the checks; what is about
// no place comes first.
func (r *recognition) places() []string {
	out := []string{""}
	for _, row := range r.rows {
		if !slices.Contains(out, row.Where) {
			out = append(out, row.Where)
		}
	}
	return out
}

// at says whether a row may have a cause that is at a place: it is there, or
// about no place. What is about no place is everywhere.
func (r row) at(place string) bool { return place == "" || r.Where == "" || r.Where == place }

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
	for _, row := range r.rows {
		if row.Cause == c.ID && fails(row.Check) && !r.spokenAgainst(c, row.Where) && !slices.Contains(places, row.Where) {
			places = append(places, row.Where)
		}
	}
	if c.Everywhere && len(places) > 0 { // what is seen of it names the URL
		places = []string{""}
	}
	for _, place := range places {
		found := c.report()
		found.Where = place
		for i := range r.rows {
			row := &r.rows[i]
			switch {
			case row.Cause == c.ID && (row.Where == place || c.Everywhere):
			case row.Cause == "" && fails(row.Check) && c.explains(row.ID) && row.at(place):
			default:
				continue
			}
			if row.Cause == c.ID && fails(row.Check) && !row.Inferred {
				found.Confirmed = true
			}
			if fails(row.Check) && found.Seen == "" && row.Cause == c.ID {
				found.Seen, found.Repeat, found.Sample, found.Evidence = row.Actual, row.Repeat, row.Sample, row.Evidence
				if row.Fix != "" && (row.Fix != row.Help || found.Fix == "") {
					found.Fix = row.Fix
				}
			}
			if c.Everywhere && row.ID == "LIVE-PROCESS" { // it says of each where it was
				found.Seen = row.Actual
			}
			row.accountedFor(c, &found)
		}
		if c.Everywhere && !slices.ContainsFunc(found.Explains, func(id string) bool { return id != "LIVE-PROCESS" && !ofEndpoint(id) }) {
			found.Owner = Endpoint
		}
		r.found = append(r.found, found)
	}
	for i := range r.rows { // elsewhere it only keeps checks from telling: whoever fails says it
		if row := &r.rows[i]; row.Cause == c.ID && !slices.ContainsFunc(places, row.at) {
			row.Cause = ""
		}
	}
}

const (
	verifiesTooLate = "webhook-verifies-too-late"
	processDies     = "process-dies"
)

// verifiedTooLate names the one mistake by which what is plainly forged is believed, and
// ends the process: each of the two has another reason where it is seen by itself.
func (r *recognition) verifiedTooLate() {
	c, _ := Find(verifiesTooLate)
	late := false // such tokens ended a process that had answered them
	for i := range r.rows {
		if row := &r.rows[i]; row.Cause == verifiesTooLate {
			late, row.Cause = true, processDies
		}
	}
	for _, place := range r.places() {
		kills, believes := late, -1
		for i, row := range r.rows {
			if row.Where != place || row.Outcome != reports.Failed || !slices.Contains([]string{"HOOK-WRONG-KEY", "HOOK-TAMPERED", "HOOK-SIGNATURE"}, row.ID) {
				continue
			}
			if kills = kills || row.Cause == processDies; believes < 0 && row.Cause == "" && !row.erred() {
				believes = i
			}
		}
		if !kills || believes < 0 {
			continue
		}
		for i := range r.rows {
			if row := &r.rows[i]; row.Cause == processDies && c.explains(row.ID) && row.at(place) {
				row.Cause = ""
			}
		}
		r.rows[believes].Cause = verifiesTooLate
	}
}

// accountedFor notes the cause of a row.
func (r *row) accountedFor(c Cause, found *reports.Cause) {
	r.Cause = c.ID
	if !slices.Contains(found.Explains, r.ID) {
		found.Explains = append(found.Explains, r.ID)
	}
}

// spokenAgainst says whether a check fails at a place that rules the cause out, and for
// another reason than this very one.
func (r *recognition) spokenAgainst(c Cause, place string) bool {
	return slices.ContainsFunc(r.rows, func(row row) bool {
		return row.at(place) && fails(row.Check) && row.Cause != c.ID && matches(c.Unless, row.ID)
	})
}

// besides gives to the causes that were found what no cause accounts for.
func (r *recognition) besides() {
	for i := range r.found {
		c, _ := Find(r.found[i].ID)
		for j := range r.rows {
			if row := &r.rows[j]; row.Cause == "" && fails(row.Check) && row.at(r.found[i].Where) && matches(c.Besides, row.ID) {
				if c.Owner == Token && (row.erred() || !sameClaim(r.found[i], row.ID)) {
					continue // an error is the webhook's own, and so is what it makes of another claim
				}
				row.accountedFor(c, &r.found[i])
			}
		}
	}
}

// sameClaim says whether a token's mistake is in the claim, or the header, that a check of
// webhooks is about: TOK-EXP and HOOK-EXP-MISSING.
func sameClaim(c reports.Cause, hook string) bool {
	return slices.ContainsFunc(c.Explains, func(id string) bool {
		claim, of := strings.CutPrefix(id, "TOK-")
		return of && strings.HasPrefix(hook, "HOOK-"+claim)
	})
}

// shows says whether a check fails in the way in which an inferred cause shows.
func (r row) shows(c Cause) bool { return c.By == ByEither || (c.By == ByError) == r.erred() }

// erred says whether what shows that a check fails is an error.
func (r row) erred() bool {
	if len(r.Evidence) == 0 {
		return false
	}
	last := r.Evidence[len(r.Evidence)-1].Response
	return last == nil || last.Error != "" || last.Status >= http.StatusInternalServerError
}

// inferred takes the cause at a place if all fails there that shows it. Of errors it
// is enough that most do: what is believed as well is another mistake beside.
func (r *recognition) inferred(c Cause, place string) {
	there := place == "" // something is at the place itself
	count := 0
	for _, id := range c.When {
		shown, failed := false, false
		for _, row := range r.rows {
			if row.ID != id || !fails(row.Check) || row.Where != place && row.Where != "" {
				continue
			}
			failed = true
			if row.Cause == "" && row.shows(c) && !(c.Severity == reports.Critical && doubtful(row.Check)) {
				shown, there = true, there || row.Where == place
			}
		}
		switch {
		case shown:
			count++
		case !failed || c.By != ByError:
			return
		}
	}
	if !there || 2*count <= len(c.When) || r.spokenAgainst(c, place) {
		return
	}
	found := c.report()
	found.Where = place
	for i := range r.rows {
		row := &r.rows[i]
		if row.Cause != "" || !fails(row.Check) || !row.shows(c) || !c.explains(row.ID) || !row.at(place) {
			continue
		}
		if found.Repeat == "" || row.ID == c.When[0] {
			found.Repeat, found.Sample, found.Evidence, found.Seen = row.Repeat, row.Sample, row.Evidence, row.Actual
		}
		row.accountedFor(c, &found)
	}
	found.Confirmed = len(found.Explains) == 1 // the one check has seen it itself
	r.found = append(r.found, found)
}

// ofEndpoint says whether a check asks the auth endpoint.
func ofEndpoint(id string) bool {
	return strings.HasPrefix(id, "AUTH-") || strings.HasPrefix(id, "LIVE-AUTH-")
}
