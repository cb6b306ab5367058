package carry

// Result is how much of each network's own output rests on what agrees.
type Result struct {
	Measured bool
	Why      string // what stood in the way; empty when measured

	A, B        float64 // carry: about 0 for a passenger, the share of agreeing units where they are like the others; more than 1 is possible
	Layers      int     // pairs of layers that were looked at
	Agreeing    int     // pairs of units in all of them
	Coordinates string  // in which they agree: "raw" or "anchored"
	Sides       [2]Side // A and B
}

// Side is what was measured on one network. Changes are in nats per token where the
// network scores tokens, otherwise relative squared distances of its last hidden
// states.
type Side struct {
	Units      int     // in the layers that were looked at
	Companions int     // further units that take back what the agreeing ones give
	Tokens     int     // of the texts
	Without    float64 // change without the agreeing units and their companions
	Block      float64 // change without any unit of these layers
	Empty      float64 // change without any layer
}

// Share is the share of the side's units that agree.
func (r *Result) Share(side int) float64 {
	return float64(r.Agreeing) / float64(max(1, r.Sides[side].Units))
}

// Layer is a pair of layers, by position in their towers, with the units that
// agree.
type Layer struct {
	A, B  int
	Units [][2]int // in A and in B, ascending in B; no unit stands twice
}

func notMeasured(why string) *Result { return &Result{Why: why} }
