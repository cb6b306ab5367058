package delta_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/x448/float16"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/delta"
)

const rows, cols = 96, 128

// model is one up matrix and the gain of the norm before it.
type model []*tensor.Tensor

func (m model) Tensors() []*tensor.Tensor { return m }
func (m model) Metadata() tensor.Metadata { return tensor.Metadata{"config.model_type": "llama"} }
func (m model) Tensor(name string) (*tensor.Tensor, bool) {
	i := slices.IndexFunc(m, func(t *tensor.Tensor) bool { return t.Name == name })
	if i < 0 {
		return nil, false
	}
	return m[i], true
}

func plain(name string, t tensor.DType, raw []byte, shape ...int64) *tensor.Tensor {
	return &tensor.Tensor{Name: name, DType: t, Shape: shape, Data: &tensor.Stored{R: bytes.NewReader(raw), Bytes: int64(len(raw)), DType: t}}
}

// stored writes values in a type, by rules written out here.
func stored(t tensor.DType, x []float32) model {
	return model{plain("model.layers.0.mlp.up_proj.weight", t, encoders[t](x), rows, cols)}
}

var encoders = map[tensor.DType]func(x []float32) (out []byte){
	tensor.F32: func(x []float32) (out []byte) {
		for _, v := range x {
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v))
		}
		return out
	},
	tensor.BF16: func(x []float32) (out []byte) {
		for _, v := range bf16(x) {
			out = binary.LittleEndian.AppendUint16(out, uint16(math.Float32bits(v)>>16))
		}
		return out
	},
	tensor.F16: func(x []float32) (out []byte) {
		for _, v := range x {
			out = binary.LittleEndian.AppendUint16(out, uint16(float16.Fromfloat32(v)))
		}
		return out
	},
	tensor.Named("Q8_0"): func(x []float32) (out []byte) { // a half-precision scale and 32 bytes
		for ; len(x) > 0; x = x[32:] {
			most := float32(0)
			for _, v := range x[:32] {
				most = max(most, v, -v)
			}
			scale := most / 127
			out = binary.LittleEndian.AppendUint16(out, uint16(float16.Fromfloat32(scale)))
			inverse := 1 / scale
			for _, v := range x[:32] {
				out = append(out, byte(int8(math.Round(float64(v*inverse)))))
			}
		}
		return out
	},
}

// bf16 rounds to eight significant bits, ties to even, by arithmetic.
func bf16(x []float32) []float32 {
	out := make([]float32, len(x))
	for i, v := range x {
		fraction, exponent := math.Frexp(float64(v))
		out[i] = float32(math.Ldexp(math.RoundToEven(fraction*256), exponent-8))
	}
	return out
}

func pairOf(a, b tensor.Model) *align.Pair {
	return align.NewPair(&align.Subject{Name: "a", Net: roles.Map(a)}, &align.Subject{Name: "b", Net: roles.Map(b)}, []byte{1}, align.NoLimit)
}

func changed(t *testing.T, a, b tensor.Model) delta.Change {
	t.Helper()
	all, differ, err := delta.Compare(context.Background(), pairOf(a, b).Match(), []byte{1}, delta.Options{})
	require.NoError(t, err)
	require.Empty(t, differ)
	require.Equal(t, "layers.0.mlp.up", all[0].Role)
	require.Equal(t, [2]string{"model.layers.0.mlp.up_proj.weight", "model.layers.0.mlp.up_proj.weight"}, all[0].Names)
	return all[0]
}

func weights(r *rand.Rand) []float32 {
	x := make([]float32, rows*cols)
	for i := range x {
		x[i] = float32(0.05 * r.NormFloat64())
	}
	return x
}

// with changes every value.
func with(x []float32, f func(i int, v float32) float32) []float32 {
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = f(i, v)
	}
	return out
}

