package faithful_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/python"
	"github.com/weightprint/weightprint/similarity/faithful"
)

// model holds tensors in memory.
type model []*tensor.Tensor

func (m model) Tensors() []*tensor.Tensor { return m }
func (m model) Tensor(name string) (*tensor.Tensor, bool) {
	for _, t := range m {
		if t.Name == name {
			return t, true
		}
	}
	return nil, false
}
func (m model) Metadata() tensor.Metadata { return tensor.Metadata{} }

// matrix views stored bytes as a matrix.
func matrix(t testing.TB, dt tensor.DType, raw []byte, rows, cols int) *roles.Matrix {
	t.Helper()
	x := &tensor.Tensor{Name: "w", DType: dt, Shape: []int64{int64(rows), int64(cols)}}
	x.Data = &tensor.Stored{File: "f", Name: "w", R: bytes.NewReader(raw), Bytes: int64(len(raw)), DType: dt}
	m := roles.Unnamed(model{x}).Matrices()
	require.Len(t, m, 1)
	require.Equal(t, rows, m[0].Rows)
	return m[0]
}

func floats(x []float32) []byte {
	b, _ := binary.Append(nil, binary.LittleEndian, x)
	return b
}

// kinds of weights, as trained networks have them.
var weights = []struct {
	name string
	make func(r *rand.Rand, rows, cols int) []float32
}{
	{"normal", func(r *rand.Rand, rows, cols int) []float32 {
		return fill(rows*cols, func(int) float64 { return .02 * r.NormFloat64() })
	}},
	{"bfloat16", func(r *rand.Rand, rows, cols int) []float32 {
		x := fill(rows*cols, func(int) float64 { return .02 * r.NormFloat64() })
		for i, v := range x {
			x[i] = tensor.BF16.Rounding()(v)
		}
		return x
	}},
	{"heavy tails", func(r *rand.Rand, rows, cols int) []float32 {
		return fill(rows*cols, func(int) float64 {
			v := .01 * r.NormFloat64() / math.Sqrt(r.ExpFloat64()/2+.05)
			return v
		})
	}},
	{"columns of many sizes", func(r *rand.Rand, rows, cols int) []float32 {
		size := fill(cols, func(int) float64 { return .02 * math.Exp(.8*r.NormFloat64()) })
		return fill(rows*cols, func(i int) float64 { return r.NormFloat64() * float64(size[i%cols]) })
	}},
	{"pruned", func(r *rand.Rand, rows, cols int) []float32 {
		return fill(rows*cols, func(int) float64 { return .02 * r.NormFloat64() * float64(r.IntN(2)) })
	}},
}

func fill(n int, f func(i int) float64) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(f(i))
	}
	return x
}

// importances as calibration gives them: squares of activations, a few columns far
// above the others.
func importances(r *rand.Rand, cols int) []float32 {
	spread := .5 + 1.5*r.Float64()
	return fill(cols, func(int) float64 {
		v := math.Exp(spread * r.NormFloat64())
		if r.IntN(100) == 0 {
			v *= 300
		}
		return v
	})
}

// judged are the types that are held against ggml.
var judged = []struct {
	id   uint32
	t    tensor.DType
	must bool // is quantised only with importance
	may  bool // importance changes it
}{
	{2, tensor.Named("Q4_0"), false, true}, {3, tensor.Named("Q4_1"), false, true}, {6, tensor.Named("Q5_0"), false, true}, {7, tensor.Named("Q5_1"), false, true}, {8, tensor.Named("Q8_0"), false, false},
	{10, tensor.Named("Q2_K"), false, true}, {11, tensor.Named("Q3_K"), false, true}, {12, tensor.Named("Q4_K"), false, true}, {13, tensor.Named("Q5_K"), false, true}, {14, tensor.Named("Q6_K"), false, true},
	{20, tensor.Named("IQ4_NL"), false, true}, {23, tensor.Named("IQ4_XS"), false, true}, {16, tensor.Named("IQ2_XXS"), true, true}, {17, tensor.Named("IQ2_XS"), true, true}, {22, tensor.Named("IQ2_S"), false, true},
	{18, tensor.Named("IQ3_XXS"), false, true}, {21, tensor.Named("IQ3_S"), false, true}, {34, tensor.Named("TQ1_0"), false, false}, {35, tensor.Named("TQ2_0"), false, false},
	{39, tensor.Named("MXFP4"), false, false}, {40, tensor.Named("NVFP4"), false, false}, {41, tensor.Named("Q1_0"), false, false},
	{19, tensor.Named("IQ1_S"), true, true}, {29, tensor.Named("IQ1_M"), false, true},
}

// file is one honest file: values quantised by ggml, and what is shown of it.
type file struct {
	kind  string // of weights
	shown string // of the importance: none, given, hidden
	x, w  []float32
}

// honestFiles are files of a type of each kind of weights.
func honestFiles(id uint32, must, may bool, rows, cols int) (out []file) {
	for k, kind := range weights {
		r := rand.New(rand.NewPCG(uint64(id), uint64(k)))
		x := kind.make(r, rows, cols)
		if !must {
			out = append(out, file{kind.name, "none", x, nil})
		}
		if may {
			w := importances(r, cols)
			out = append(out, file{kind.name, "given", x, w}, file{kind.name, "hidden", x, w})
		}
	}
	return out
}

// No honest file of ggml's own quantiser deviates, and where nothing is hidden all
// blocks are what the rule gives.
func TestHonestFilesOfGGML(t *testing.T) {
	g, ok := python.FindGGML(t)
	if !ok {
		return
	}
	const rows, cols = 8, 1024
	honest, counted := 0, map[string][5]int64{}
	for _, ty := range judged {
		t.Run(ty.t.String(), func(t *testing.T) {
			files := honestFiles(ty.id, ty.must, ty.may, rows, cols)
			var jobs []python.Job
			for _, f := range files {
				jobs = append(jobs, python.Job{Type: ty.id, Cols: cols, Values: f.x, Importance: f.w})
			}
			for i, raw := range g.Quantise(t, jobs...) {
				f := files[i]
				p := faithful.Pair{Quantised: matrix(t, ty.t, raw, rows, cols), Source: matrix(t, tensor.F32, floats(f.x), rows, cols)}
				if f.shown == "given" {
					p.Importance = f.w
				}
				found, err := faithful.Judge(t.Context(), p, faithful.Options{Named: 3})
				require.NoError(t, err)
				require.Zero(t, found.Blocks[faithful.Deviates]+found.Blocks[faithful.Open], "%v %s %s: %v", ty.t, f.kind, f.shown, found.Deviations)
				if f.shown != "hidden" {
					require.Zero(t, found.Blocks[faithful.Reachable], "%v %s %s", ty.t, f.kind, f.shown)
				}
				honest++
				counted[f.shown] = add(counted[f.shown], found.Blocks)
			}
		})
	}
	t.Log(honest, "files; blocks by importance and grade:", counted)
}

func add(a, b [5]int64) [5]int64 {
	for i := range b {
		a[i] += b[i]
	}
	return a
}
