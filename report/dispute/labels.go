package dispute

import (
	"fmt"
	"slices"
	"strings"
)

// Labels says whether order, place, sign and raw rows are evidence of origin in
// this dispute. Elsewhere they are not: whoever shows a file may have arranged it
// after the other.
type Labels struct {
	Suffice bool   `json:"suffice"`
	Because string `json:"because"`
}

// labels holds for whoever gains from a finding: did it commit without having had
// the other's file? That it had not is its own signed statement, which the record
// cannot prove.
func (s *State) labels() Labels {
	if len(s.Opened) < len(Sides) {
		return Labels{false, "not both commitments were opened"}
	}
	var seen []string
	for _, who := range s.Init.Gains {
		if c := s.Committed[who]; c.Seen != "" {
			seen = append(seen, fmt.Sprintf("%s gains from a finding and had the other's file before it committed (%s)", who, c.Seen))
		}
	}
	if len(seen) > 0 {
		return Labels{false, strings.Join(seen, "; ")}
	}
	who := "both parties gain"
	if len(s.Init.Gains) == 1 {
		who = string(s.Init.Gains[0]) + " gains"
	}
	return Labels{true, who + " from a finding and committed before the exchange, without having had the other's file, as signed"}
}

// withheld lists who has not opened its commitment.
func (s *State) withheld() []Author {
	return slices.DeleteFunc(slices.Clone(Sides), func(who Author) bool { _, ok := s.Opened[who]; return ok })
}
