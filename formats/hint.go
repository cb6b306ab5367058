package formats

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/weightprint/weightprint/formats/torch"
)

// headBytes is how much of a file's beginning tells what it is.
const headBytes = torch.HeadBytes

// beginnings of files that are given in place of a checkpoint. What the torch
// reader refuses by name is not repeated here.
var beginnings = []struct {
	at          int
	magic, what string
}{
	{0, "version https://git-lfs", "a Git LFS pointer; git lfs pull fetches the file itself"},
	{0, "%PDF-", "a PDF document"},
	{0, "<!doctype html", "an HTML page, perhaps that of a hub in place of the file"},
	{0, "<html", "an HTML page, perhaps that of a hub in place of the file"},
	{0, "<?xml", "an XML document"},
	{0, "WPRINT\r\n", "a fingerprint; verify, compare and index take it, where the weights themselves are not asked for"},
	{0, "\x93NUMPY", "a NumPy array"},
	{0, "\xd3\x0d\x0a", "a NumPy array"},
	{0, "lmgg", "a GGML file of before GGUF; llama.cpp's convert_llama_ggml_to_gguf.py converts it"},
	{0, "fmgg", "a GGML file of before GGUF; llama.cpp's convert_llama_ggml_to_gguf.py converts it"},
	{0, "tjgg", "a GGML file of before GGUF; llama.cpp's convert_llama_ggml_to_gguf.py converts it"},
	{4, "TFL3", "a TensorFlow Lite model"},
	{0, "\x08\x03\x12", "an ONNX model, as it seems"}, {0, "\x08\x04\x12", "an ONNX model, as it seems"}, {0, "\x08\x05\x12", "an ONNX model, as it seems"},
	{0, "\x08\x06\x12", "an ONNX model, as it seems"}, {0, "\x08\x07\x12", "an ONNX model, as it seems"}, {0, "\x08\x08\x12", "an ONNX model, as it seems"},
	{0, "\x08\x09\x12", "an ONNX model, as it seems"}, {0, "\x08\x0a\x12", "an ONNX model, as it seems"}, {0, "\x08\x0b\x12", "an ONNX model, as it seems"},
	{0, "\x89PNG", "a PNG picture"}, {0, "\xff\xd8\xff", "a JPEG picture"},
	{0, "\x7fELF", "a program"}, {0, "MZ", "a program"}, {0, "#!", "a script"},
	{0, "PAR1", "a Parquet table"}, {0, "ARROW1", "an Arrow table"}, {0, "SQLite format 3\x00", "an SQLite database"},
	{0, "BZh", "a bzip2 file"}, {0, "\xfd7zXZ", "an xz file"},
}

// recognised tells whether a file begins as a checkpoint that is read does.
func recognised(head []byte, size int64) bool {
	return bytes.HasPrefix(head, []byte("GGUF")) || bytes.HasPrefix(head, []byte("PK\x03\x04")) || mayBeSafetensors(head, size)
}

// mayBeSafetensors tells whether the first eight bytes can be the length of a
// header that begins behind them.
func mayBeSafetensors(head []byte, size int64) bool {
	return len(head) > 8 && binary.LittleEndian.Uint64(head) <= uint64(size-8) && bytes.IndexByte([]byte("{ \t\r\n"), head[8]) >= 0
}

// lies says what a file is that is no checkpoint, from its first bytes, or "".
func lies(head []byte, size int64) string {
	if recognised(head, size) {
		return ""
	}
	lower := bytes.ToLower(head)
	for _, b := range beginnings {
		if len(head) >= b.at && (bytes.HasPrefix(head[b.at:], []byte(b.magic)) || b.magic[0] == '<' && bytes.HasPrefix(lower, []byte(b.magic))) {
			return b.what
		}
	}
	if text := beginningOf(head); text != "" {
		return fmt.Sprintf("a text that begins %q", text)
	}
	return ""
}

// beginningOf returns the first line of a text, shortened, and "" for what is
// no text.
func beginningOf(head []byte) string {
	for len(head) > 0 && !utf8.Valid(head) && len(head) > headBytes-utf8.UTFMax { // cut inside a character
		head = head[:len(head)-1]
	}
	text := strings.TrimSpace(strings.TrimPrefix(string(head), "\ufeff"))
	odd := func(r rune) bool { return r == utf8.RuneError || !unicode.IsGraphic(r) && !unicode.IsSpace(r) }
	if len(text) < 16 || strings.ContainsFunc(text, odd) {
		return ""
	}
	line, _, _ := strings.Cut(text, "\n")
	if runes := []rune(line); len(runes) > 40 {
		line = string(runes[:40]) + "…"
	}
	return line
}
