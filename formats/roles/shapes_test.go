package roles_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/zoo"
)

// listed is a list of tensors of which only names and shapes are known.
type listed []*tensor.Tensor

func (m listed) Tensors() []*tensor.Tensor { return m }
func (m listed) Metadata() tensor.Metadata { return nil }
func (m listed) Tensor(name string) (*tensor.Tensor, bool) {
	i := slices.IndexFunc(m, func(t *tensor.Tensor) bool { return t.Name == name })
	if i < 0 {
		return nil, false
	}
	return m[i], true
}

// hidden renames the tensors of a model, and exchanges the axes of its matrices if asked.
func hidden(m tensor.Model, name func(i int, old string) string, turned bool) (out listed, old map[*tensor.Tensor]string) {
	old = map[*tensor.Tensor]string{}
	for i, t := range m.Tensors() {
		c := *t
		c.Name = name(i, t.Name)
		if turned && len(t.Shape) == 2 && strings.Contains(t.Name, ".layers.") {
			c.Shape = []int64{t.Shape[1], t.Shape[0]}
		}
		out = append(out, &c)
		old[&c] = t.Name
	}
	return out, old
}

func TestByShape(t *testing.T) {
	const hiddenSize = 48
	shape := func(heads, kv, layers int, untied bool) zoo.Shape {
		return zoo.Shape{Layers: layers, Hidden: hiddenSize, Width: 128, Heads: heads, KVHeads: kv, HeadDim: 12, Vocab: 100, Untied: untied}
	}
	numbered := func(i int, old string) string {
		for n := range 9 {
			if strings.Contains(old, fmt.Sprintf("layers.%d.", n)) {
				return fmt.Sprintf("t3.%d.%x", n, len(old)*7+int(old[len(old)-9])) + old[strings.LastIndexByte(old[:len(old)-7], '.'):len(old)-7]
			}
		}
		return "z" + old[:3] + fmt.Sprint("x", len(old))
	}
	ordered := func(i int, _ string) string { return fmt.Sprintf("w%04d", i) }
	for _, c := range []struct {
		name   string
		shape  zoo.Shape
		rename func(int, string) string
		turned bool
		want   int // roles of a layer that are found: norms and matrices
	}{
		{"few keys, by number", shape(8, 2, 3, true), numbered, false, 9},
		{"few keys, by order", shape(8, 2, 3, true), ordered, false, 9},
		{"queries as wide as the stream", shape(4, 2, 3, false), ordered, false, 9},
		{"turned", shape(8, 2, 4, true), ordered, true, 9},
		{"four alike", shape(4, 4, 3, true), ordered, false, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			real := zoo.Random(rand.New(rand.NewPCG(1, 2)), c.shape, zoo.Quirks{})
			want := map[string]string{}
			for _, a := range roles.Map(real).Roles {
				want[a.Tensor.Name] = a.Role
			}
			m, old := hidden(real, c.rename, c.turned)
			most := 0
			for _, n := range roles.ByShape(m) {
				right := 0
				for _, a := range n.Roles {
					if a.Role == want[old[a.Tensor]] {
						right++
					}
				}
				most = max(most, right)
			}
			outside := 2
			if c.shape.Untied {
				outside++
			}
			require.Equal(t, c.want*c.shape.Layers+outside, most)
		})
	}
}

// What is no stack of gated layers has no such reading.
func TestByShapeRefuses(t *testing.T) {
	add := func(m listed, shape ...int64) listed {
		return append(m, &tensor.Tensor{Name: fmt.Sprint("x", len(m)), DType: tensor.F32, Shape: shape})
	}
	var plain, once listed
	for range 4 { // no gate
		for _, s := range [][]int64{{64, 64}, {64}, {64, 64}, {256, 64}, {64, 256}, {64}} {
			plain = add(plain, s...)
		}
	}
	for _, s := range [][]int64{{256, 64}, {256, 64}, {64, 256}, {64}, {64}} {
		once = add(once, s...)
	}
	for _, m := range []listed{nil, {{Name: "x", DType: tensor.F32}}, plain, once} {
		require.Empty(t, roles.ByShape(m))
	}
}
