package mlp

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/similarity/align"
)

// deepTower draws a network whose layers differ as trained ones do.
func deepTower(r *rand.Rand, layers int) *zoo.Model {
	s := zoo.Shape{Layers: layers, Hidden: 64, Width: 160, Heads: 4, KVHeads: 2, HeadDim: 16, Vocab: 100, Untied: true}
	m := zoo.Random(r, s, zoo.Quirks{})
	for l := range layers {
		common, share, size := make([]float32, s.Hidden), float32(r.Float64()), float32(1+2*r.Float64())
		for k := range common {
			common[k] = float32(r.NormFloat64())
		}
		for u := range s.Width {
			w := share * float32(r.NormFloat64()) / 8
			for k := range s.Hidden {
				g := &m.Values(layerName(l, "mlp.gate_proj"))[u*s.Hidden+k]
				*g = size * (*g + w*common[k])
			}
		}
	}
	return m
}

func layerName(l int, part string) string {
	return "model.layers." + string(rune('0'+l)) + "." + part + ".weight"
}

// Layers that were put into a disguised copy are told by profiles, and those that follow
// find where they came from.
func TestLayersThatWerePutIn(t *testing.T) {
	for _, at := range []int{0, 3, 8} {
		r := rand.New(rand.NewPCG(uint64(at), 7))
		a := deepTower(r, 8)
		b := a.Clone()
		zoo.DisguiseAll(r, b)
		other := deepTower(r, 8)
		longer := zoo.New()
		longer.Meta = b.Meta
		for _, x := range b.Tensors() {
			name := x.Name
			for l := 7; l >= at; l-- {
				if prefix := layerName(l, ""); len(name) > len(prefix) && name[:15] == prefix[:15] {
					name = layerName(l+1, "")[:15] + name[15:]
				}
			}
			longer.Add(name, b.Values(x.Name), x.Shape...)
		}
		for _, x := range other.Tensors() {
			if prefix := layerName(2, "")[:15]; len(x.Name) > 15 && x.Name[:15] == prefix {
				longer.Add(layerName(at, "")[:15]+x.Name[15:], other.Values(x.Name), x.Shape...)
			}
		}
		p := align.NewPair(align.NewSubject("a", a, nil), align.NewSubject("b", longer, nil), []byte{1}, align.NoLimit)
		pairs, err := aligned(t.Context(), p, p.Towers[0])
		require.NoError(t, err)
		var want []align.LayerPair
		for i := range 8 {
			j := i
			if i >= at {
				j++
			}
			want = append(want, align.LayerPair{A: i, B: j})
		}
		right := 0
		for _, x := range pairs {
			if slices.Contains(want, x) {
				right++
			}
		}
		require.GreaterOrEqual(t, right, 7, "%v", pairs)
	}
}
