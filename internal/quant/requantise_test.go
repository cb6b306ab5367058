package quant_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/quant"
)

// wholeRows are rows made of whole numbers and powers of two alone, so that they
// are the same everywhere.
func wholeRows(rows, cols int) (x, w []float32) {
	r := rand.New(rand.NewPCG(11, 12))
	x, w = make([]float32, rows*cols), make([]float32, cols)
	for i := range x {
		v := float32(r.IntN(2001)+r.IntN(2001)-2000) / (1 << 16)
		if r.IntN(150) == 0 {
			v *= 8
		}
		x[i] = v
	}
	for i := range w {
		w[i] = float32(1+r.IntN(1000)) / 64
	}
	return x, w
}

// The bytes that each type gives are those that ggml gave (its own binaries are
// asked by TestRequantisersGiveWhatGGMLGives), whatever lay in the destination.
func TestGoldenBlocks(t *testing.T) {
	const rows, cols, file = 4, 1024, "testdata/requantise.json"
	x, w := wholeRows(rows, cols)
	got := map[string]string{}
	for name, ty := range ggmlTypes {
		rule := quant.Requantisers[name]
		if rule == nil {
			continue
		}
		for how, importance := range map[string][]float32{"alone": nil, "importance": w} {
			dst := bytes.Repeat([]byte{0xa5}, rows*cols/ty[1]*ty[2])
			for i := range rows {
				rule(dst[len(dst)/rows*i:][:len(dst)/rows], x[cols*i:][:cols], importance)
			}
			got[name+" "+how] = fmt.Sprintf("%x", sha256.Sum256(dst))
		}
	}
	if os.Getenv("WEIGHTPRINT_UPDATE") != "" {
		b, err := json.MarshalIndent(got, "", "  ")
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file, append(b, '\n'), 0o600))
	}
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	var want map[string]string
	require.NoError(t, json.Unmarshal(raw, &want))
	require.Equal(t, want, got)
}

func BenchmarkRequantise(b *testing.B) {
	x := hardRows(2, 1, 4096)
	for name, rule := range quant.Requantisers {
		b.Run(name, func(b *testing.B) {
			dst := make([]byte, 4*len(x))
			rule(dst, x, nil) // grids are laid out once
			b.SetBytes(int64(len(x)))
			for b.Loop() {
				rule(dst, x, nil)
			}
		})
	}
}
