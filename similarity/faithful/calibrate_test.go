package faithful

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/quant"
)

// TestCalibrate prints, for each type, the largest error that hidden importance
// brought over that of the plain choice.
func TestCalibrate(t *testing.T) {
	if os.Getenv("WEIGHTPRINT_CALIBRATE") == "" {
		t.Skip("prints what rules.go states; WEIGHTPRINT_CALIBRATE=1 runs it")
	}
	const cols, rows = 1024, 24
	only := os.Getenv("WEIGHTPRINT_CALIBRATE")
	for name, r := range rules {
		if r.search == nil || only != "1" && !strings.Contains(only, name) {
			continue
		}
		var dt tensor.DType
		for dt = 0; dt.String() != name; dt++ {
		}
		codec, _ := dt.Codec()
		var ratios []float64
		for seed := range uint64(6) {
			g := rand.New(rand.NewPCG(seed, 77))
			w := make([]float32, cols)
			spread := .5 + 1.5*g.Float64()
			for i := range w {
				w[i] = float32(math.Exp(spread * g.NormFloat64()))
				if g.IntN(100) == 0 {
					w[i] *= 300
				}
			}
			for range rows {
				x := make([]float32, cols)
				tail := g.IntN(3)
				for i := range x {
					x[i] = float32(.02 * g.NormFloat64())
					if tail == 1 {
						x[i] /= float32(math.Sqrt(g.ExpFloat64()/2 + .05))
					}
					if tail == 2 { // pruned
						x[i] *= float32(g.IntN(2))
					}
				}
				size := cols / codec.BlockValues * codec.BlockBytes
				own, plain := make([]byte, size), make([]byte, size)
				quant.Requantisers[name](own, x, w)
				quant.Requantisers[name](plain, x, nil)
				v, p := make([]float32, cols), make([]float32, cols)
				codec.Decode(v, own)
				codec.Decode(p, plain)
				for at := 0; at < cols; at += r.run {
					e, b := errorOf(x[at:at+r.run], v[at:at+r.run]), errorOf(x[at:at+r.run], p[at:at+r.run])
					floor := powerOf(x[at:at+r.run]) * errorFloor
					ratios = append(ratios, math.Sqrt((e+floor)/(b+floor)))
				}
			}
		}
		slices.Sort(ratios)
		n := len(ratios)
		t.Log(name, n, fmt.Sprintf("median %.3f 99%% %.3f 99.99%% %.3f most %.3f", ratios[n/2], ratios[n*99/100], ratios[n*9999/10000], ratios[n-1]))
	}
}
