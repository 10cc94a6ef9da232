package reports

import (
	"fmt"
	"html/template"
	"slices"
	"time"
)

// A htmlTimeline is the way of the token as the page shows it.
type htmlTimeline struct {
	Moments       []htmlMoment
	Attacks       []attack
	Picture       template.URL // "" if there is none
	Width, Height int          // of the picture, in pixels
}

type htmlMoment struct {
	Moment
	Sign  Outcome // Passed or Failed, for its symbol
	After string  // time since the first moment
	// Left and Length place the moment on a line of 100.
	Left, Length string
}

// maxHTMLMoments bounds the rows of the timeline.
const maxHTMLMoments = 200

func newTimeline(run Run) htmlTimeline {
	t := htmlTimeline{Attacks: attacksOf(run)}
	url, width, height := picture(run.Screenshot)
	t.Picture, t.Width, t.Height = template.URL(url), width, height // made anew of a decoded picture
	if len(run.Timeline) == 0 {
		return t
	}
	moments := run.Timeline[:min(len(run.Timeline), maxHTMLMoments)]
	first, last := moments[0].At, moments[0].At
	for _, m := range moments {
		if m.At.Before(first) {
			first = m.At
		}
		if end := m.At.Add(time.Duration(m.DurationMS) * time.Millisecond); end.After(last) {
			last = end
		}
	}
	for _, m := range moments {
		t.Moments = append(t.Moments, place(m, first, last.Sub(first)))
	}
	return t
}

// place puts a moment on the line from first over span.
func place(m Moment, first time.Time, span time.Duration) htmlMoment {
	h := htmlMoment{Moment: m, Sign: Passed}
	if !m.OK {
		h.Sign = Failed
	}
	since := m.At.Sub(first)
	h.After = "+" + duration(since.Milliseconds())
	percent := func(d time.Duration) float64 {
		return min(max(100*float64(d)/float64(max(span, time.Millisecond)), 0), 100)
	}
	length := max(percent(time.Duration(m.DurationMS)*time.Millisecond), 1.5) // what takes no time can be seen too
	h.Left = fmt.Sprintf("%.1f", min(percent(since), 100-length))
	h.Length = fmt.Sprintf("%.1f", length)
	return h
}

var momentKinds = []MomentKind{MomentPage, MomentCallback, MomentEndpoint, MomentVerify, MomentForward, MomentError}

// knownKind is k, or MomentPage if there is no such kind: it becomes a class.
func knownKind(k MomentKind) MomentKind {
	if slices.Contains(momentKinds, k) {
		return k
	}
	return MomentPage
}