func TestStorage(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	x := weights(r)
	tuned := with(x, func(_ int, v float32) float32 { return v + 0.0005*float32(r.NormFloat64()) })
	for _, c := range []struct {
		name  string
		a, b  model
		want  delta.Storage
		forth bool
		exact bool
	}{
		{"equal", stored(tensor.F32, x), stored(tensor.F32, x), delta.Equal, false, false},
		{"equal in other types", stored(tensor.BF16, x), stored(tensor.F32, bf16(x)), delta.Equal, false, false},
		{"cast", stored(tensor.F32, x), stored(tensor.BF16, x), delta.Cast, true, false},
		{"cast back", stored(tensor.F16, x), stored(tensor.F32, x), delta.Cast, false, false},
		{"quantised", stored(tensor.F32, x), stored(tensor.Named("Q8_0"), x), delta.Quantised, true, true},
		{"quantised the other way", stored(tensor.Named("Q8_0"), x), stored(tensor.F32, x), delta.Quantised, false, true},
		{"cast, then quantised", stored(tensor.BF16, x), stored(tensor.Named("Q8_0"), bf16(x)), delta.Quantised, true, true},
		{"tuned", stored(tensor.F32, x), stored(tensor.BF16, tuned), delta.Different, false, false},
		{"tuned and quantised", stored(tensor.F32, x), stored(tensor.Named("Q8_0"), tuned), delta.Different, false, false},
		{"one value", stored(tensor.F32, x), stored(tensor.F32, with(x, func(i int, v float32) float32 {
			if i == 77 {
				v = math.Nextafter32(v, 1)
			}
			return v
		})), delta.Different, false, false},
	} {
		got := changed(t, c.a, c.b)
		s, forth := got.Storage()
		require.Equal(t, c.want, s, c.name)
		require.Equal(t, c.forth, forth, c.name)
		require.Equal(t, c.exact, s == delta.Quantised && got.Exact(forth), c.name)
		require.True(t, got.Complete)
	}
}

// A value counts as on the lattice up to half a step away, and a sixteenth more
// where the stored scale is a rounded one and the value 127 steps from zero.
func TestHalfStep(t *testing.T) {
	grid := with(weights(rand.New(rand.NewPCG(2, 1))), func(i int, v float32) float32 {
		if i%32 == 0 {
			return 127.0 / 1024
		}
		return float32(math.Round(math.Max(-0.1, math.Min(0.1, float64(v)))*1024)) / 1024
	})
	const step = 1.0 / 1024 // the scale of every block: a power of two, so a half holds it
	for by, within := range map[float32]int64{0: rows * cols, 0.25: rows * cols, 0.499: rows * cols, 0.57: 0, 0.75: 0} {
		off := with(grid, func(i int, v float32) float32 { return v + by*step*float32(1-2*(i%2)) })
		got := changed(t, stored(tensor.F32, off), stored(tensor.Named("Q8_0"), grid)).Stats
		require.EqualValues(t, rows*cols, got.Lattice[0])
		require.Zero(t, got.Lattice[1], "float32 is no lattice")
		require.Equal(t, within, got.Within[0], "%g of a step", by)
	}
}

func spectrum(t *testing.T, a, b model) *delta.Spectrum {
	t.Helper()
	m := pairOf(a, b).Match().Matrices
	require.Len(t, m, 1)
	s, err := delta.Measure(context.Background(), m[0], []byte{1}, rows)
	require.NoError(t, err)
	return s
}

// The rank of a low-rank change is found although both sides are rounded to
// bfloat16.
func TestRankOfALowRankChange(t *testing.T) {
	for _, rank := range []int{1, 2, 4, 8, 16} {
		for seed := range uint64(3) {
			r := rand.New(rand.NewPCG(seed, 2))
			x := bf16(weights(r))
			u, v := make([]float64, rows*rank), make([]float64, rank*cols)
			for _, m := range [][]float64{u, v} {
				for i := range m {
					m[i] = r.NormFloat64()
				}
			}
			y := with(x, func(i int, w float32) float32 {
				d := 0.0
				for k := range rank {
					d += u[i/cols*rank+k] * v[k*cols+i%cols]
				}
				return w + float32(0.005*d/math.Sqrt(float64(rank)))
			})
			s := spectrum(t, stored(tensor.BF16, x), stored(tensor.BF16, y))
			require.Equal(t, rank, s.Rank, "seed %d", seed)
			require.True(t, s.LowRank())
			require.False(t, s.Noise())
			require.InDelta(t, 0.1, s.Relative, 0.02, "0.005 of 0.05")
		}
	}
}

