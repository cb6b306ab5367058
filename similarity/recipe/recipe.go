// Package recipe finds how a network was mixed from others: which of the given
// parents took part, with what weight in every tensor, and by which method, and
// whether that is all that happened to it.
//
// Its premise is that the child is related to the parents; it describes, and
// accuses nobody. A method is named only where its rule, repeated on the
// parents, gives the child's values down to the rounding of their storage;
// otherwise there is a linear part and a remainder.
package recipe

import (
	"context"
	"fmt"

	"github.com/weightprint/weightprint/similarity/align"
)

// Method is how parents were mixed.
type Method string

// The methods. Task vectors are differences from a base.
const (
	Copy            Method = "copy"             // one parent, unchanged but for rounding
	Passthrough     Method = "passthrough"      // whole tensors, each of one parent, restacked, scaled, or from several
	Linear          Method = "linear"           // Σ cᵢPᵢ (Wortsman et al. 2022)
	SLERP           Method = "slerp"            // along the arc between two parents, tensor by tensor (Shoemake 1985)
	NuSLERP         Method = "nuslerp"          // the same for task vectors, rows or columns, with weights
	MultiSLERP      Method = "multislerp"       // several parents on a sphere, around their mean
	Karcher         Method = "karcher"          // the mean of equal parents on a sphere (Karcher 1977)
	TaskArithmetic  Method = "task-arithmetic"  // base + Σ λᵢ(Pᵢ − base) (Ilharco et al. 2023)
	ModelStock      Method = "model-stock"      // base and mean of the others, by the angle between them (Jang et al. 2024)
	TIES            Method = "ties"             // largest entries of task vectors, signs elected (Yadav et al. 2023)
	DARE            Method = "dare-linear"      // entries of task vectors dropped at random, the others scaled up (Yu et al. 2024)
	DARETies        Method = "dare-ties"        // the same with signs elected
	DELLA           Method = "della"            // dropped at random, small ones more often, signs elected (Deep et al. 2024)
	DELLALinear     Method = "della-linear"     // the same without election
	Breadcrumbs     Method = "breadcrumbs"      // neither the largest nor the smallest entries (Davari and Belilovsky 2023)
	BreadcrumbsTies Method = "breadcrumbs-ties" // the same with signs elected
	SCE             Method = "sce"              // entries that vary most, weights by energy, signs elected (Wan et al. 2024)
	Fusion          Method = "arcee-fusion"     // entries of a second parent above a threshold of importance
	Unknown         Method = "unknown"          // the parents do not explain the child
)

// After is what the remainder says of what followed the mixture.
type After string

// What may have followed.
const (
	MergeOnly After = "merge-only"                // nothing: the mixture gives the values
	Trained   After = "trained"                   // more training, or another change of the values
	Thinned   After = "pruned"                    // values were made zero, and the others are the mixture's
	Coarsened After = "quantised"                 // the mixture was rounded to a coarse lattice
	Rounded   After = "parents-rounding"          // a weight is negative, and the parents' own rounding, times the weights, explains the remainder
	Remains   After = "remainder-not-explained"   // training, another change, a sibling of the one parent, or a rounding that cannot be told
	Missing   After = "parent-missing"            // a parent that was not given took part
	Open      After = "trained-or-parent-missing" // the remainder cannot tell
	NoMixture After = "no-mixture-of-these"       // the child has next to nothing of the parents' values
)

