package faithful_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/similarity/faithful"
)

// sharing are the types whose scales tell the importance that all rows share.
var sharing = []string{"Q4_0", "Q4_1", "Q5_0", "Q5_1"}

// sharedTrial quantises rows with one importance that is hidden, changes a tenth of the
// blocks, and counts those that were changed and those of them that are named.
func sharedTrial(t *testing.T, name string, kind int, change func(r *rand.Rand, x, importance []float32, block []byte)) (changed, named, untouched int, grade faithful.Grade) {
	codec, _ := tensor.Named(name).Codec()
	w := writer{codec, 160, 64, name}
	if os.Getenv("WEIGHTPRINT_LONG") != "" {
		w.rows, w.cols = 768, 512
	}
	r := rand.New(rand.NewPCG(uint64(kind), 41))
	x, importance := weights[kind].make(r, w.rows, w.cols), importances(r, w.cols)
	honest := w.write(x, importance)
	raw := bytes.Clone(honest)
	w.each(func(b, v int) {
		if change != nil && r.IntN(10) == 0 {
			change(r, x[v/w.cols*w.cols:][:w.cols], importance, raw[b:][:codec.BlockBytes])
		}
	})
	out := judgeAs(t, w, raw, x, nil)
	at := map[int]bool{}
	for _, d := range out.Deviations {
		at[d.Row*w.size()+d.Block*codec.BlockBytes] = true
	}
	w.each(func(b, _ int) {
		switch equal := bytes.Equal(raw[b:][:codec.BlockBytes], honest[b:][:codec.BlockBytes]); {
		case !equal:
			if changed++; at[b] {
				named++
			}
		case at[b]:
			untouched++
		}
	})
	return changed, named, untouched, out.Grade()
}

// One importance serves all rows. Of a tensor whose importance is hidden no honest block
// is named, and what another importance would have given, or a scale that was moved, is.
func TestImportanceIsShared(t *testing.T) {
	scale := func(by int) func(r *rand.Rand, _, _ []float32, block []byte) {
		return func(r *rand.Rand, _, _ []float32, block []byte) { // by some last places of half precision
			u := int(block[0]) | int(block[1])<<8
			u += by * (2*r.IntN(2) - 1)
			block[0], block[1] = byte(u), byte(u>>8)
		}
	}
	var table strings.Builder
	for _, name := range sharing {
		if name[1] == '5' && os.Getenv("WEIGHTPRINT_LONG") == "" {
			continue
		}
		fmt.Fprintf(&table, "| %s |", name)
		for _, a := range []struct {
			what   string
			change func(r *rand.Rand, x, importance []float32, block []byte)
			least  float64
		}{
			{"nothing", nil, 0},
			{"8 last places", scale(8), .9},
			{"32 last places", scale(32), .98},
			{"one bit of a scale", func(r *rand.Rand, _, _ []float32, block []byte) { block[r.IntN(2)] ^= 1 << r.IntN(8) }, .7},
		} {
			changed, named := 0, 0
			for kind := range weights {
				if kind%2 == 1 && os.Getenv("WEIGHTPRINT_LONG") == "" {
					continue
				}
				c, n, untouched, grade := sharedTrial(t, name, kind, a.change)
				require.Zero(t, untouched, "%s %s %s", name, weights[kind].name, a.what)
				if a.change == nil {
					require.Equal(t, faithful.Reachable, grade, "%s %s", name, weights[kind].name)
				}
				changed, named = changed+c, named+n
			}
			require.GreaterOrEqual(t, float64(named), a.least*float64(changed), "%s %s %d of %d", name, a.what, named, changed)
			fmt.Fprintf(&table, " %d/%d |", named, changed)
		}
		table.WriteString("\n")
	}
	t.Log("\n" + table.String())
}

// Importance of whatever kind is no deviation: zeros, a few columns, many orders of
// magnitude.
func TestUnusualImportanceIsNoDeviation(t *testing.T) {
	kinds := map[string]func(r *rand.Rand, i int) float64{
		"zeros":   func(r *rand.Rand, _ int) float64 { return math.Exp(r.NormFloat64()) * float64(r.IntN(2)) },
		"few":     func(r *rand.Rand, i int) float64 { return float64(r.IntN(8) / 7) },
		"wide":    func(r *rand.Rand, _ int) float64 { return math.Pow(10, 20*r.Float64()-10) },
		"runs":    func(r *rand.Rand, i int) float64 { return math.Exp(r.NormFloat64()) * float64(i/32%3) },
		"nothing": func(*rand.Rand, int) float64 { return 0 },
	}
	for _, name := range sharing {
		codec, _ := tensor.Named(name).Codec()
		w := writer{codec, 112, 64, name}
		for kind, of := range kinds {
			r := rand.New(rand.NewPCG(7, uint64(len(kind))))
			importance := fill(w.cols, func(i int) float64 { return of(r, i) })
			for _, i := range []int{0, 2} {
				x := weights[i].make(r, w.rows, w.cols)
				out := judgeAs(t, w, w.write(x, importance), x, nil)
				require.Zero(t, out.Blocks[faithful.Deviates], "%s %s %s: %v", name, kind, weights[i].name, out.Deviations)
			}
		}
	}
}

// A source that was decoded from the type comes out alike with nearly any importance. The few
// blocks that do not are no deviation; those that no importance gives are.
func TestSourcesOnTheLattice(t *testing.T) {
	for _, name := range []string{"Q4_1", "Q5_1"} {
		codec, _ := tensor.Named(name).Codec()
		w := writer{codec, 96, 192, name}
		r := rand.New(rand.NewPCG(9, 9))
		x := w.decode(w.write(weights[0].make(r, w.rows, w.cols), nil))
		importance := fill(w.cols, func(i int) float64 { return float64(1 - min(1, i%97)) })
		raw := w.write(x, importance)
		out := judgeAs(t, w, raw, x, nil)
		require.Zero(t, out.Blocks[faithful.Deviates], "%s: %v", name, out.Deviations)
		raw[len(raw)/2/codec.BlockBytes*codec.BlockBytes+1] = 0x7e // no number
		require.NotZero(t, judgeAs(t, w, raw, x, nil).Blocks[faithful.Deviates], name)
	}
}
