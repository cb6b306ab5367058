package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/report/dispute"
	"github.com/weightprint/weightprint/report/verdict"
)

// write says what a transcript has come to, and what it does not show.
func (x *replay) write(w io.Writer, t *dispute.Transcript) error {
	var b strings.Builder
	s := x.State
	line := func(name, format string, x ...any) { fmt.Fprintf(&b, "%-10s %s\n", name, fmt.Sprintf(format, x...)) }
	line("replayed", "%d lines hold, head %s", len(t.Entries), t.Head())
	line("question", "%s", escape.Printable(s.Init.Question))
	for _, who := range dispute.Sides {
		line(string(who), "%s: %s", escape.Printable(s.Init.Parties[who].Name), partyState(s, who))
	}
	for _, who := range dispute.Sides {
		if when := x.committed(who); when != "" {
			line("dated", "%s: %s", escape.Printable(s.Init.Parties[who].Name), when)
		}
	}
	for _, o := range x.older {
		line("older", "%s", o)
	}
	switch {
	case s.Run != nil:
		line("found", "%s, by policy %d, program %s", escape.Printable(s.Run.Relation), s.Init.Policy, escape.Printable(s.Run.Tool.Version))
		line("means", "%s", relationMeans(s.Run.Relation))
		line("beacon", "%s: %s", escape.Printable(s.Init.Beacon), escape.Printable(s.Run.Beacon))
	case s.Closed != nil:
		line("found", "nothing: withheld by %v", s.Closed.Withheld)
	default:
		line("found", "nothing yet")
	}
	if s.Closed != nil {
		l := s.Closed.Labels
		if !x.limit.IsZero() {
			l = s.Dated(x.spans, x.limit)
		}
		line("labels", "%s: %s", map[bool]string{true: "count", false: "do not count alone"}[l.Suffice], escape.Printable(l.Because))
	} else {
		line("open", "the record is not closed")
	}
	line("dates", "%s", x.stamped())
	line("check", "the value of the beacon at its source, and that its round came after both commitments")
	_, err := io.WriteString(w, b.String())
	return err
}

// relationMeans says what a recorded relation means, and that it names no direction.
func relationMeans(relation string) string {
	words := verdict.Relation(relation).Means()
	if words == "" {
		words = "This program knows no such relation."
	}
	return words + " Weights name no direction: whether one was made from the other is not answered by this."
}

// stamped says how many time stamps date the record, and whose they are.
func (x *replay) stamped() string {
	trusted := 0
	for _, s := range x.stamps {
		if s.Trusted {
			trusted++
		}
	}
	switch n := len(x.stamps); {
	case n == 0:
		return "no time stamps: nothing shows when any of this was done"
	case trusted < n:
		return fmt.Sprintf("%d time stamps, each over the lines before its own; whose they are was not asked: give --roots", n)
	}
	return fmt.Sprintf("%d time stamps verified, each over the lines before its own", trusted)
}

// committed says when a party committed, as far as time stamps show, and how that
// stands to the time that was set.
func (x *replay) committed(who dispute.Author) string {
	span, ok := x.CommittedWhen(who, x.spans)
	if !ok || span == (dispute.Span{}) && x.limit.IsZero() {
		return ""
	}
	out := "committed"
	if !span.After.IsZero() {
		out += " after " + span.After.Format(time.RFC3339)
	}
	if !span.By.IsZero() {
		out += " by " + span.By.Format(time.RFC3339)
	}
	if x.limit.IsZero() {
		return out
	}
	timing := span.Against(x.limit)
	if timing == dispute.Late {
		timing = "LATE"
	}
	return fmt.Sprintf("%s; it had to be before %s: %s", out, x.limit.Format(time.RFC3339), timing)
}

// partyState says how far a party has come.
func partyState(s *dispute.State, who dispute.Author) string {
	c, committed := s.Committed[who]
	if !committed {
		return "has not committed"
	}
	out := "committed, states that it never had the other's file"
	if c.Seen != "" {
		out = "committed, had the other's file (" + escape.Printable(c.Seen) + ")"
	}
	if _, ok := s.Opened[who]; !ok {
		return out + ", has not opened"
	}
	return out + ", opened"
}
