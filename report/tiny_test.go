package report_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/recipe"
	"github.com/weightprint/weightprint/report/verdict"
)

// tiny draws a network of next to nothing: no layers, one unit, no tokens.
func tiny(r *rand.Rand) *zoo.Model {
	size := func(of ...int) int { return of[r.IntN(len(of))] }
	if r.IntN(4) == 0 { // no known names
		m := zoo.New()
		for i := range r.IntN(4) {
			rows, cols := size(0, 1, 2, 3, 17, 40), size(0, 1, 2, 3, 40)
			m.Add(fmt.Sprintf("m%d.weight", i), drawn(r, rows*cols), int64(rows), int64(cols))
			if r.IntN(2) == 0 {
				m.Add(fmt.Sprintf("m%d.bias", i), drawn(r, rows), int64(rows))
			}
		}
		return m
	}
	head := size(2, 4, 16)
	return zoo.Random(r, zoo.Shape{
		Layers: size(0, 1, 2), Hidden: head * size(1, 2), Width: size(1, 2, 17, 40), Heads: 2, KVHeads: size(1, 2), HeadDim: head, Vocab: size(1, 2, 3, 17, 130, 300), Untied: r.IntN(2) == 0,
	}, zoo.Quirks{Gains: 0.2})
}

// drawn are normal values, all zero or all one now and then.
func drawn(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	how := r.IntN(6)
	for i := range x {
		switch how {
		case 0:
		case 1:
			x[i] = 1
		default:
			x[i] = float32(r.NormFloat64())
		}
	}
	return x
}

// vocabulary draws a vocabulary of which next to none, some or all tokens are
// those of another one.
func vocabulary(r *rand.Rand) (out []string) {
	own := r.Uint32()
	shared := []int{0, 1, 2, 20, 400}[r.IntN(5)]
	for i := range []int{0, 1, 2, 17, 130, 300}[r.IntN(6)] {
		if i < shared {
			out = append(out, fmt.Sprintf("token%d", i))
		} else {
			out = append(out, fmt.Sprintf("own%d.%d", own, i))
		}
	}
	return out
}

// Whatever the two sides lack, a comparison ends with a report and strangers
// stay strangers.
func TestTinyNetworks(t *testing.T) {
	for seed := range uint64(cases(40, 60, 5000)) {
		r := rand.New(rand.NewPCG(seed, 0x71))
		a, b := tiny(r), tiny(r)
		same := r.IntN(3) == 0
		if same {
			b = a.Clone()
		}
		in := [2]report.Input{{Ref: "a", Model: a, Tokens: vocabulary(r)}, {Ref: "b", Model: b, Tokens: vocabulary(r)}}
		require.NotPanics(t, func() {
			rep, err := report.Build(context.Background(), in[0], in[1], &report.Options{Depth: report.Deep})
			require.NoError(t, err)
			if !same {
				require.NotEqual(t, verdict.Related, rep.Verdict.Relation, "%v", rep.Verdict.Because)
			}
			for name, write := range renderers {
				if name != "intoto" { // nothing pins models that lie in memory
					require.NoError(t, write(rep, &bytes.Buffer{}), name)
				}
			}
			if _, err := recipe.Find(context.Background(), in[1], []report.Input{in[0]}, nil); err != nil {
				require.NotEmpty(t, err.Error())
			}
		}, "seed %d", seed)
	}
}

// Editing the strings beside the weights does not hide them: rows are paired by
// number where next to no strings agree, and the report says so.
func TestVocabulariesApart(t *testing.T) {
	shape := zoo.Shape{Layers: 2, Hidden: 64, Width: 96, Heads: 4, KVHeads: 2, HeadDim: 16, Vocab: 400, Untied: true}
	r := rand.New(rand.NewPCG(5, 0x71))
	a, stranger := zoo.Random(r, shape, zoo.Quirks{Gains: 0.2}), zoo.Random(r, shape, zoo.Quirks{Gains: 0.2})
	turned := a.Clone()
	zoo.DisguiseAll(r, turned)
	names := func(format string, common int) (out []string) {
		for i := range shape.Vocab {
			if i < common {
				out = append(out, fmt.Sprintf("token%d", i))
			} else {
				out = append(out, fmt.Sprintf(format, i))
			}
		}
		return out
	}
	twice := make([]string, shape.Vocab) // one string for all tokens
	for i := range twice {
		twice[i] = "x"
	}
	for common, strings := range [][]string{names("b%d", 0), names("b%d", 1), names("b%d", 2), twice} {
		against := func(b *zoo.Model) *report.Report {
			rep, err := report.Build(context.Background(), report.Input{Ref: "a", Model: a, Tokens: names("a%d", 2)}, report.Input{Ref: "b", Model: b, Tokens: strings}, nil)
			require.NoError(t, err)
			return rep
		}
		rep := against(turned)
		require.Equal(t, verdict.Related, rep.Verdict.Relation, "vocabulary %d: %v", common, rep.Verdict.Because)
		require.Contains(t, fmt.Sprint(rep.Warnings), "next to no token strings in common")
		require.Contains(t, []verdict.Relation{verdict.NoEvidence, verdict.Inconclusive}, against(stranger).Verdict.Relation)
	}
}
