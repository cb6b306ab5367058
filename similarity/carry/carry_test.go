package carry

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/adversary"
	"github.com/weightprint/weightprint/internal/forward"
	"github.com/weightprint/weightprint/internal/population"
	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/similarity/align"
)

const layersOfTest, widthOfTest = 3, 48

// network draws an untrained one whose output every part matters to.
func network(seed uint64) *zoo.Model {
	m := zoo.Random(rand.New(rand.NewPCG(seed, 7)), zoo.Shape{Layers: layersOfTest, Hidden: 32, Width: widthOfTest, Heads: 4, KVHeads: 2, HeadDim: 8, Vocab: 96, Untied: true}, zoo.Quirks{})
	for _, t := range m.Tensors() {
		if len(t.Shape) == 2 && !strings.Contains(t.Name, "embed") {
			scale(m.Values(t.Name), 0.15)
		}
	}
	return m
}

func scale(x []float32, by float32) []float32 {
	for k := range x {
		x[k] *= by
	}
	return x
}

func tensorName(l int, part string) string {
	return fmt.Sprintf("model.layers.%d.mlp.%s_proj.weight", l, part)
}

// rebuilt copies a network with some tensors replaced; rows counts their rows.
func rebuilt(m *zoo.Model, with map[string][]float32, rows map[string]int64) *zoo.Model {
	out := zoo.New()
	for k, v := range m.Meta {
		out.Meta[k] = v
	}
	for _, t := range m.Tensors() {
		values, shape := m.Values(t.Name), t.Shape
		if v, ok := with[t.Name]; ok {
			values, shape = v, []int64{rows[t.Name], int64(len(v)) / rows[t.Name]}
		}
		out.Add(t.Name, append([]float32(nil), values...), shape...)
	}
	return out
}

// unit is one hidden unit.
type unit3 struct{ gate, up, down []float32 }

func unitsOf(m *zoo.Model, l int) (out []unit3) {
	gate, up, down := m.Values(tensorName(l, "gate")), m.Values(tensorName(l, "up")), m.Values(tensorName(l, "down"))
	for u := range widthOfTest {
		x := unit3{gate[u*32 : u*32+32], up[u*32 : u*32+32], nil}
		for k := range 32 {
			x.down = append(x.down, down[k*widthOfTest+u])
		}
		out = append(out, x)
	}
	return out
}

// planted puts what plant makes of the victim's units behind the own ones.
func planted(own, victim *zoo.Model, plant func(unit3) []unit3) *zoo.Model {
	with, rows := map[string][]float32{}, map[string]int64{}
	for l := range layersOfTest {
		units := unitsOf(own, l)
		for _, u := range unitsOf(victim, l)[:24] {
			units = append(units, plant(u)...)
		}
		gate, up, down := tensorName(l, "gate"), tensorName(l, "up"), tensorName(l, "down")
		for _, u := range units {
			with[gate], with[up] = append(with[gate], u.gate...), append(with[up], u.up...)
		}
		for k := range 32 {
			for _, u := range units {
				with[down] = append(with[down], u.down[k])
			}
		}
		rows[gate], rows[up], rows[down] = int64(len(units)), int64(len(units)), 32
	}
	return rebuilt(own, with, rows)
}

func times(x []float32, by float32) []float32 { return scale(append([]float32(nil), x...), by) }

func idleUnit(u unit3) []unit3 { return []unit3{{u.gate, u.up, times(u.down, 1e-6)}} }

// fourUnits sum to nothing: silu(g)·u − silu(−g)·u − silu(u)·g + silu(−u)·g = 0.
func fourUnits(u unit3) []unit3 {
	minus := times(u.down, -1)
	return []unit3{u, {times(u.gate, -1), u.up, minus}, {u.up, u.gate, minus}, {times(u.up, -1), u.gate, u.down}}
}

