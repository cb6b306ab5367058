package report_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

// encoder draws a BERT of three layers under PyTorch's names, or under Flax's or
// TensorFlow's, where kernels lie inputs × outputs. moved is how far its weights are from
// those of the same seed.
func encoder(library string, seed uint64, moved float32) *zoo.Model {
	const hidden, width, tokens = 64, 192, 400
	r, away := rand.New(rand.NewPCG(seed, 1)), rand.New(rand.NewPCG(seed, 2))
	m := zoo.New()
	draw := func(n int, mean, size float32) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = mean + size*float32(r.NormFloat64()) + moved*size*float32(away.NormFloat64())
		}
		return v
	}
	add := func(kind, name string, rows, cols int) {
		size, mean := float32(0.1), float32(0)
		if kind == "gain" {
			mean = 1
		}
		v := draw(rows*cols, mean, size)
		shape := []int64{int64(rows), int64(cols)}
		if kind == "kernel" && library != "torch" {
			turned := make([]float32, len(v))
			for i := range v {
				turned[i%cols*rows+i/cols] = v[i]
			}
			v, shape = turned, []int64{int64(cols), int64(rows)}
		}
		if cols == 1 {
			shape = shape[:1]
		}
		ending := map[string]map[string]string{
			"torch":      {"kernel": ".weight", "table": ".weight", "gain": ".weight", "bias": ".bias", "shift": ".bias"},
			"flax":       {"kernel": ".kernel", "table": ".embedding", "gain": ".scale", "bias": ".bias", "shift": ".bias"},
			"tensorflow": {"kernel": ".kernel", "table": "", "gain": ".gamma", "bias": ".bias", "shift": ".beta"},
		}[library][kind]
		name += ending
		if library == "tensorflow" {
			name = strings.ReplaceAll(strings.ReplaceAll(name, "layer.", "layer_"), ".", "/")
		}
		m.Add(name, v, shape...)
	}
	linear := func(name string, rows, cols int) { add("kernel", name, rows, cols); add("bias", name, rows, 1) }
	norm := func(name string) { add("gain", name, hidden, 1); add("shift", name, hidden, 1) }
	add("table", "bert.embeddings.word_embeddings", tokens, hidden)
	add("table", "bert.embeddings.position_embeddings", 32, hidden)
	norm("bert.embeddings.LayerNorm")
	for i := range 3 {
		l := fmt.Sprintf("bert.encoder.layer.%d.", i)
		for _, p := range []string{"query", "key", "value"} {
			linear(l+"attention.self."+p, hidden, hidden)
		}
		linear(l+"attention.output.dense", hidden, hidden)
		norm(l + "attention.output.LayerNorm")
		linear(l+"intermediate.dense", width, hidden)
		linear(l+"output.dense", hidden, width)
		norm(l + "output.LayerNorm")
	}
	return m
}

// A model tuned in one library is found in the files of another, whose names and whose
// order of dimensions are its own; a stranger is not.
func TestTunedInAnotherLibrary(t *testing.T) {
	base := encoder("torch", 1, 0)
	relation := func(m *zoo.Model) *report.Report {
		r, err := report.Build(context.Background(), report.Input{Ref: "a", Model: base}, report.Input{Ref: "b", Model: m}, nil)
		require.NoError(t, err)
		return r
	}
	for _, library := range []string{"flax", "tensorflow"} {
		require.Equal(t, verdict.Reencoded, relation(encoder(library, 1, 0)).Verdict.Relation, library)
		r := relation(encoder(library, 1, 0.1))
		require.Equal(t, verdict.Related, r.Verdict.Relation, library)
		require.Contains(t, r.Verdict.Kinds, verdict.Noised, library) // what moved them is no training
		require.Empty(t, r.Delta.OnlyA)
		v := relation(encoder(library, 2, 0)).Verdict
		require.Contains(t, []verdict.Relation{verdict.NoEvidence, verdict.Inconclusive}, v.Relation, library)
	}
}
