package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/internal/demo"
)

// convert writes a checkpoint in the example's format.
func convert(t *testing.T, from, to string) {
	m, err := formats.Open(context.Background(), from, nil)
	require.NoError(t, err)
	defer m.Close()
	var b bytes.Buffer
	for _, x := range m.Tensors() {
		v := make([]float32, x.Len())
		require.NoError(t, x.ReadRows(context.Background(), v, 0, x.Rows()))
		fmt.Fprintf(&b, "%s %d %d\n", x.Name, x.Rows(), x.Cols())
		require.NoError(t, binary.Write(&b, binary.LittleEndian, v))
	}
	require.NoError(t, os.WriteFile(to, b.Bytes(), 0o600))
}

func TestRun(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, demo.Extract(dir))
	files := map[string]string{}
	for _, name := range []string{"base", "fine-tune", "other-seed"} {
		files[name] = filepath.Join(dir, name+".rows")
		convert(t, filepath.Join(dir, name), files[name])
	}
	var out bytes.Buffer
	require.NoError(t, run([]string{files["base"], files["fine-tune"]}, &out))
	require.Contains(t, out.String(), "RELATED (exact")
	out.Reset()
	require.NoError(t, run([]string{files["base"], files["other-seed"]}, &out))
	require.NotContains(t, out.String(), "RELATED")

	broken := filepath.Join(dir, "broken.rows")
	require.NoError(t, os.WriteFile(broken, []byte("x 1000000 1000000\n"), 0o600))
	require.ErrorContains(t, run([]string{broken, broken}, &out), "larger than the file")
	require.Error(t, run(nil, &out))
}