// blended is a child: part of each value of another network is mixed in.
func blended(m, other *zoo.Model, part float32) *zoo.Model {
	c := m.Clone()
	for _, t := range c.Tensors() {
		if x := c.Values(t.Name); len(t.Shape) == 2 {
			for k, v := range other.Values(t.Name) {
				x[k] += float32(part * v)
			}
		}
	}
	return c
}

// half has the first layer of one network and the others of another.
func half(m, other *zoo.Model) *zoo.Model {
	c := m.Clone()
	for _, t := range c.Tensors() {
		if strings.Contains(t.Name, ".0.mlp.") {
			copy(c.Values(t.Name), other.Values(t.Name))
		}
	}
	return c
}

func measured(t *testing.T, a, b *zoo.Model) *Result {
	t.Helper()
	var models [2]*forward.Model
	var nets [2]*align.Subject
	for i, m := range []*zoo.Model{a, b} {
		nets[i] = &align.Subject{Net: roles.Map(m)}
		var err error
		models[i], err = forward.New(nets[i].Net, m.Metadata())
		require.NoError(t, err)
	}
	r, err := Pair(t.Context(), align.NewPair(nets[0], nets[1], []byte("seed"), align.NoLimit), models[0], models[1])
	require.NoError(t, err)
	return r
}

// Children rest on what they share with their parent, and so does the parent. What
// was planted, one unit at a time or in sets that sum to nothing at full size, is
// rested on by the one from whom it was taken alone.
func TestCarryTellsPassengers(t *testing.T) {
	for seed := range uint64(2) {
		a, stranger := network(seed), network(seed+100)
		for _, c := range []struct {
			name               string
			b                  *zoo.Model
			weightA, weightB   [2]float64 // bounds
			agreeing, together int        // units that agree in B, and that are taken out with them
		}{
			{"copy", a.Clone(), [2]float64{1, 1}, [2]float64{1, 1}, 144, 0},
			{"child", blended(a, stranger, 0.3), [2]float64{0.7, 1.5}, [2]float64{0.7, 1.5}, 130, 0},
			{"two layers of three", half(a, stranger), [2]float64{0.4, 4}, [2]float64{0.4, 4}, 94, 0},
			{"idle units", planted(stranger, a, idleUnit), [2]float64{0.4, 3}, [2]float64{0, 0.1}, 70, 0},
			{"sets of four units", planted(stranger, a, fourUnits), [2]float64{0.4, 3}, [2]float64{0, 0.1}, 70, 200},
		} {
			r := measured(t, a, c.b)
			require.True(t, r.Measured, "%s: %s", c.name, r.Why)
			for i, bounds := range [][2]float64{c.weightA, c.weightB} {
				w := r.Sides[i].Weight()
				require.True(t, bounds[0] <= w && w <= bounds[1], "%s %d, side %d: %.3f", c.name, seed, i, w)
			}
			require.GreaterOrEqual(t, r.Sides[1].Agreeing, c.agreeing, c.name)
			require.GreaterOrEqual(t, r.Sides[1].Companions, c.together, c.name)
			require.Equal(t, r.A, r.Sides[0].Without/r.Sides[0].Block)
		}
	}
}

// A passenger that tokens of its own set to work carries as much as anything in texts of
// these, and nothing in others; a copy in whatever disguise carries at every token.
func TestCarryOfPlantedTokens(t *testing.T) {
	own, victim := population.Member(0, 0), population.Member(0, 1)
	r := rand.New(rand.NewPCG(18, 0))
	made := adversary.Tongues[0].Apply(r, own.Clone(), victim.Clone())
	planted := measured(t, victim.Model(), made.Model())
	require.True(t, planted.Measured, planted.Why)
	require.Greater(t, planted.Sides[1].Weight(), 0.5)
	require.Less(t, planted.Sides[1].LeastWeight(), 0.1)
	require.Greater(t, planted.Sides[0].LeastWeight(), 0.5)
	for _, e := range adversary.Evasions[:2] {
		copied := measured(t, victim.Model(), e.Apply(r, victim.Clone()).Model())
		require.True(t, copied.Measured, copied.Why)
		for _, s := range copied.Sides {
			require.Greater(t, s.LeastWeight(), 0.5, e.Name)
		}
	}
}

