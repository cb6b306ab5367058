package report_test

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/archs"
	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

// fixed tells tensors that hold the same values in all networks.
func fixed(a *archs.Architecture, name string) bool {
	return a.Roles[name] == "table" || strings.Contains(name, "encoder.embed_positions")
}

// network draws weights. Gains of norms are near one and biases near zero, and
// fixed tables are the same, in every network.
func network(a *archs.Architecture, seed uint64) *zoo.Model {
	r := rand.New(rand.NewPCG(seed, 1))
	m := zoo.New()
	m.Meta = a.Meta
	for _, name := range a.Tensors {
		n, _ := tensor.Elements(a.Shapes[name])
		v := make([]float32, n)
		for i := range v {
			switch x := float32(r.NormFloat64()); {
			case fixed(a, name):
				v[i] = float32(i%17) / 17
			case len(a.Shapes[name]) > 1:
				v[i] = x / 8
			case strings.HasSuffix(name, ".bias"):
				v[i] = x / 100
			default:
				v[i] = 1 + x/100
			}
		}
		m.Add(name, v, a.Shapes[name]...)
	}
	return m
}

// tuned is a copy whose weights have moved by a tenth of their size.
func tuned(m *zoo.Model, a *archs.Architecture) *zoo.Model {
	c := m.Clone()
	r := rand.New(rand.NewPCG(99, 1))
	for _, name := range a.Tensors {
		if v := c.Values(name); !fixed(a, name) && len(a.Shapes[name]) > 1 {
			for i := range v {
				v[i] += float32(r.NormFloat64()) / 80
			}
		}
	}
	return c
}

// Of every architecture a fine-tuned copy is found, in all towers, and a
// stranger never is. In the smallest the labels say so alone: arranging strangers
// of so few units reaches any likeness.
func TestEveryArchitecture(t *testing.T) {
	all, err := archs.All()
	require.NoError(t, err)
	require.Greater(t, len(all), 100)
	for i, a := range all {
		if testing.Short() && i%5 != 0 {
			continue
		}
		t.Run(a.Name, func(t *testing.T) {
			base, stranger := network(a, 1), network(a, 2)
			child := tuned(base, a)
			compared := func(x, y *zoo.Model) *report.Report {
				r, err := report.Build(context.Background(), report.Input{Ref: "a", Model: x}, report.Input{Ref: "b", Model: y}, nil)
				require.NoError(t, err)
				return r
			}
			r := compared(base, child)
			require.Equal(t, "exact", r.Verdict.Tier)
			if r.Verdict.Relation == verdict.Inconclusive {
				require.Contains(t, strings.Join(r.Verdict.Because, "\n"), "the labels correspond, the content does not")
				return
			}
			require.Equal(t, verdict.Related, r.Verdict.Relation, "%v", r.Verdict.Because)
			parts := map[string]verdict.Relation{}
			for _, c := range r.Components {
				parts[c.Name] = c.Relation
			}
			if a.With("attn.o")+a.With("mlp.down") == 0 || a.Meta["general.architecture"] == "mamba" {
				require.Equal(t, verdict.Related, parts["embeddings"])
				return
			}
			attention, mlp := 0, 0
			for name, relation := range parts {
				switch name[strings.LastIndexByte(name, '.')+1:] {
				case "attention":
					attention++
				case "mlp", "experts":
					if relation == verdict.Related {
						mlp++
					}
				}
			}
			require.GreaterOrEqual(t, attention, a.With("attn.o"), "%v", parts)
			require.GreaterOrEqual(t, mlp, a.With("mlp.down"), "%v", parts)
			require.Empty(t, r.Delta.OnlyA)
			require.Empty(t, r.Delta.OnlyB)
			for _, o := range []*zoo.Model{child, base}[:cases(1, 1, 2)] {
				v := compared(o, stranger).Verdict
				require.NotContains(t, []verdict.Relation{verdict.Related, verdict.SharedInit, verdict.Reencoded, verdict.Identical}, v.Relation, "%v", v.Because)
			}
		})
	}
}
