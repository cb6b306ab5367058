//go:build unix

package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// large writes a model that takes a while to read.
func large(t *testing.T, dir string, mib int, seed uint64) string {
	t.Helper()
	header := map[string]any{}
	const rows, cols = 512, 1024
	for i := range mib {
		header[fmt.Sprintf("model.layers.%d.mlp.up_proj.weight", i)] = map[string]any{"dtype": "BF16", "shape": []int{rows, cols}, "data_offsets": []int{i * rows * cols * 2, (i + 1) * rows * cols * 2}}
	}
	raw, err := json.Marshal(header)
	require.NoError(t, err)
	for len(raw)%8 != 0 {
		raw = append(raw, ' ')
	}
	out := append(binary.LittleEndian.AppendUint64(nil, uint64(len(raw))), raw...)
	r := rand.New(rand.NewPCG(seed, 1))
	for range mib * rows * cols {
		out = binary.LittleEndian.AppendUint16(out, uint16(0x3c00+r.IntN(0x200))|uint16(r.IntN(2))<<15)
	}
	require.NoError(t, os.MkdirAll(dir, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "model.safetensors"), out, 0o600))
	return dir
}

// A command that is interrupted at any point leaves what stood there, or the
// whole new output, and nothing beside it.
func TestInterruptedCommandsLeaveNothing(t *testing.T) {
	file, err := built()
	require.NoError(t, err)
	built2 = built
	dir := t.TempDir()
	mib, points := 8, 2
	switch {
	case testing.Short():
		mib, points = 4, 1
	case os.Getenv("WEIGHTPRINT_LONG") != "":
		mib, points = 64, 50
	}
	a, b := large(t, filepath.Join(dir, "a"), mib, 1), large(t, filepath.Join(dir, "b"), mib, 2)
	r := rand.New(rand.NewPCG(3, 3))
	for _, args := range [][]string{
		{"fingerprint", a, "-o", "OUT"}, {"compare", a, b, "--budget", "full", "--json", "-o", "OUT"}, {"manifest", a, "-o", "OUT"}, {"commit", a, "-o", "OUT"},
		{"index", "add", "--index", "OUT", a, b}, {"inspect", a, "--tensor", "model.layers.0.mlp.up_proj.weight", "--values", "OUT"}, {"tree", a, b, "-o", "OUT"},
	} {
		for range points {
			out := t.TempDir()
			c := exec.Command(file)
			for _, x := range args {
				if x == "OUT" {
					x = filepath.Join(out, "out")
				}
				c.Args = append(c.Args, x)
			}
			require.NoError(t, c.Start())
			time.Sleep(time.Duration(r.IntN(400)) * time.Millisecond)
			_ = c.Process.Signal(syscall.SIGINT)
			err := c.Wait()
			all, _ := filepath.Glob(filepath.Join(out, "*"))
			hidden, _ := filepath.Glob(filepath.Join(out, ".*"))
			require.Empty(t, hidden, args)
			switch {
			case err == nil:
				require.NotEmpty(t, all, args)
			case args[0] == "index": // the first model may be there, whole
				if len(all) > 0 {
					exits(t, 0, "index", "check", "--index", filepath.Join(out, "out"))
				}
			default:
				require.Empty(t, all, "%v: %v", args, err)
			}
		}
	}
}