func TestNoiseAndRounding(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	x := weights(r)
	for _, c := range []struct {
		name     string
		draw     func() float64 // of variance 1
		kurtosis float64
		noise    bool
	}{
		{"gaussian", r.NormFloat64, 3, true},
		{"uniform", func() float64 { return math.Sqrt(12) * (r.Float64() - 0.5) }, 1.8, false},
		{"laplace", func() float64 { return r.ExpFloat64() * float64(1-2*r.IntN(2)) / math.Sqrt2 }, 6, false},
		{"coin", func() float64 { return float64(1 - 2*r.IntN(2)) }, 1, false},
	} {
		y := with(x, func(_ int, v float32) float32 { return v + float32(0.01*c.draw()) })
		s := spectrum(t, stored(tensor.F32, x), stored(tensor.F32, y))
		require.InDelta(t, c.kurtosis, s.Kurtosis, 0.15*c.kurtosis, c.name)
		require.InDelta(t, c.kurtosis, kurtosisOf(x, y), 0.15*c.kurtosis, c.name)
		require.Equal(t, c.noise, s.Noise(), c.name)
		require.False(t, s.LowRank(), c.name)
		require.InDelta(t, 0.2, s.Relative, 0.01, c.name)
		require.InDelta(t, 0.01*(math.Sqrt(rows)+math.Sqrt(cols)), s.Largest, 0.02, "the edge of Marchenko and Pastur")
	}
	s := spectrum(t, stored(tensor.F32, x), stored(tensor.BF16, x))
	require.Zero(t, s.Rank, "rounding alone")
	require.False(t, s.Noise())
	require.False(t, s.LowRank())
	require.Zero(t, spectrum(t, stored(tensor.F32, x), stored(tensor.F32, x)).Largest)
}

func kurtosisOf(x, y []float32) float64 {
	var s delta.Stats
	s.AddPlain(x, y)
	return s.Kurtosis()
}

// mask sets the n smallest of every m values to zero.
func mask(x []float32, n, m int) []float32 {
	out := slices.Clone(x)
	for i := 0; i < len(out); i += m {
		sizes := with(x[i:i+m], func(_ int, v float32) float32 { return max(v, -v) })
		slices.Sort(sizes)
		for k := range m {
			if v := out[i+k]; max(v, -v) <= sizes[n-1] {
				out[i+k] = 0
			}
		}
	}
	return out
}

func TestPattern(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 1))
	x := weights(r)
	half := with(x, func(_ int, v float32) float32 { return v * float32(r.IntN(2)) })
	for _, c := range []struct {
		name string
		a, b []float32
		want [2]int
	}{
		{"2:4", x, mask(x, 2, 4), [2]int{2, 4}},
		{"4:8", x, mask(x, 4, 8), [2]int{4, 8}},
		{"1:4", x, mask(x, 1, 4), [2]int{1, 4}},
		{"anywhere", x, half, [2]int{}},
		{"none", x, x, [2]int{}},
		{"in both", mask(x, 2, 4), mask(x, 2, 4), [2]int{}},
	} {
		require.Equal(t, c.want, spectrum(t, stored(tensor.F32, c.a), stored(tensor.F32, c.b)).Pattern, c.name)
	}
	st := changed(t, stored(tensor.F32, x), stored(tensor.F32, mask(x, 2, 4))).Stats
	require.EqualValues(t, rows*cols/2, st.ZeroOnlyB)
	require.EqualValues(t, rows*cols/2, st.EqualNonzero)
	require.Zero(t, st.ZeroOnlyA)
}

