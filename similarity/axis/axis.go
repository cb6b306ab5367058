package axis

import "github.com/weightprint/weightprint/similarity/stats"

// Axis is a set of units that one symmetry relabels, as read from both
// subjects: the hidden units of one MLP, the channels of one value head, the
// dimensions of the residual stream, the outputs of one generic matrix.
type Axis struct {
	Name        string // role of the axis, such as "layers.3.mlp"
	Component   string
	Tower       string
	LayerA      int // -1 for axes of a whole tower
	LayerB      int
	Coordinates string // "raw" or "anchored"
	Views       []View
	A, B        Side
	Skipped     string      // why there is no p-value; empty when there is
	Table       bool        // the units are those of a fixed table and speak for nothing at all
	Imbalance   *[2]float64 // of gate and up in the units of A and of B, nil where there are not both
	Charge      stats.LogP  // what choosing the layers with the same units costs, to be added to a p-value

	seed   []byte // fixes which of several equal matches is taken
	sample string // purpose of the sampled positions: one for all layers of a tower
	avoid  []int  // positions that chose the layers
	deep   int    // layers of the tower
	gates  int    // rows of each unit that lie one block apart, as gates do; 0 or 1 for units of one row
	flat   bool   // skipped because all units are much alike
}

// View is how alike the units are as seen through one pair of matrices.
type View struct {
	Name            string    // "gate", "up", "down", "v", "o", "embedding", "head", "rows"
	SignEquivariant bool      // changes sign with the unit
	Cosine          []float32 // len(B.Units) × len(A.Units); 0 where a unit is not eligible
	Spread          float64   // standard deviation of the cosines that are on no diagonal
	Rank            float64   // directions over which the units of either side spread, their geometric mean
	Width           int       // residual dimensions, channels or units that a unit is seen through
	Places          int       // values for each of them: the window of a convolution, else 1
	Leading         LeadingSubspace
	Acting          Acting
}

// Side is one subject's part of an axis.
type Side struct {
	Total    int    // units the axis has
	Units    []int  // positions read, ascending
	Eligible []bool // by index into Units: neither zero, constant, duplicate nor non-finite

	marks marks
}

// Count is the number of eligible units.
func (s *Side) Count() int {
	n := 0
	for _, ok := range s.Eligible {
		if ok {
			n++
		}
	}
	return n
}
