package redteam

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/report"
)

// ForgedTokens gives a stranger's model unused tokens whose products have the
// signs that a victim's fingerprint publishes: nobody notices, as the tokens
// are not used. Of the cosines themselves the forger knows nothing, so he makes
// those of published signs as large as the guards allow and all others nothing.
// The rest of his embedding he gives a direction, so that a comparison of
// weights finds no untouched rows but his.
func ForgedTokens(ctx context.Context, hidden int) (Result, error) {
	r := Result{Attack: "forge the published signs of little-used tokens", Setting: fmt.Sprintf("two networks of width %d, 96 of 1024 tokens", hidden)}
	s := zoo.Shape{Layers: 2, Hidden: hidden, Width: 512, Heads: 4, KVHeads: 4, HeadDim: hidden / 4, Vocab: 1024, Untied: true}
	var in [2]report.Input
	for i := range in {
		in[i] = report.Input{Ref: fmt.Sprint("random ", i), Format: "memory", Model: zoo.Random(rand.New(rand.NewPCG(uint64(i), 12)), s, zoo.Quirks{})}
	}
	print, err := fingerprint.Compute(ctx, in[0].Model, nil)
	if err != nil {
		return r, err
	}
	was, err := copyOf(ctx, in[1].Model)
	if err != nil {
		return r, err
	}
	forged := was.Clone()
	forgeRows(forged.Values("model.embed_tokens.weight"), hidden, print.Tokens)
	return r.asked(ctx, in[0], print, in[1], was, forged, nil)
}

// forgeRows writes rows whose Gram matrix is the one wished for: its Cholesky
// factor in a random basis.
func forgeRows(x []float32, d int, t *fingerprint.Tokens) {
	const energy = 1.05 // of squared cosines, in units of what chance makes
	r := rand.New(rand.NewPCG(13, 13))
	n, table := len(t.Rows), t.Table()
	counted := 0
	for _, v := range table {
		counted += int(v * v)
	}
	size := math.Sqrt(energy / float64(d) * float64(n*(n-1)/2) / float64(counted))
	gram := make([]float64, n*n)
	for j := range n {
		gram[j*n+j] = 1
		for i := range j {
			gram[j*n+i] = size * float64(table[j*n+i])
		}
	}
	rows := turnedInto(cholesky(gram, n), orthonormal(r, n, d), n, d)
	square := 0.0
	for _, v := range x {
		square += float64(v) * float64(v) / float64(len(x))
	}
	for i := range x {
		x[i] += float32(math.Sqrt(square) * float64(i%2)) // the other rows have a direction
	}
	length := 0.5 * math.Sqrt(square*float64(d))
	for i, row := range t.Rows {
		for k := range d {
			x[row*d+k] = float32(length * rows[i*d+k])
		}
	}
}

// cholesky is the lower factor of a positive matrix, of which the lower half is
// given.
func cholesky(a []float64, n int) []float64 {
	l := make([]float64, n*n)
	for j := range n {
		for i := range j + 1 {
			sum := a[j*n+i] - dot(l[j*n:j*n+i], l[i*n:i*n+i])
			if i < j {
				l[j*n+i] = sum / l[i*n+i]
			} else {
				l[j*n+j] = math.Sqrt(math.Max(sum, 1e-6))
			}
		}
	}
	return l
}

// orthonormal draws n directions of d values at right angles.
func orthonormal(r *rand.Rand, n, d int) []float64 {
	q := normal(r, n*d, 1)
	for i := range n {
		row := q[i*d : (i+1)*d]
		for j := range i {
			c := dot(row, q[j*d:(j+1)*d])
			for k := range row {
				row[k] -= c * q[j*d+k]
			}
		}
		size := norm(row)
		for k := range row {
			row[k] /= size
		}
	}
	return q
}

// turnedInto is l·q.
func turnedInto(l, q []float64, n, d int) []float64 {
	out := make([]float64, n*d)
	for i := range n {
		for j := range i + 1 {
			for k := range d {
				out[i*d+k] += l[i*n+j] * q[j*d+k]
			}
		}
	}
	return out
}
