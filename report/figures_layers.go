package report

import (
	"fmt"
	"strings"

	"github.com/weightprint/weightprint/report/verdict"
)

// LayerScores counts, for layers of B against layers of A, the probed MLP units
// whose nearest unit stands at the same place ("fixed-points"), the longest run of
// matches in the same order ("order"), or the units that find the same partner through
// two views ("agreement", "held-out-agreement").
type LayerScores struct {
	Tower       string  `json:"tower"`
	How         string  `json:"how"`
	Coordinates string  `json:"coordinates,omitempty"` // "files", "tokens" or "other layers"
	Units       int     `json:"units"`                 // that could have matched
	A           []int   `json:"a"`                     // layers of A
	B           []int   `json:"b"`                     // layers of B
	Counts      [][]int `json:"counts"`                // [layer of B][layer of A]
}

// Title says what layers against layers show.
func (s *LayerScores) Title() string {
	where, clear := s.where(), s.clear()
	switch clear {
	case 0:
		return where + ", no layer of B stands out against one of A"
	case len(s.Counts):
		return where + ", every layer of B has its own layer of A"
	}
	return fmt.Sprintf("%s, %d of %d layers of B have their own layer of A", where, clear, len(s.Counts))
}

// where names the coordinates.
func (s *LayerScores) where() string {
	switch {
	case s.Coordinates == "tokens":
		return "Seen through the tokens that both have"
	case s.How == verdict.HeldOutAgreement:
		return "In coordinates that no disguise alters"
	}
	return "As the files have them"
}

// clear counts the layers of B that one layer of A stands out for.
func (s *LayerScores) clear() (n int) {
	for _, row := range s.Counts {
		best, second := 0, 0
		for _, c := range row {
			if c > best {
				best, second = c, best
			} else {
				second = max(second, c)
			}
		}
		if best > 2*second && 4*best >= s.Units {
			n++
		}
	}
	return n
}

// Words say what is counted, and the largest count of each layer of B.
func (s *LayerScores) Words() string {
	words := fmt.Sprintf("%s, for every layer of B and of A. ", s.counted())
	if s.Coordinates == "tokens" {
		words += "They are compared by their responses to tokens that both have, which no change of the basis of the residual stream alters. "
	}
	return words + fmt.Sprintf("The largest of each layer of B: %s.", s.peaks())
}

// counted says what a count is.
func (s *LayerScores) counted() string {
	switch s.How {
	case verdict.Order:
		return fmt.Sprintf("The longest run of matches in the same order, of at most %d units", s.Units)
	case verdict.Agreement:
		return fmt.Sprintf("Of %d probed units, those that find the same partner twice, by the gate and by the up matrix, without order, place or sign", s.Units)
	case verdict.HeldOutAgreement:
		return fmt.Sprintf("Of %d probed units, those that agree under a basis that was found in other layers, without order, place, sign, tokens or names", s.Units)
	}
	return fmt.Sprintf("Of %d probed units, those that find their partner at the same place", s.Units)
}

// peaks lists the best layer of A for each layer of B.
func (s *LayerScores) peaks() string {
	var out []string
	for i, row := range s.Counts {
		best := 0
		for k, n := range row {
			if n > row[best] {
				best = k
			}
		}
		if i == 32 {
			return strings.Join(out, ", ") + ", …"
		}
		out = append(out, fmt.Sprintf("%d←%d (%d)", s.B[i], s.A[best], row[best]))
	}
	return strings.Join(out, ", ")
}

// LayersShown are the scores that a report shows: those that can be laid out, and that
// do not show noise where what decided lies in other coordinates; nil where there are
// none.
func (r *Report) LayersShown() *LayerScores {
	s := r.LayerScores
	if s == nil || len(s.A) < 2 || len(s.B) < 2 || len(s.A) > 200 || len(s.B) > 200 || s.Units < 1 || len(s.Counts) != len(s.B) {
		return nil
	}
	for _, row := range s.Counts {
		if len(row) != len(s.A) {
			return nil
		}
	}
	if r.Verdict.Relation == verdict.Related && s.clear() == 0 {
		return nil
	}
	return s
}