// Nothing is measured where nothing agrees, or where a side cannot be run.
func TestNotMeasured(t *testing.T) {
	r := measured(t, network(1), network(2))
	require.False(t, r.Measured)
	require.Contains(t, r.Why, "as by chance")

	broken := network(1)
	broken.Values(tensorName(1, "down"))[7] = 3e38
	r = measured(t, broken, network(1))
	require.False(t, r.Measured)
	require.Contains(t, r.Why, "A: its output is not finite")

	m := network(1)
	m.Meta["config.model_type"] = "mixtral"
	_, err := forward.New(roles.Map(m), m.Metadata())
	require.ErrorIs(t, err, forward.ErrUnsupported)
}

// The bits do not depend on the number of workers.
func TestBits(t *testing.T) {
	a, stranger := network(3), network(4)
	b := planted(stranger, a, fourUnits)
	var all []*Result
	for _, workers := range []int{1, 2, 5} {
		old := runtime.GOMAXPROCS(workers)
		all = append(all, measured(t, a, b))
		runtime.GOMAXPROCS(old)
	}
	require.Equal(t, all[0], all[1])
	require.Equal(t, all[0], all[2])
}

// withIdleHeads puts the victim's heads in front of the own ones and lets them write
// next to nothing.
func withIdleHeads(own, victim *zoo.Model) *zoo.Model {
	with, rows := map[string][]float32{}, map[string]int64{}
	for l := range layersOfTest {
		name := func(part string) string { return fmt.Sprintf("model.layers.%d.self_attn.%s_proj.weight", l, part) }
		for part, n := range map[string]int64{"q": 64, "k": 32, "v": 32} {
			with[name(part)] = append(append([]float32(nil), victim.Values(name(part))...), own.Values(name(part))...)
			rows[name(part)] = n
		}
		o := name("o")
		rows[o] = 32
		for k := range 32 {
			with[o] = append(with[o], times(victim.Values(o)[k*32:(k+1)*32], 1e-6)...)
			with[o] = append(with[o], own.Values(o)[k*32:(k+1)*32]...)
		}
	}
	m := rebuilt(own, with, rows)
	m.Meta["config.num_attention_heads"], m.Meta["config.num_key_value_heads"] = int64(8), int64(4)
	return m
}

// Heads are found by what they read and write, and taken out.
func TestCarryOfHeads(t *testing.T) {
	a := network(5)
	r := measured(t, a, withIdleHeads(network(105), a))
	require.True(t, r.Measured, r.Why)
	require.Equal(t, [2]int{6, 6}, [2]int{r.Sides[0].HeadsAgree, r.Sides[1].HeadsAgree})
	require.Equal(t, [2]int{6, 12}, [2]int{r.Sides[0].Heads, r.Sides[1].Heads})
	require.InDelta(t, 1, r.A, 0.1)
	require.Less(t, r.Sides[1].Weight(), 0.01)
	require.Zero(t, r.Sides[1].Agreeing)
}

// A copy with another basis and a shuffled vocabulary is found under a basis that is
// fitted.
func TestCarryWithoutTokens(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	a := network(6)
	b := a.Clone()
	zoo.RotateResidual(r, b)
	zoo.MLPPermute(r, b)
	order := r.Perm(96)
	for _, name := range []string{"model.embed_tokens.weight", "lm_head.weight"} {
		x := b.Values(name)
		old := append([]float32(nil), x...)
		for to, from := range order {
			copy(x[to*32:(to+1)*32], old[from*32:(from+1)*32])
		}
	}
	found := measured(t, a, b)
	require.True(t, found.Measured, found.Why)
	require.Equal(t, "token-free", found.Coordinates)
	require.InDelta(t, 1, found.A, 0.1)
	require.InDelta(t, 1, found.B, 0.1)
}
