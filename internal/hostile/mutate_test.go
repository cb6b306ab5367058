package hostile

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Mutants follow from their seed, differ from the file, and are of every kind.
func TestMutate(t *testing.T) {
	file := []byte(`{"a":{"dtype":"F32","shape":[12,34],"data_offsets":[0,1632]}}` + string(make([]byte, 200)))
	keep := bytes.Clone(file)
	changed, shorter, longer := 0, 0, 0
	for seed := range uint64(2000) {
		m := Mutate(rand.New(rand.NewPCG(seed, 1)), file)
		require.Equal(t, m, Mutate(rand.New(rand.NewPCG(seed, 1)), file))
		if !bytes.Equal(m, file) {
			changed++
		}
		if len(m) < len(file) {
			shorter++
		} else if len(m) > len(file) {
			longer++
		}
	}
	require.Equal(t, keep, file, "the file itself stays")
	require.Greater(t, changed, 1800)
	require.Greater(t, shorter, 200)
	require.Greater(t, longer, 100)
	for i, c := range changes {
		for n := range 5 {
			require.NotPanics(t, func() { c(rand.New(rand.NewPCG(uint64(n), 2)), make([]byte, n)) }, "change %d of %d bytes", i, n)
		}
	}
}

// Inputs have names of their own and are made where they are asked for.
func TestInputs(t *testing.T) {
	seen := map[string]bool{}
	for _, in := range Inputs() {
		require.False(t, seen[in.Name], in.Name)
		seen[in.Name] = true
		require.NotEmpty(t, in.Args)
	}
	require.GreaterOrEqual(t, len(seen), 40)
	for _, in := range Inputs() {
		if in.Name != "models/two norms of 128 MiB, compared" && in.Name != "gguf/a string of 4.1 GiB" {
			continue
		}
		dir := t.TempDir()
		require.NoError(t, in.Make(dir))
		files, err := filepath.Glob(filepath.Join(dir, "model.*"))
		require.NoError(t, err)
		require.Len(t, files, 1)
		info, err := os.Stat(files[0])
		require.NoError(t, err)
		require.Greater(t, info.Size(), int64(256<<20))
	}
	header, n := headerOf(experts(8))
	require.True(t, json.Valid([]byte(header)))
	require.Positive(t, n)
}
