package main

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/python"
)

// A model and what a library read of it are held against each other in everything.
func TestOtherwise(t *testing.T) {
	ctx := context.Background()
	header := `{"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"b":{"dtype":"BF16","shape":[1],"data_offsets":[8,10]}}`
	file := append(append([]byte{byte(len(header)), 0, 0, 0, 0, 0, 0, 0}, header...), make([]byte, 10)...)
	m, err := oracles["safetensors"](ctx, bytes.NewReader(file), int64(len(file)))
	require.NoError(t, err)
	const zeros, zero = "af5570f5a1810b7af78caf4bc70a660f0df51e42baf91d4de5b2328de0e83dfc", "df3f619804a92fdb4057192dc43dd748ea778adc52bc498ce80524c014b81119" // of 8 and 4 bytes
	a, b := []any{"a", []any{1., 2.}, zeros}, []any{"b", []any{1.}, zero}
	for want, theirs := range map[string][][]any{
		"":                   {b, a},
		"1":                  {a},
		`the library has "c`: {a, {"c", []any{1.}, zero}},
		"[2 1]":              {{"a", []any{2., 1.}, zeros}, b},
		`values of "b"`:      {a, {"b", []any{1.}, zeros}},
	} {
		got := otherwise(ctx, m, theirs)
		require.Equal(t, want == "", got == "", "%s: %s", want, got)
		require.Contains(t, got, want)
	}
	require.Empty(t, otherwise(ctx, m, nil))
	var out agreed
	out.reasons = map[string]int64{}
	out.count(ctx, 0, file, oracles["safetensors"], answer{Refused: "no"})
	out.count(ctx, 1, file[:20], oracles["safetensors"], answer{Tensors: [][]any{a, b}})
	out.count(ctx, 2, file[:20], oracles["safetensors"], answer{Refused: "no"})
	out.count(ctx, 3, file, oracles["safetensors"], answer{Tensors: [][]any{a}})
	out.count(ctx, 4, file, oracles["safetensors"], answer{Tensors: [][]any{a, b}})
	require.Equal(t, []int64{1, 1, 1, 1, 1}, []int64{out.equal, out.differ, out.both, out.reader, out.library})
}

// Where the libraries are installed, they say of mutants what the readers say.
func TestOracle(t *testing.T) {
	if testing.Short() {
		return
	}
	for _, c := range []struct{ name, module string }{{"safetensors", "safetensors"}, {"torch", "torch"}, {"gguf", "gguf"}} {
		exe, ok := python.Find(t, c.module, "numpy", "torch")
		if !ok {
			continue
		}
		got, err := holdAgainst(context.Background(), "../..", exe, c.name, 1, 60)
		require.NoError(t, err)
		require.Zero(t, got.differ, got.examples)
		require.Equal(t, int64(60), got.equal+got.both+got.reader+got.library)
	}
}
