package carry

import "math"

// Result is how much of each network's own output rests on what agrees.
type Result struct {
	Measured bool
	Why      string // what stood in the way; empty when measured

	A, B        float64 // carry: 0 of a passenger, 1 where everything of a kind agrees; more than 1 is possible
	Layers      int     // pairs of layers that were looked at
	Coordinates string  // in which they agree: "raw", "anchored" or "token-free"
	Sides       [2]Side // A and B
}

// Side is what was measured on one network. Changes are in nats per token where the
// network scores tokens, otherwise relative squared distances of its last hidden
// states.
type Side struct {
	Units      int     // in the layers that were looked at
	Agreeing   int     // of them
	Heads      int     // key and value heads in these layers
	HeadsAgree int     // of them
	Companions int     // further units that take back what the agreeing ones give
	Tokens     int     // of the texts
	Without    float64 // change without the agreeing units, their companions and the agreeing heads
	Random     float64 // change without as many units and heads of the layers, drawn at random
	Block      float64 // change without any unit of these layers, or any head, or either: of what kind agrees
	Empty      float64 // change without any layer

	WithoutLeast float64 // the mean of Without over the tenth of the tokens where it is least
	RandomLeast  float64 // the mean of Random over the tenth of the tokens where that is least
}

// finite tells whether all changes are numbers: one weight that is out of all proportion
// may leave a network without output.
func (s *Side) finite() bool {
	sum := s.Without + s.Random + s.Block + s.Empty + s.WithoutLeast + s.RandomLeast
	return !math.IsNaN(sum) && !math.IsInf(sum, 0)
}

// Share is the share of the units that agree.
func (s *Side) Share() float64 { return float64(s.Agreeing) / float64(max(1, s.Units)) }

// HeadShare is the share of the heads that agree.
func (s *Side) HeadShare() float64 { return float64(s.HeadsAgree) / float64(max(1, s.Heads)) }

// Carry is the change without what agrees over the change without the parts.
func (s *Side) Carry() float64 { return s.over(s.Block) }

// Weight is the change without what agrees over that without as many parts drawn at
// random: 1 where the agreeing ones are like all others, 0 for passengers. It does
// not depend on how many agree, as the carry does.
func (s *Side) Weight() float64 { return s.over(s.Random) }

// LeastWeight is Weight on the tokens that rest least on what agrees: next to 0 where
// other tokens than these set it to work.
func (s *Side) LeastWeight() float64 {
	if s.Block < idle*s.Empty || s.RandomLeast == 0 {
		return 0
	}
	return s.WithoutLeast / s.RandomLeast
}

func (s *Side) over(whole float64) float64 {
	if s.Block < idle*s.Empty || whole == 0 {
		return 0
	}
	return s.Without / whole
}

// Layer is a pair of layers, by position in their towers, with what agrees.
type Layer struct {
	A, B  int
	Units [][2]int // hidden units of the MLPs, in A and in B
	Heads [][2]int // key and value heads, with the query heads that share them
}

func notMeasured(why string) *Result { return &Result{Why: why} }
