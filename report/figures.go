package report

import "github.com/weightprint/weightprint/report/verdict"

// RoleLikeness says how alike the rows of all matrices in one kind of role are
// at their own places, beside what relabelling the rows at random shows. It is
// shown for orientation; the verdict does not use it.
type RoleLikeness struct {
	Role     string         `json:"role"` // such as "mlp.up"
	Matrices int            `json:"matrices"`
	Rows     int            `json:"rows"`
	Cosine   verdict.Number `json:"cosine"` // mean over rows at the same place
	Mean     verdict.Number `json:"mean"`   // of that mean under random relabelling
	SD       verdict.Number `json:"sd"`
}

// Band is where the cosine lies for 99.9 % of random relabellings, by the
// normal approximation.
func (l RoleLikeness) Band() (low, high float64) {
	const z = 3.29
	return float64(l.Mean) - z*float64(l.SD), float64(l.Mean) + z*float64(l.SD)
}

// Histogram counts the differences b−a in units of their own root mean square,
// matrix by matrix: equal bins from −Reach to Reach, and one bin for all that
// lies further out at either end.
type Histogram struct {
	Reach    verdict.Number `json:"reach"`
	Matrices int            `json:"matrices"`
	Counts   []int64        `json:"counts"`
}
