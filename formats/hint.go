package formats

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// converted is the advice for what runtimes make of a model.
const converted = "compare the model that it was converted from"

// paddle begins what PaddlePaddle writes for a tensor: versions and no levels of detail, then
// the length of the description.
const (
	paddle     = "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	parameters = "parameters of PaddlePaddle, which hold no names and are not read; paddle2onnx makes an ONNX file of the model"
)

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
	{0, "lmgg\x0a\x00\x00\x00silero", "a silero-VAD model of whisper.cpp, which is not read; compare the file of the package silero-vad that it was converted from"},
	{0, "lmgg", "a GGML file of before GGUF; llama.cpp's convert_llama_ggml_to_gguf.py converts it"},
	{0, "fmgg", "a GGML file of before GGUF; llama.cpp's convert_llama_ggml_to_gguf.py converts it"},
	{0, "tjgg", "a GGML file of before GGUF; llama.cpp's convert_llama_ggml_to_gguf.py converts it"},
	{64, "\xef\xbe\xad\xde", "weights of a Core ML package, which are not read; " + converted},
	{0, "\x08\x01\x12", "the graph of a SavedModel, whose weights lie beside it; name its folder"},
	{0, "7767517\n", "the graph of an ncnn model, which is not read; " + converted},
	{0, "\x00\x00\x00\x00\x02\x00\x00\x00", "weights of Darknet, which hold no names and are not read"},
	{0, paddle + "\x02", parameters}, {0, paddle + "\x03", parameters}, {0, paddle + "\x04", parameters}, {0, paddle + "\x05", parameters}, {0, paddle + "\x06", parameters},
	{0, "\x08\x02\x12", "a Core ML model, which is not read; " + converted}, {0, "\x08\x03\x12", "a Core ML model, which is not read; " + converted},
	{0, "\x08\x04\x12", "a Core ML model, which is not read; " + converted}, {0, "\x08\x05\x12", "a Core ML model, which is not read; " + converted},
	{0, "\x08\x06\x12", "a Core ML model, which is not read; " + converted}, {0, "\x08\x07\x12", "a Core ML model, which is not read; " + converted},
	{0, "\x08\x08\x12", "a Core ML model, which is not read; " + converted}, {0, "\x08\x09\x12", "a Core ML model, which is not read; " + converted},
	{0, "\xba\x16\x4f\x2f", "a fastText model, which is not read"}, {4, "ET12", "a program of ExecuTorch, which is not read; " + converted},
	{4, "ORTM", "a model in ONNX Runtime's own format, which is not read; compare the ONNX file that it was made from"},
	{0, "\x0c\xdb\x3a\x2a", "the root of an Orbax checkpoint (OCDBT), which is not read; restore it in Python and save it as safetensors"},
	{0, "\x20\x2f\xf3\x7a", "a network of a chess engine (NNUE), which is not read"},
	{0, "\x00B<Nnet3>", "a network of Kaldi, which is not read"}, {0, "\x00B<TransitionModel>", "a model of Kaldi, which is not read"},
	{0, "ftrt", "an engine of TensorRT, which is not read; " + converted}, {0, "RKNN", "a model of RKNN, which is not read; " + converted},
	{0, "\x12\x01\x00\x00\x00\x00\x00\x00", "parameters of MXNet, which are not read"},
	{0, "\x89PNG", "a PNG picture"}, {0, "\xff\xd8\xff", "a JPEG picture"},
	{0, "\x7fELF", "a program"}, {0, "MZ", "a program"}, {0, "#!", "a script"},
	{0, "PAR1", "a Parquet table"}, {0, "ARROW1", "an Arrow table"}, {0, "SQLite format 3\x00", "an SQLite database"},
	{0, "BZh", "a bzip2 file"}, {0, "\xfd7zXZ", "an xz file"},
}

// zerosTell is how many zeros no header of any format begins with.
const zerosTell = 64

// lies says what a file is that no format recognises, from its first bytes, or
// "".
func lies(head []byte) string {
	switch {
	case len(head) == 0:
		return "an empty file: its download did not begin; fetch it again"
	case len(head) >= zerosTell && len(bytes.Trim(head, "\x00")) == 0:
		return "a file that begins with zeros: room was made for a download that did not get there; fetch it again"
	}
	lower := bytes.ToLower(head)
	for _, b := range beginnings {
		if len(head) >= b.at && (bytes.HasPrefix(head[b.at:], []byte(b.magic)) || b.magic[0] == '<' && bytes.HasPrefix(lower, []byte(b.magic))) {
			return b.what
		}
	}
	if frozenGraph(head) {
		return "a frozen graph of TensorFlow, which is not read; compare the SavedModel or the checkpoint that it was frozen from"
	}
	if trainedData(head) {
		return "a language of Tesseract (.traineddata), which is not read"
	}
	if text := beginningOf(head); text != "" {
		return fmt.Sprintf("a text that begins %q", text)
	}
	return ""
}

// frozenGraph tells whether a file begins as a GraphDef: a node (field 1) whose first field is
// a name, and whose second is the operation that it does.
func frozenGraph(head []byte) bool {
	if len(head) < 8 || head[0] != 0x0a {
		return false
	}
	_, at := binary.Uvarint(head[1:])
	if at <= 0 || len(head) < at+3 || head[1+at] != 0x0a {
		return false
	}
	op := 1 + at + 2 + int(head[2+at])
	if head[2+at] >= 0x80 || len(head) < op+2 || head[op] != 0x12 || head[op+1] >= 0x80 || len(head) < op+2+int(head[op+1]) {
		return false
	}
	return graphNodes[string(head[op+2:op+2+int(head[op+1])])]
}

// trainedData tells whether a file begins as Tesseract's: a number of parts, and where each begins, the
// first of them right behind, -1 for those that are not there.
func trainedData(head []byte) bool {
	if len(head) < 4 {
		return false
	}
	n := int64(binary.LittleEndian.Uint32(head))
	if n < 16 || n > 64 || int64(len(head)) < 4+8*n {
		return false
	}
	next := 4 + 8*n
	for i := range n {
		switch at := int64(binary.LittleEndian.Uint64(head[4+8*i:])); {
		case at == -1:
		case at < next || next == 4+8*n && at != next:
			return false
		default:
			next = at + 1
		}
	}
	return next > 4+8*n
}

// graphNodes are what the first nodes of frozen graphs do.
var graphNodes = map[string]bool{"Placeholder": true, "Const": true, "PlaceholderWithDefault": true, "NoOp": true}

// beginningOf returns the first line of a text, shortened, and "" for what is
// no text.
func beginningOf(head []byte) string {
	for len(head) > 0 && !utf8.Valid(head) && len(head) > HeadBytes-utf8.UTFMax { // cut inside a character
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
