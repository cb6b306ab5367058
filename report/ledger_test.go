package report_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/report"
)

// virtual is a network of a shape, with further tensors.
func virtual(s zoo.Shape, seed, noiseSeed uint64, noise float64, more ...zoo.Spec) *zoo.Drawn {
	specs, meta := s.Specs()
	return zoo.NewDrawn(append(specs, more...), meta, seed, noiseSeed, noise)
}

func inputs(a, b *zoo.Drawn) (report.Input, report.Input) {
	return report.Input{Ref: "a", Model: a}, report.Input{Ref: "b", Model: b}
}

// unnamed gives tensors names that no family has.
func unnamed(specs []zoo.Spec) []zoo.Spec {
	out := make([]zoo.Spec, len(specs))
	for i, s := range specs {
		out[i] = zoo.Spec{Name: strings.NewReplacer("model", "net", "proj", "op", "layernorm", "rescale").Replace(s.Name), Shape: s.Shape}
	}
	return out
}

// Whatever the networks are like, a comparison reads no more of either than its
// budget allows and one block of rows besides: the longest row there is.
func TestBudgetIsKept(t *testing.T) {
	plain := zoo.Shape{Layers: 6, Hidden: 256, Width: 1024, Heads: 4, KVHeads: 4, HeadDim: 64, Vocab: 3000, Untied: true}
	wide := zoo.Shape{Layers: 4, Hidden: 512, Width: 768, Heads: 8, KVHeads: 8, HeadDim: 256, Vocab: 2000}
	fewer := wide
	fewer.KVHeads = 4
	deep := zoo.Shape{Layers: 64, Hidden: 96, Width: 160, Heads: 4, KVHeads: 2, HeadDim: 24, Vocab: 1000}
	shallower := deep
	shallower.Layers = 60
	long := []zoo.Spec{{Name: "audio.table", Shape: []int64{1 << 26}}, {Name: "audio.scale", Shape: []int64{1 << 22}}}
	specs, _ := plain.Specs()
	for name, c := range map[string]struct {
		a, b, child *zoo.Drawn
	}{
		"plain":              {virtual(plain, 1, 0, 0), virtual(plain, 2, 0, 0), virtual(plain, 1, 3, .1)},
		"wide heads":         {virtual(wide, 1, 0, 0), virtual(fewer, 2, 0, 0), virtual(wide, 1, 3, .1)},
		"many layers":        {virtual(deep, 1, 0, 0), virtual(shallower, 2, 0, 0), virtual(deep, 1, 3, .1)},
		"huge vectors":       {virtual(plain, 1, 0, 0, long...), virtual(plain, 2, 0, 0, long...), virtual(plain, 1, 3, .1, long...)},
		"unknown roles":      {zoo.NewDrawn(unnamed(specs), nil, 1, 0, 0), zoo.NewDrawn(unnamed(specs), nil, 2, 0, 0), zoo.NewDrawn(unnamed(specs), nil, 1, 3, .1)},
		"unknown, with huge": {zoo.NewDrawn(append(unnamed(specs), long...), nil, 1, 0, 0), zoo.NewDrawn(append(unnamed(specs), long...), nil, 2, 0, 0), zoo.NewDrawn(append(unnamed(specs), long...), nil, 1, 3, .1)},
	} {
		for _, o := range []report.Options{{Budget: 64 << 10, Depth: report.Normal}, {Budget: 1 << 20, Depth: report.Deep}, {Budget: 3 << 20, Depth: report.Normal}} {
			for _, b := range []*zoo.Drawn{c.b, c.child} {
				c.a.Read.Store(0)
				b.Read.Store(0)
				x, y := inputs(c.a, b)
				_, err := report.Build(t.Context(), x, y, &o)
				require.NoError(t, err)
				for i, m := range []*zoo.Drawn{c.a, b} {
					require.LessOrEqual(t, m.Read.Load(), int64(o.Budget)+longestRow(m), "%s, %v of %s, side %d, child %v", name, o.Budget, o.Depth, i, b == c.child)
				}
			}
		}
	}
}

// longestRow is the number of bytes of the longest row of a matrix.
func longestRow(m *zoo.Drawn) (n int64) {
	for _, x := range m.Tensors() {
		if len(x.Shape) > 1 {
			n = max(n, 2*x.Cols())
		}
	}
	return n
}

// Where everything is read and the row cache holds it, every value is decoded once,
// that of digests included.
func TestEveryValueIsDecodedOnce(t *testing.T) {
	shape := zoo.Shape{Layers: 4, Hidden: 128, Width: 320, Heads: 4, KVHeads: 2, HeadDim: 32, Vocab: 1000, Untied: true}
	for name, b := range map[string]*zoo.Drawn{
		"child": virtual(shape, 1, 3, .1), "stranger": virtual(shape, 2, 0, 0), "same": virtual(shape, 1, 0, 0),
	} {
		for _, depth := range []report.Depth{report.Quick, report.Normal, report.Deep} {
			a := virtual(shape, 1, 0, 0)
			b.Read.Store(0)
			x, y := inputs(a, b)
			r, err := report.Build(t.Context(), x, y, &report.Options{Budget: report.Full, Depth: depth})
			require.NoError(t, err)
			require.NotNil(t, r.Subjects[0].Root, "digests are taken")
			require.Equal(t, a.Bytes(), a.Read.Load(), "%s %s", name, depth)
			require.Equal(t, b.Bytes(), b.Read.Load(), "%s %s", name, depth)
		}
	}
}

// A network that the cache cannot hold is decoded three times at most.
func TestLargeNetworksAreDecodedThrice(t *testing.T) {
	if os.Getenv("WEIGHTPRINT_LONG") == "" {
		t.Skip("set WEIGHTPRINT_LONG=1: it compares two networks of 600 MB")
	}
	shape := zoo.Shape{Layers: 4, Hidden: 2048, Width: 5632, Heads: 32, KVHeads: 4, HeadDim: 64, Vocab: 32000, Untied: true}
	for name, b := range map[string]*zoo.Drawn{"child": virtual(shape, 1, 3, .1), "stranger": virtual(shape, 2, 0, 0)} {
		a := virtual(shape, 1, 0, 0)
		x, y := inputs(a, b)
		_, err := report.Build(t.Context(), x, y, &report.Options{Budget: report.Full})
		require.NoError(t, err)
		for i, m := range []*zoo.Drawn{a, b} {
			require.LessOrEqual(t, m.Read.Load(), 3*m.Bytes(), fmt.Sprintf("%s, side %d", name, i))
		}
	}
}
