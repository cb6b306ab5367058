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
	golden, weights := wholeRows(4, cols)
	for name, ty := range ggmlTypes {
		rule := quant.Requantisers[name]
		if rule == nil {
			continue
		}
		jobs := []python.Job{{Values: x, Importance: w}, {Values: golden, Importance: weights}}
		if !slices.Contains(needsImportance, name) {
			jobs = append(jobs, python.Job{Values: x}, python.Job{Values: golden})
		}
		for i := range jobs {
			jobs[i].Type, jobs[i].Cols = uint32(ty[0]), cols
		}
		for i, want := range g.Quantise(t, jobs...) {
			sameBlocks(t, fmt.Sprintf("%s, job %d", name, i), ty[2], want, rewritten(rule, jobs[i]))
		}
	}
}

// rewritten is what a rule gives for a job.
func rewritten(rule quant.Requantiser, j python.Job) []byte {
	n := len(j.Values) / j.Cols
	dst := make([]byte, 4*len(j.Values))
	size := 0
	for _, ty := range ggmlTypes {
		if uint32(ty[0]) == j.Type {
			size = j.Cols / ty[1] * ty[2]
		}
	}
	for i := range n {
		rule(dst[i*size:][:size], j.Values[i*j.Cols:][:j.Cols], j.Importance)
	}
	return dst[:n*size]
}

// sameBlocks counts the blocks that differ and shows the first.
func sameBlocks(t *testing.T, what string, size int, want, got []byte) {
	t.Helper()
	require.Len(t, got, len(want), what)
	bad, first := 0, 0
	for at := 0; at < len(got); at += size {
		if !bytes.Equal(got[at:at+size], want[at:at+size]) {
			if bad++; bad == 1 {
				first = at
			}
		}
	}
	require.Zero(t, bad, "%s: of %d blocks; first at %d: %x, ggml gives %x", what, len(got)/size, first/size, got[first:first+size], want[first:first+size])
}
