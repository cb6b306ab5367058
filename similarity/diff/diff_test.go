package diff_test

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/diff"
)

const hidden, dim = 32, 16

func models() (a, b *zoo.Model) {
	a = zoo.Random(rand.New(rand.NewPCG(3, 1)), zoo.Shape{Layers: 3, Hidden: hidden, Width: 64, Heads: 2, KVHeads: 2, HeadDim: dim, Vocab: 100}, zoo.Quirks{})
	return a, a.Clone()
}

func compare(t *testing.T, a, b *zoo.Model, o diff.Options) map[string]diff.Tensor {
	t.Helper()
	d, err := diff.Compare(context.Background(), align.NewPair(&align.Subject{Net: roles.Map(a)}, &align.Subject{Net: roles.Map(b)}, nil, align.NoLimit), o)
	require.NoError(t, err)
	out := map[string]diff.Tensor{}
	for _, x := range d.Tensors {
		out[x.Role] = x
	}
	return out
}

// name is the stored name of a tensor by its role.
func name(t *testing.T, m *zoo.Model, role string) string {
	t.Helper()
	for _, x := range roles.Map(m).Matrices() {
		if x.Role == role {
			return x.Tensor.Name
		}
	}
	t.Fatal("no " + role)
	return ""
}

// Each kind of change is named on the tensor that it was made to, and on no
// other.
func TestForms(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	for _, c := range []struct {
		role  string
		form  diff.Form
		made  func(v []float32)
		check func(x diff.Tensor)
	}{
		{"layers.1.attn.o", diff.Scaled, func(v []float32) {
			for i := range v {
				v[i] *= 0.5
			}
		}, func(x diff.Tensor) { require.InDelta(t, 0.5, x.Factor, 1e-6) }},
		{"layers.2.mlp.up", diff.Rows, func(v []float32) {
			for i := range hidden {
				v[7*hidden+i]++
			}
		}, func(x diff.Tensor) {
			require.Equal(t, []diff.Span{{First: 7, Last: 7}}, x.Changed)
			require.Equal(t, "unit 7", x.Most[0].Name)
		}},
		{"layers.0.attn.v", diff.Changed, func(v []float32) {
			for i := range dim * hidden {
				v[dim*hidden+i] += float32(r.NormFloat64())
			}
		}, func(x diff.Tensor) { require.Equal(t, []int{1}, x.Heads) }},
		{"layers.0.mlp.down", diff.Replaced, func(v []float32) {
			for i := range v {
				v[i] = float32(r.NormFloat64())
			}
		}, func(diff.Tensor) {}},
		{"layers.1.mlp.gate", diff.LowRank, func(v []float32) {
			u := make([]float32, hidden)
			for i := range u {
				u[i] = float32(r.NormFloat64())
			}
			for row := range len(v) / hidden {
				f := float32(r.NormFloat64())
				for i := range u {
					v[row*hidden+i] += f * u[i]
				}
			}
		}, func(x diff.Tensor) { require.Equal(t, 1, x.Rank) }},
		{"layers.2.mlp.down", diff.Projected, func(v []float32) {
			cols := len(v) / hidden
			for c := range cols { // the mean of all outputs is one direction of them
				mean := float32(0)
				for o := range hidden {
					mean += v[o*cols+c] / hidden
				}
				for o := range hidden {
					v[o*cols+c] -= mean
				}
			}
		}, func(x diff.Tensor) {
			require.Equal(t, "rows", x.Along[0].Side)
			require.Less(t, x.Along[0].B, 0.01*x.Along[0].A)
		}},
	} {
		t.Run(string(c.form), func(t *testing.T) {
			a, b := models()
			c.made(b.Values(name(t, b, c.role)))
			for role, x := range compare(t, a, b, diff.Options{}) {
				if role != c.role {
					require.Equal(t, diff.Equal, x.Form, role)
					continue
				}
				require.Equal(t, c.form, x.Form)
				c.check(x)
			}
		})
	}
}

// Rows of a vocabulary are held together by their tokens, wherever these stand.
func TestTokensAreHeldByString(t *testing.T) {
	a, b := models()
	tokens := make([]string, 100)
	for i := range tokens {
		tokens[i] = string(rune('a' + i))
	}
	moved := append([]string{}, tokens...)
	moved[3], moved[50] = tokens[50], tokens[3]
	moved[99] = "new"
	v := b.Values(name(t, b, "embedding"))
	for i := range hidden {
		v[3*hidden+i], v[50*hidden+i] = v[50*hidden+i], v[3*hidden+i]
	}
	x := compare(t, a, b, diff.Options{TokensA: tokens, TokensB: moved})["embedding"]
	require.Equal(t, diff.Equal, x.Form)
	require.Equal(t, []diff.Row{{At: 99, Name: "new"}}, x.Added)
	require.Equal(t, []diff.Row{{At: 99, Name: tokens[99]}}, x.Removed)
	require.Equal(t, diff.Rows, compare(t, a, b, diff.Options{})["embedding"].Form, "by place, two rows differ")
}