// Values on sixteen levels a group are coarse, those of a fine-tune are not.
func TestCoarse(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 1))
	x := weights(r)
	coarse := slices.Clone(x)
	for i := 0; i < len(x); i += 32 {
		step := max(slices.Max(x[i:i+32]), -slices.Min(x[i:i+32])) / 7
		for k := i; k < i+32; k++ {
			coarse[k] = step * float32(math.Round(float64(x[k]/step)))
		}
	}
	require.True(t, spectrum(t, stored(tensor.F32, x), stored(tensor.BF16, coarse)).Coarse())
	require.False(t, spectrum(t, stored(tensor.F32, coarse), stored(tensor.F32, x)).Coarse())
	require.False(t, spectrum(t, stored(tensor.F32, x), stored(tensor.BF16, x)).Coarse())
	require.False(t, spectrum(t, stored(tensor.F32, x), stored(tensor.F32, mask(x, 2, 4))).Coarse())
}

// Sums of pieces are sums of the whole.
func TestMerge(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 1))
	x := weights(r)
	y := with(x, func(i int, v float32) float32 { return []float32{v, 0, v + 0.01*float32(r.NormFloat64())}[i%3] })
	x[4], y[5], x[9], y[9] = float32(math.NaN()), float32(math.Inf(1)), float32(math.NaN()), float32(math.NaN())
	var whole, parts delta.Stats
	whole.AddPlain(x, y)
	for i := 0; i < len(x); i += cols {
		var one delta.Stats
		one.AddPlain(x[i:i+cols], y[i:i+cols])
		parts.Merge(&one)
	}
	require.InDelta(t, whole.AB, parts.AB, 1e-9)
	require.InDelta(t, whole.D4, parts.D4, 1e-12)
	require.InDelta(t, whole.Cosine(), parts.Cosine(), 1e-9)
	require.Equal(t, whole.MaxD, parts.MaxD)
	require.Equal(t, [5]int64{whole.N, whole.Equal, whole.ZeroB, whole.ZeroOnlyB, whole.EqualNonzero}, [5]int64{parts.N, parts.Equal, parts.ZeroB, parts.ZeroOnlyB, parts.EqualNonzero})
	require.EqualValues(t, rows*cols, whole.N)
	require.False(t, math.IsNaN(whole.AA+whole.BB+whole.DD), "what is no number is counted and not summed")
}

// A gain moved into the matrix behind it leaves no difference once both are
// folded.
func TestFolded(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 1))
	x, gain, ones := weights(r), make([]float32, cols), make([]float32, cols)
	for k := range gain {
		gain[k], ones[k] = float32(math.Exp(0.5*r.NormFloat64())), 1
	}
	norm := func(v []float32) *tensor.Tensor {
		return plain("model.layers.0.post_attention_layernorm.weight", tensor.F32, encoders[tensor.F32](v), cols)
	}
	a := append(stored(tensor.F32, x), norm(gain))
	b := append(stored(tensor.F32, with(x, func(i int, v float32) float32 { return v * gain[i%cols] })), norm(ones))
	c := changed(t, a, b)
	require.Less(t, c.Folded.Apart(), 1e-6)
	require.Greater(t, c.Stats.Apart(), 0.3)
}

// Rows of a vocabulary in new order are found at their old places.
func TestMoved(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 1))
	x := weights(r)
	order := r.Perm(rows)
	other := with(x, func(i int, _ float32) float32 { return x[order[i/cols]*cols+i%cols] + 0.01*float32(r.NormFloat64()) })
	still := 0
	for i, v := range order {
		if i == v {
			still++
		}
	}
	for _, c := range []struct {
		b    []float32
		want float64
	}{{other, 1 - float64(still)/rows}, {x, 0}, {weights(r), 0}} {
		m := pairOf(stored(tensor.F32, x), stored(tensor.F32, c.b)).Match().Matrices[0]
		got, err := delta.Moved(context.Background(), m.A, m.B, []byte{1})
		require.NoError(t, err)
		require.InDelta(t, c.want, got, 0.05)
	}
}
