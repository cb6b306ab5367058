package demo

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// sums are the SHA-256 of the models as they were trained.
var sums = map[string]string{
	"base/config.json":               "f2a46af1e47ea6e769f51a787f5ec21a5e31fd6e6d8bd73374c6c58809142b0f",
	"base/model.safetensors":         "d2a263ad617bbb8dec6fcdeb14134f3b994f837dce876464a1d0329dcff74279",
	"base/tokenizer.json":            "59a7c3f7d3fd45bc22a1edf13d8272746e8d30b4e0a3f2aa56aada22ae6972b7",
	"fine-tune-q8_0/model-Q8_0.gguf": "9caf720618dd11c251cc7cc37d60040163257c05d42648003b1d91205a0d991a",
	"fine-tune/config.json":          "f2a46af1e47ea6e769f51a787f5ec21a5e31fd6e6d8bd73374c6c58809142b0f",
	"fine-tune/model.safetensors":    "e6a36a5d77893385bc57dc64357d817e99c769f909a99717bda79c0b0987c1c3",
	"fine-tune/tokenizer.json":       "59a7c3f7d3fd45bc22a1edf13d8272746e8d30b4e0a3f2aa56aada22ae6972b7",
	"other-seed/config.json":         "f2a46af1e47ea6e769f51a787f5ec21a5e31fd6e6d8bd73374c6c58809142b0f",
	"other-seed/model.safetensors":   "fee4211485537f5df22c125c94ea6896eac3bed46feeff756426fc113380b93f",
	"other-seed/tokenizer.json":      "59a7c3f7d3fd45bc22a1edf13d8272746e8d30b4e0a3f2aa56aada22ae6972b7",
}

// What is extracted is what was trained, to the byte.
func TestExtract(t *testing.T) {
	dir, found := t.TempDir(), map[string]string{}
	require.NoError(t, Extract(dir))
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		name, err := filepath.Rel(dir, path)
		d256 := sha256.Sum256(b)
		found[filepath.ToSlash(name)] = hex.EncodeToString(d256[:])
		return err
	}))
	require.Equal(t, sums, found)
}

// Files of any length come back, alone or as the difference to others.
func TestPackAndUnpack(t *testing.T) {
	files := []File{{"empty", []byte{}}, {"one", []byte{7}}, {"odd", []byte("abcde")}, {"like odd", nil}, {"even", []byte("abcdef")}, {"longer", []byte("abcdefg")}}
	files[3] = File{"like-odd", []byte("abXde")}
	var b bytes.Buffer
	require.NoError(t, Pack(&b, files, map[string]string{"like-odd": "odd", "longer": "even"}))
	back, err := Unpack(bytes.NewReader(b.Bytes()))
	require.NoError(t, err)
	require.Equal(t, len(files), len(back))
	for i := range files {
		require.Equal(t, files[i].Path, back[i].Path)
		require.True(t, bytes.Equal(files[i].Bytes, back[i].Bytes), files[i].Path)
	}
	for cut := range b.Len() - 1 { // damage is an error, not a shorter file
		short, err := Unpack(strings.NewReader(b.String()[:cut]))
		require.True(t, err != nil || len(short) < len(files), "cut at %d", cut)
	}
}

// What was quantised comes back to the byte, whatever stands between its blocks, and
// damage is an error.
func TestQuantisedFiles(t *testing.T) {
	from := append([]byte{2, 0, 0, 0, 0, 0, 0, 0}, "{}"...)
	for i := range 4 * 64 {
		from = append(from, byte(37*i), byte(0x3c+i%5))
	}
	blocks := blocksOf(from)
	require.Len(t, blocks, 8*blockBytes)
	file := append([]byte("head"), blocks[3*blockBytes:5*blockBytes]...)
	file = append(append(file, "between"...), blocks[:2*blockBytes]...)
	for _, f := range [][]byte{file, append(file[:len(file):len(file)], 'x'), []byte("none"), nil} {
		var b bytes.Buffer
		require.NoError(t, Pack(&b, []File{{"from", from}, {"q", f}}, map[string]string{"q": quantisedFrom + "from"}))
		back, err := Unpack(bytes.NewReader(b.Bytes()))
		require.NoError(t, err)
		require.True(t, bytes.Equal(f, back[1].Bytes))
	}
	for _, kept := range []string{"", "\x05", "\x01a\x01", "\x00\x01\x7f", "\x00\x01\x01", "\xff\xff\xff\xff\x0f", "\x00\x7f"} {
		_, err := fromPlaces(bufio.NewReader(strings.NewReader(kept)), blockBytes, from)
		require.Error(t, err, "%q", kept)
	}
}