// Recipe is what was found.
type Recipe struct {
	Method     Method
	After      After
	Base       int       // parent that the task vectors start from, -1 if none
	Weights    []float64 // of each parent over all layers, the base's among them
	CI         []float64 // half width of the 95 % interval of each weight
	Layers     []Layer
	Tensors    []Tensor
	Components []Component
	T          float64   // SLERP, NuSLERP: place on the arc where it is one for all tensors; -1 otherwise
	Density    float64   // mean share of the entries of task vectors that were kept; 0 where none were dropped
	Densities  []float64 // the same by parent
	Epsilon    float64   // DELLA: how far the chance of being kept rises and falls around the density
	Gamma      float64   // breadcrumbs: share of the largest entries that was dropped
	Lambda     float64   // what the mixed task vector was multiplied with; 1 where it was not
	Same       []Method  // methods that give the same values here
	Rows       string    // "rows" or "columns" where each has weights of its own
	Remainder  Remainder
	Untouched  int     // rows that training left alone and the weights follow from, where it followed; 0 if there are too few
	Residual   float64 // |child − mixture| / |child − nearest parent|
	Rounding   float64 // the residual's size in units of the child's rounding
	Exact      float64 // share of values that are what the mixture rounds to; -1 where that cannot be asked
	Missing    bool    // the residual is more than rounding: a parent is missing, or training followed
	Values     int     // values that were fitted
	Warnings   []string
}

// Unscaled are the weights with which the same values come about where what was kept of
// task vectors was not scaled up for what was dropped at random; nil for other methods. The
// values do not tell which of the two was done.
func (r *Recipe) Unscaled() []float64 {
	if r.Method != DARE && r.Method != DARETies && r.Method != DELLALinear {
		return nil
	}
	out := make([]float64, len(r.Weights))
	for k, d := range r.Densities {
		if d > 0 {
			out[k] = r.Weights[k] / d
		}
	}
	return out
}

// Layer is the mixture in one layer of the child, or outside the layers.
type Layer struct {
	Name     string // "layers.3", or the component
	Sources  []int  // the layer of each parent that was fitted, -1 if none
	Weights  []float64
	CI       []float64
	Residual float64 // |child − mixture| / |child|
}

// Tensor is the mixture in one tensor of the child. Of a gain or bias weights
// are not fitted: its few values hold too little.
type Tensor struct {
	Role      string
	Component string
	Weights   []float64 // nil for vectors
	CI        []float64
	Scale     float64 // the sum of the weights
	T         float64 // place on the arc, -1 if none
	Exact     float64 // share of values that are exactly what the mixture rounds to; -1 if it cannot be asked
}

// Component sums up how well the mixture gives the values of a component.
type Component struct {
	Name   string
	Values int     // values in which the parents differ
	Exact  float64 // share of them that are exactly what the mixture rounds to; -1 if it cannot be asked
	Off    float64 // share of all values further from the mixture than rounding takes them
}

// Remainder describes what the mixture leaves.
type Remainder struct {
	Steps float64 // its size in steps of the child's type, root mean square
	Off   float64 // share of values further away than rounding takes them
	Rank  float64 // mean share of directions that hold nine tenths of it, over matrices: near 0 for a low rank
	Rows  float64 // share of the rows of embeddings that hold nothing of it
	Apart float64 // |remainder| over what a missing parent with the base's weight would leave; 0 where that cannot be asked
}

// Find fits the child of every pair to the parents, which are the A sides of
// pairs; B is the child in all of them.
func Find(ctx context.Context, pairs []*align.Pair) (*Recipe, error) {
	if len(pairs) == 0 {
		return nil, fmt.Errorf("recipe: no parents")
	}
	all, err := load(ctx, pairs)
	if err != nil {
		return nil, err
	}
	n := len(pairs)
	if len(all) == 0 {
		r := empty(n)
		r.Warnings = append(r.Warnings, "no tensor of the child has the shape of a tensor of a parent in the same role")
		return r, nil
	}
	r := fit(all, n)
	if cast := castToChild(all); cast != nil && r.Missing { // mixed in the child's type, from parents cast to it
		if c := fit(cast, n); !c.Missing || c.Rounding < r.Rounding {
			return c, nil
		}
	}
	return r, nil
}

func empty(n int) *Recipe {
	return &Recipe{Method: Unknown, After: NoMixture, Base: -1, T: -1, Lambda: 1, Weights: make([]float64, n), CI: make([]float64, n), Densities: make([]float64, n), Missing: true, Exact: -1}
}
