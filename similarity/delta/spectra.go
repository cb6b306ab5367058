package delta

import (
	"context"

	"github.com/weightprint/weightprint/similarity/align"
)

// RoleSpectrum is the spectrum of the difference of the matrices in one role.
type RoleSpectrum struct {
	Role      string
	Component string
	*Spectrum
}

// How many matrices are looked at, and how many rows of each: where everything
// is read, and where a budget holds.
const (
	allSpectra, allSpectrumRows   = 64, 256
	someSpectra, someSpectrumRows = 6, 96
)

// Spectra describes the differences of matrices in the same role that changes
// name as different: of up to 64 of them where whole says that everything is
// read, of 6 spread ones otherwise, as far as the pair's budget allows. It
// returns errors of reading.
func Spectra(ctx context.Context, pair *align.Pair, m *align.Matching, changes []Change, whole bool) ([]RoleSpectrum, error) {
	var out []RoleSpectrum
	differ := differing(m, changes)
	n, most := allSpectra, allSpectrumRows
	if !whole {
		n, most = someSpectra, someSpectrumRows
	}
	for _, i := range align.Spread(len(differ), n) {
		p := differ[i]
		rows := min(most, p.B.Rows)
		if pair.Reserve(max(p.A.Cost(rows), p.B.Cost(rows)), 1) == 0 {
			break
		}
		s, err := Measure(ctx, p, pair.Seed, rows)
		if err != nil {
			return nil, err
		}
		out = append(out, RoleSpectrum{p.B.Role, p.Component, s})
	}
	return out, nil
}

// differing lists the pairs of matrices of one shape, apart from embeddings,
// whose values differ by more than their storage.
func differing(m *align.Matching, changes []Change) (out []align.MatrixPair) {
	for _, p := range m.Matrices {
		for i := range changes {
			c := &changes[i]
			if st, _ := c.Storage(); c.Role == p.B.Role && st == Different && p.Component != "embeddings" && p.A.Rows == p.B.Rows && p.A.Cols == p.B.Cols {
				out = append(out, p)
			}
		}
	}
	return out
}
