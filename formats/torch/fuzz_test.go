package torch

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
)

// accepted checks what holds for every input: an error is typed, and what was
// accepted can be read, within bounds, or says in a typed error why not.
func accepted(t testing.TB, b []byte) {
	t.Helper()
	f, err := read(b)
	if err != nil {
		var fe *tensor.FormatError
		require.ErrorAs(t, err, &fe)
		return
	}
	buf := make([]float32, 1<<10)
	for _, x := range f.Tensors() {
		n := int64(0)
		for part, err := range x.Chunks(context.Background(), buf) {
			if err != nil {
				var fe *tensor.FormatError
				require.ErrorAs(t, err, &fe)
				break
			}
			if n += int64(len(part)); n >= 1<<16 {
				break
			}
		}
		if x.Rows() > 0 && x.Cols() > 0 && x.Cols() <= 1<<16 {
			row := make([]float32, x.Cols())
			if err := x.ReadRows(context.Background(), row, x.Rows()-1, 1); err != nil {
				var fe *tensor.FormatError
				require.ErrorAs(t, err, &fe)
			}
		}
	}
}

// FuzzPickle runs any bytes as the pickle of an archive that is in order.
func FuzzPickle(f *testing.F) {
	f.Add(model(ones))
	f.Add(model(func(p *program) { p.tensor("BFloat16Storage", "0", 8, 1, []int64{2, 3}, []int64{1, 2}) }))
	f.Add(pickle().raw("}(").str("w").raw("]]]e.").b)
	files, err := filepath.Glob("testdata/*.pt")
	require.NoError(f, err)
	for _, path := range files {
		if b := pickleOf(f, path); len(b) > 0 {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) { accepted(t, zipped(checkpoint(b))) })
}

// pickleOf returns the description of a checkpoint, nothing if it is deflated.
func pickleOf(t testing.TB, path string) []byte {
	b := load(t, path)
	n := int(le.Uint16(b[26:])) + int(le.Uint16(b[28:])) + localBytes
	if le.Uint16(b[8:]) != methodStored {
		return nil
	}
	for i := n; i < len(b)-4; i++ {
		if le.Uint32(b[i:]) == 0x08074b50 {
			return b[n:i]
		}
	}
	return nil
}

// FuzzExported runs any bytes as the description of the tensors of an exported program.
func FuzzExported(f *testing.F) {
	f.Add([]byte(oneDescribed))
	for _, edit := range descriptionEdits {
		f.Add([]byte(strings.Replace(oneDescribed, edit.from, edit.to, 1)))
	}
	f.Fuzz(func(t *testing.T, b []byte) { accepted(t, zipped(exportedAs(string(b)))) })
}

// FuzzRead reads any bytes as an archive.
func FuzzRead(f *testing.F) {
	f.Add(zipped(checkpoint(model(ones))))
	for _, name := range []string{"wrapped.pt", "deflated.pt", "no-crc.pt", "protocol-4.pt", "script.pt", "script-frozen.pt", "chain.pt", "chain-objects.pt", "tar.pt", "nemo.pt", "module.pt", "exported-2.8.pt", "exported-2.9.pt", "listed.pt"} {
		f.Add(load(f, filepath.Join("testdata", name)))
	}
	f.Fuzz(func(t *testing.T, b []byte) { accepted(t, b) })
}
