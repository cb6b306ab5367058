package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/report/dispute"
)

// writeState says what a transcript has come to, and what it does not show.
func writeState(w io.Writer, t *dispute.Transcript, s *dispute.State) error {
	var b strings.Builder
	line := func(name, format string, x ...any) { fmt.Fprintf(&b, "%-10s %s\n", name, fmt.Sprintf(format, x...)) }
	line("replayed", "%d lines hold, head %s", len(t.Entries), t.Head())
	line("question", "%s", escape.Printable(s.Init.Question))
	for _, who := range dispute.Sides {
		line(string(who), "%s: %s", escape.Printable(s.Init.Parties[who].Name), partyState(s, who))
	}
	switch {
	case s.Run != nil:
		line("found", "%s, by policy %d, program %s", escape.Printable(s.Run.Relation), s.Init.Policy, escape.Printable(s.Run.Tool.Version))
		line("beacon", "%s: %s", escape.Printable(s.Init.Beacon), escape.Printable(s.Run.Beacon))
	case s.Closed != nil:
		line("found", "nothing: withheld by %v", s.Closed.Withheld)
	default:
		line("found", "nothing yet")
	}
	if s.Closed != nil {
		line("labels", "%s: %s", map[bool]string{true: "count", false: "do not count alone"}[s.Closed.Labels.Suffice], escape.Printable(s.Closed.Labels.Because))
	} else {
		line("open", "the record is not closed")
	}
	stamps := 0
	for _, e := range t.Entries {
		stamps += len(e.Tokens)
	}
	line("dates", "%d time stamps, unread: check them with openssl ts -verify over the lines before theirs", stamps)
	line("check", "the value of the beacon at its source, and that its round came after both commitments")
	_, err := io.WriteString(w, b.String())
	return err
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
