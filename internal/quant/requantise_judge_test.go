package quant_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/python"
	"github.com/weightprint/weightprint/internal/quant"
)

// ggmlTypes are the types that are held against ggml: number, values and bytes of a block.
var ggmlTypes = map[string][3]int{
	"Q1_0": {41, 128, 18}, "Q4_0": {2, 32, 18}, "Q4_1": {3, 32, 20}, "Q5_0": {6, 32, 22}, "Q5_1": {7, 32, 24}, "Q8_0": {8, 32, 34},
	"Q2_K": {10, 256, 84}, "Q3_K": {11, 256, 110}, "Q4_K": {12, 256, 144}, "Q5_K": {13, 256, 176}, "Q6_K": {14, 256, 210},
	"IQ4_NL": {20, 32, 18}, "IQ4_XS": {23, 256, 136}, "IQ2_XXS": {16, 256, 66}, "IQ2_XS": {17, 256, 74}, "IQ2_S": {22, 256, 82},
	"IQ3_XXS": {18, 256, 98}, "IQ3_S": {21, 256, 110}, "IQ1_S": {19, 256, 50}, "IQ1_M": {29, 256, 56},
	"TQ1_0": {34, 256, 54}, "TQ2_0": {35, 256, 66}, "MXFP4": {39, 32, 17}, "NVFP4": {40, 64, 36},
}

// needsImportance are the types that ggml quantises only with importance.
var needsImportance = []string{"IQ2_XXS", "IQ2_XS", "IQ1_S"}

// hardRows are rows with what quantisers stumble on.
func hardRows(seed uint64, rows, cols int) []float32 {
	r := rand.New(rand.NewPCG(seed, 1))
	x := make([]float32, rows*cols)
	for i := range rows {
		scale := math.Exp(r.NormFloat64()*2 - 3)
		row := x[i*cols:][:cols]
		for j := range row {
			row[j] = float32(r.NormFloat64() * scale)
			if r.IntN(200) == 0 {
				row[j] *= 20
			}
		}
		switch i % 8 {
		case 1:
			clear(row[:cols/2])
		case 2:
			for j := range row { // as bfloat16 holds it
				row[j] = math.Float32frombits(math.Float32bits(row[j]) &^ 0xffff)
			}
		case 3:
			for j := range row {
				row[j] = float32(math.Abs(float64(row[j])))
			}
		case 4:
			for j := range row { // few values
				row[j] = float32(math.Round(float64(row[j])/scale) * scale)
			}
		}
	}
	return x
}

func importance(seed uint64, cols int) []float32 {
	r := rand.New(rand.NewPCG(seed, 2))
	w := make([]float32, cols)
	for i := range w {
		w[i] = float32(math.Exp(r.NormFloat64() * 1.5))
	}
	return w
}

func TestRequantisersGiveWhatGGMLGives(t *testing.T) {
	g, ok := python.FindGGML(t)
	if !ok {
		return
	}
	const rows, cols = 64, 1024
	x, w := hardRows(1, rows, cols), importance(1, cols)
	for name, ty := range ggmlTypes {
		rule := quant.Requantisers[name]
		if rule == nil {
			continue
		}
		for _, imp := range [][]float32{nil, w} {
			if imp == nil && slices.Contains(needsImportance, name) {
				continue
			}
			t.Run(fmt.Sprintf("%s/importance=%t", name, imp != nil), func(t *testing.T) {
				want := g.Quantise(t, python.Job{Type: uint32(ty[0]), Cols: cols, Values: x, Importance: imp})[0]
				size := cols / ty[1] * ty[2]
				got := make([]byte, rows*size)
				for i := range rows {
					rule(got[i*size:][:size], x[i*cols:][:cols], imp)
				}
				require.Len(t, want, len(got))
				bad, first := 0, -1
				for b := 0; b < len(got); b += ty[2] {
					if !bytes.Equal(got[b:b+ty[2]], want[b:b+ty[2]]) {
						if bad++; first < 0 {
							first = b / ty[2]
						}
					}
				}
				if bad > 0 {
					b := first * ty[2]
					t.Errorf("%d of %d blocks differ, first %d:\n%x\n%x", bad, len(got)/ty[2], first, got[b:b+ty[2]], want[b:b+ty[2]])
				}
			})
		}
	}
}
