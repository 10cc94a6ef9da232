package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly"
)

const (
	// maxLines is how many lines are shown at once: of a crowd, the newest.
	maxLines = 50
	// betweenLooks bounds what the lines cost a mock under load: some 2 % of a core.
	betweenLooks = 100 * time.Millisecond
	// lastLook is how long the end waits for a terminal that may have stalled.
	lastLook = time.Second
)

// showEvents writes a line for each event that comes into the journal after the one
// with this number, until the mock is closed. It reads the journal, which nobody waits for: a terminal that stalls
// holds up nothing, and what it missed is told by its number.
//
// done waits for the last lines, for a moment.
func showEvents(w io.Writer, j *mockkindly.Journal, after uint64) (done func()) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			_, err := j.WaitAfter(context.Background(), after, func(mockkindly.Event) bool { return true })
			text, last := eventLines(j.Events(after), after)
			if _, failed := io.WriteString(w, text); failed != nil {
				return // nobody reads any more: the mock goes on
			}
			if after = last; err != nil {
				return
			}
			time.Sleep(betweenLooks)
		}
	}()
	return func() {
		select {
		case <-ended:
		case <-time.After(lastLook):
		}
	}
}

// eventLines are those of the newest events, and how many there were besides since the
// one numbered after. last is the number of the newest.
func eventLines(events []mockkindly.Event, after uint64) (text string, last uint64) {
	if len(events) == 0 {
		return "", after
	}
	last = events[len(events)-1].Seq
	events = events[max(0, len(events)-maxLines):]
	var b strings.Builder
	if left := events[0].Seq - after - 1; left > 0 {
		fmt.Fprintf(&b, "%s not shown here\n", plural(int(left), "event"))
	}
	for _, e := range events {
		b.WriteString(eventLine(e))
	}
	return b.String(), last
}

// eventLine begins with a time, and so with no command of a CI's runner.
func eventLine(e mockkindly.Event) string {
	l := e.Line()
	sign, ms := " ", ""
	if l.Wrong {
		sign = "!"
	}
	if l.Took > 0 {
		ms = took(l.Took)
	}
	line := fmt.Sprintf("%s %s %-17s  %-11s  %7s  %s", e.At.Local().Format(time.TimeOnly), sign, e.Kind, l.Status, ms, l.Reason)
	return strings.TrimRight(strings.ReplaceAll(printable(line), "\n", " "), " ") + "\n"
}
