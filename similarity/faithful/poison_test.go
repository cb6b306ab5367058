package faithful_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/quant"
	"github.com/weightprint/weightprint/similarity/faithful"
)

// poisoned are the types that attacks are tried on.
func poisoned() []string {
	all := []string{"Q8_0", "Q4_0", "Q4_1", "Q2_K", "Q4_K", "Q6_K", "IQ4_XS", "IQ3_S"}
	if os.Getenv("WEIGHTPRINT_LONG") == "" {
		return all[:3]
	}
	return all
}

// poisonRows is how much is poisoned: a little, or as much as the tables state.
func poisonRows() int {
	if os.Getenv("WEIGHTPRINT_LONG") != "" {
		return 16
	}
	return 2
}

// writer quantises and decodes rows of a type.
type writer struct {
	codec      *tensor.Codec
	rows, cols int
	name       string
}

func (w writer) size() int { return w.cols / w.codec.BlockValues * w.codec.BlockBytes }

func (w writer) write(x, importance []float32) []byte {
	out := make([]byte, len(x)/w.cols*w.size())
	for i := range len(x) / w.cols {
		quant.Requantisers[w.name](out[i*w.size():][:w.size()], x[i*w.cols:][:w.cols], importance)
	}
	return out
}

func (w writer) decode(raw []byte) []float32 {
	out := make([]float32, len(raw)/w.codec.BlockBytes*w.codec.BlockValues)
	w.codec.Decode(out, raw)
	return out
}

// each walks through the blocks of rows.
func (w writer) each(f func(block, value int)) {
	for at := range w.rows * w.size() / w.codec.BlockBytes {
		f(at*w.codec.BlockBytes, at*w.codec.BlockValues)
	}
}

func judgeAs(t *testing.T, w writer, raw []byte, x, importance []float32) *faithful.Tensor {
	dt := tensor.Named(w.name)
	p := faithful.Pair{Quantised: matrix(t, dt, raw, w.rows, w.cols), Source: matrix(t, tensor.F32, floats(x), w.rows, w.cols), Importance: importance}
	out, err := faithful.Judge(t.Context(), p, faithful.Options{Named: 1 << 20})
	require.NoError(t, err)
	return out
}

// A source that was moved inside the cells towards a harmless model, so that only what
// is made of it does harm (Egashira et al. 2024), is as faithful as any: nothing in the
// two files tells it, and the report says so. The values are moved as far towards the
// harmless model as the quantiser still gives the same blocks.
func TestSourceMovedInsideTheCells(t *testing.T) {
	var table strings.Builder
	for _, name := range poisoned() {
		codec, _ := tensor.Named(name).Codec()
		w := writer{codec, poisonRows(), 1024, name}
		r := rand.New(rand.NewPCG(3, 9))
		harm := weights[0].make(r, w.rows, w.cols)
		raw := w.write(harm, nil)
		step := stepOf(tensor.Named(name), codec, raw, harm)
		harmless := append([]float32{}, harm...)
		for i := range harmless {
			harmless[i] += step[i] * float32(r.NormFloat64())
		}
		level, source := w.decode(raw), append([]float32{}, harm...)
		for _, reach := range []float32{.45, .3, .15} {
			tried := append([]float32{}, source...)
			for i := range tried {
				if source[i] == harm[i] {
					tried[i] = min(max(harmless[i], level[i]-reach*step[i]), level[i]+reach*step[i])
				}
			}
			again := w.write(tried, nil)
			w.each(func(b, v int) {
				if bytes.Equal(again[b:][:codec.BlockBytes], raw[b:][:codec.BlockBytes]) {
					copy(source[v:][:codec.BlockValues], tried[v:])
				}
			})
		}
		moved, far := 0, 0.0
		for i := range source {
			if source[i] != harm[i] {
				moved++
				far += float64(max(source[i]-harm[i], harm[i]-source[i]) / step[i])
			}
		}
		out := judgeAs(t, w, raw, source, nil)
		require.EqualValues(t, out.Total(), out.Blocks[faithful.Exact], name)
		fmt.Fprintf(&table, "| %s | %.0f %% | %.2f | faithful |\n", name, 100*float64(moved)/float64(len(source)), far/float64(max(1, moved)))
	}
	t.Log("\n" + table.String())
}

// Blocks chosen, among those that some importance gives, to lie nearest to another model:
// named wherever the rule is known, and reachable where importance may be hidden.
func TestBlocksMovedAsImportanceAllows(t *testing.T) {
	var table strings.Builder
	for _, name := range poisoned()[1:] {
		codec, _ := tensor.Named(name).Codec()
		for _, shown := range []string{"none", "given", "hidden"} {
			for _, share := range []float64{.01, .1, 1} {
				if share == 1 && shown != "hidden" {
					continue // nothing is left that tells the rule
				}
				w := writer{codec, poisonRows(), 1024, name}
				r := rand.New(rand.NewPCG(5, 11))
				x, y := weights[0].make(r, w.rows, w.cols), weights[0].make(r, w.rows, w.cols)
				var honest []float32
				if shown != "none" {
					honest = importances(r, w.cols)
				}
				raw := w.write(x, honest)
				own := bytes.Clone(raw)
				before, after := 0.0, 0.0
				for range 12 {
					tried := w.write(x, importances(r, w.cols))
					was, now := w.decode(raw), w.decode(tried)
					w.each(func(b, v int) {
						if float64(uint32(b/codec.BlockBytes)*2654435761)/(1<<32) >= share {
							return
						}
						if distance(now[v:][:codec.BlockValues], y[v:]) < distance(was[v:][:codec.BlockValues], y[v:]) {
							copy(raw[b:][:codec.BlockBytes], tried[b:])
						}
					})
				}
				changed := 0
				first, last := w.decode(own), w.decode(raw)
				w.each(func(b, v int) {
					if !bytes.Equal(raw[b:][:codec.BlockBytes], own[b:][:codec.BlockBytes]) {
						changed++
						before += distance(first[v:][:codec.BlockValues], y[v:])
						after += distance(last[v:][:codec.BlockValues], y[v:])
					}
				})
				if changed == 0 {
					continue
				}
				var given []float32
				if shown == "given" {
					given = honest
				}
				out := judgeAs(t, w, raw, x, given)
				named := len(out.Deviations)
				if shown != "hidden" {
					require.GreaterOrEqual(t, float64(named+1)/float64(changed), .95, "%s %s %v", name, shown, share)
					require.NotContains(t, []faithful.Grade{faithful.Exact, faithful.Reachable}, out.Grade(), "%s %s %v", name, shown, share)
				} else {
					require.GreaterOrEqual(t, out.Grade(), faithful.Reachable)
				}
				fmt.Fprintf(&table, "| %s | %s | %g %% | %d | %d | %.1f %% | %v |\n", name, shown, 100*share, changed, named, 100*(1-after/before), out.Grade())
			}
		}
	}
	t.Log("\n" + table.String())
}

func distance(a, b []float32) (sum float64) {
	for i, v := range a {
		d := float64(v) - float64(b[i])
		sum += float64(d * d)
	}
	return sum
}
