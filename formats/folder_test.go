package formats

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/packed"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/vectors"
)

// laid copies files into a new folder: "name = path under testdata", or "name:
// text".
func laid(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range files {
		if name, from, ok := strings.Cut(f, " = "); ok {
			copyTo(t, from, filepath.Join(dir, name))
		} else {
			name, text, _ := strings.Cut(f, ": ")
			require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700))
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
		}
	}
	return dir
}

const (
	one    = " = testdata/index/001-good/model-00001-of-00002.safetensors"
	two    = " = testdata/index/001-good/model-00002-of-00002.safetensors"
	ix     = " = testdata/index/001-good/model.safetensors.index.json"
	ggufs  = " = testdata/split/model-00001-of-00003.gguf"
	pickle = " = torch/testdata/state-dict.pt"
)

var (
	set   = []string{"model-00001-of-00002.safetensors" + one, "model-00002-of-00002.safetensors" + two, "model.safetensors.index.json" + ix}
	other = []string{"other-00001-of-00002.safetensors" + one, "other-00002-of-00002.safetensors" + two}
)

// Of a folder with more than one thing to read it is always said what was
// passed over, or asked what is meant.
func TestWhichFile(t *testing.T) {
	with := func(sets ...[]string) (out []string) {
		for _, s := range sets {
			out = append(out, s...)
		}
		return out
	}
	list := func(s ...string) []string { return s }
	for name, c := range map[string]struct {
		files   []string
		opened  string // the first file
		warning string
		refused string
	}{
		"an index alone":                          {set, "model-00001-of-00002.safetensors", "", ""},
		"a stray file beside an index":            {with(set, list("draft.safetensors"+one)), "model-00001-of-00002.safetensors", "the folder holds draft.safetensors too; model.safetensors.index.json was opened", ""},
		"the same weights once more":              {with(set, list("model.safetensors"+one)), "model-00001-of-00002.safetensors", "model.safetensors too", ""},
		"Mistral's own file beside":               {with(set, list("consolidated.safetensors"+one, "params.json: {}")), "model-00001-of-00002.safetensors", "consolidated.safetensors too", ""},
		"another index":                           {with(set, list("model.fp16.safetensors.index.json"+ix)), "model-00001-of-00002.safetensors", "model.fp16.safetensors.index.json too", ""},
		"shards of another model":                 {with(set, other), "model-00001-of-00002.safetensors", "other-00001-of-00002.safetensors too", ""},
		"another count":                           {with(set, list("model-00001-of-00001.safetensors"+one)), "model-00001-of-00002.safetensors", "model-00001-of-00001.safetensors too", ""},
		"a stray adapter":                         {with(set, list("adapter_model.safetensors"+two, "adapter_config.json: {\"peft_type\":\"LORA\"}")), "model-00001-of-00002.safetensors", "adapter_model.safetensors too", ""},
		"torch beside an index":                   {with(set, list("pytorch_model.bin"+pickle, "optimizer.pt"+pickle)), "model-00001-of-00002.safetensors", "holds pytorch_model.bin too", ""},
		"GGUF beside an index":                    {with(set, list("m.gguf"+ggufs)), "model-00001-of-00002.safetensors", "holds m.gguf too", ""},
		"a set and a stray file":                  {with(set[:2], list("draft.safetensors"+one)), "model-00001-of-00002.safetensors", "draft.safetensors too", ""},
		"a model and a stray file":                {list("model.safetensors"+one, "draft.safetensors"+two), "model.safetensors", "draft.safetensors too", ""},
		"a model and its adapter":                 {list("model.safetensors"+one, "adapter_model.safetensors"+two), "model.safetensors", "adapter_model.safetensors too", ""},
		"torch and an adapter":                    {list("pytorch_model.bin"+pickle, "adapter_model.safetensors"+two), "pytorch_model.bin", "adapter_model.safetensors too", ""},
		"ONNX beside torch":                       {list("pytorch_model.bin"+pickle, "model.onnx = onnx/testdata/script.onnx", "x.npz = numpy/testdata/types.npz"), "pytorch_model.bin", "model.onnx, x.npz too; pytorch_model.bin was opened", ""},
		"an adapter beside arrays":                {list("adapter_model.safetensors"+two, "scores.npz = numpy/testdata/types.npz"), "adapter_model.safetensors", "scores.npz too", ""},
		"ONNX alone":                              {list("MODEL.ONNX = onnx/testdata/script.onnx"), "MODEL.ONNX", "", ""},
		"ONNX under another ending":               {list("weights.x = onnx/testdata/script.onnx", "log.gz: \x1f\x8b\x08 no model"), "weights.x", "", ""},
		"an XML file without values":              {list("a.xml: <net", "tokenizer.xml: <net", "tokenizer.bin: x"), "", "", "no file of a format that is read lies here"},
		"two files":                               {list("a.safetensors"+one, "b.safetensors"+two), "", "", "name one of them: a.safetensors, b.safetensors"},
		"two sets":                                {with(set[:2], list("model-00001-of-00001.safetensors"+one)), "", "", "several checkpoints lie here"},
		"a set and a file, neither usual":         {with(other, list("a.safetensors"+one)), "", "", "name one of them: a.safetensors, other-00001-of-00002.safetensors"},
		"an index of other shards beside a model": {list("model.safetensors.index.json"+ix, "model.safetensors"+one), "model.safetensors", "not found here; model.safetensors was opened", ""},
		"an index of other shards beside a set":   {with(other, set[2:]), "", "", "the index is of another build; other-00001-of-00002.safetensors is whole"},
		"an index of other shards beside two":     {with(other, set[2:], list("a.safetensors"+one)), "", "", "name one of them: a.safetensors, other-00001-of-00002.safetensors"},
		"half a download":                         {with(set[:1], set[2:]), "", "", "model-00002-of-00002.safetensors: file: does not lie here, but the index names it: the download is incomplete"},
		"half a download beside a model":          {with(set[:1], set[2:], list("model.safetensors"+one)), "", "", "model.safetensors is whole, name it"},
		"a GGUF file under another ending":        {list("weights.bin"+ggufs, "config.json: {}"), "", "", "the file is one of 3"},
		"a lone file of unknown name":             {list("weights"+one, "README.md: # hello"), "weights", "", ""},
		"models in folders":                       {list("a/model.safetensors"+one, "b/x.gguf"+ggufs, "c/readme.txt: hello"), "", "", "no model lies here, but in the folders within: a, b; name one of them"},
		"another format":                          {list("manifest.ocdbt: \x0c\xdb\x3a\x2a\xc0\x00\x00\x00", "_METADATA: {}"), "", "", "manifest.ocdbt is the root of an Orbax checkpoint (OCDBT), which is not read"},
		"a bare pickle":                           {list("model.pkl: \x80\x04}.", "README.md: # hello"), "", "", "model.pkl may be one, name it"},
		"nothing":                                 {list("README.md: # hello"), "", "", "no file of a format that is read lies here (safetensors, gguf, "},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := open(t, laid(t, c.files...))
			if c.refused != "" {
				require.ErrorContains(t, err, c.refused)
				var fe *tensor.FormatError
				require.ErrorAs(t, err, &fe)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.opened, m.Files()[0].Path)
			if c.warning == "" {
				require.Empty(t, m.Warnings)
			} else {
				require.Contains(t, strings.Join(m.Warnings, "\n"), c.warning)
			}
		})
	}
}

// A stale index is passed over where the caller is lenient, and the error says
// that it would be; the shards can also be named.
func TestStaleIndex(t *testing.T) {
	dir := laid(t, append(other, set[2])...)
	_, err := open(t, dir)
	require.ErrorIs(t, err, tensor.ErrForgivable)
	m, err := Open(context.Background(), dir, &Options{Lenient: true})
	require.NoError(t, err)
	defer m.Close()
	require.Len(t, m.Files(), 2)
	require.Contains(t, m.Warnings[0], "the index names")

	require.NoError(t, os.Rename(filepath.Join(dir, "other-00001-of-00002.safetensors"), filepath.Join(dir, "model-00001-of-00003.safetensors")))
	_, err = open(t, laid(t, set[0], set[2]))
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorIs(t, err, ErrIncomplete)

	// A shard that the index does not name is opened with its own set.
	dir = laid(t, append(set, "model-00001-of-00001.safetensors"+one)...)
	m, err = open(t, filepath.Join(dir, "model-00001-of-00001.safetensors"))
	require.NoError(t, err)
	require.Len(t, m.Files(), 1)
	require.Contains(t, m.Warnings[0], "does not name model-00001-of-00001.safetensors")
}

// A size written as a float is a size.
func TestTotalSizeAsFloat(t *testing.T) {
	b, err := os.ReadFile("testdata/index/001-good/model.safetensors.index.json")
	require.NoError(t, err)
	at := bytes.Index(b, []byte(`"total_size":`)) + len(`"total_size":`)
	end := at + bytes.IndexAny(b[at:], ",}")
	for _, c := range []struct {
		ending string
		ok     bool
	}{{".0", true}, {"e0", true}, {".5", false}, {"e1", false}} {
		dir := laid(t, set[:2]...)
		text := string(b[:end]) + c.ending + string(b[end:])
		require.NoError(t, os.WriteFile(filepath.Join(dir, "model.safetensors.index.json"), []byte(text), 0o600))
		_, err = open(t, dir)
		require.Equal(t, c.ok, err == nil, "%s: %v", c.ending, err)
	}
}

// A merged model is a model although the adapter's configuration lies beside it.
func TestMergedModelIsNoAdapter(t *testing.T) {
	m, err := open(t, laid(t, "model.safetensors"+one, "adapter_config.json: {\"peft_type\":\"LORA\",\"r\":8}"))
	require.NoError(t, err)
	require.False(t, packed.IsAdapter(m))
	lora := func(names ...string) (l tensor.Tensors) {
		for _, n := range names {
			l = append(l, &tensor.Tensor{Name: n})
		}
		return l
	}
	require.True(t, packed.IsAdapter(lora("x.lora_A.weight", "x.lora_B.weight")))
	require.False(t, packed.IsAdapter(lora("x.lora_A.weight", "x.lora_B.weight", "y.weight")))
	require.False(t, packed.IsAdapter(lora("x.base_layer.weight", "x.lora_A.weight")))
	require.False(t, packed.IsAdapter(lora()))
}

// GGUF files of every kind are told under any ending.
func TestGGUFUnderAnyEnding(t *testing.T) {
	whole := "gguf/testdata/container"
	entries, err := os.ReadDir(whole)
	require.NoError(t, err)
	tried := 0
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".gguf") {
			continue
		}
		if _, err := open(t, filepath.Join(whole, e.Name())); err != nil {
			continue
		}
		for _, ending := range []string{".bin", ".pt", ".safetensors", ""} {
			m, err := open(t, filepath.Join(laid(t, "m"+ending+" = "+filepath.Join(whole, e.Name())), "m"+ending))
			require.NoError(t, err, ending)
			require.Equal(t, "gguf", m.Format)
		}
		tried++
	}
	require.NotZero(t, tried)
}

// What lies in place of a checkpoint is named.
func TestWhatLiesHere(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"readme.md":   {"# A model\nIt does things, and says so.\n", `a text that begins "# A model"`},
		"paper.pdf":   {"%PDF-1.7\n" + strings.Repeat("\x00\xff", 40), "a PDF document"},
		"m.ggml":      {"tjgg\x03\x00\x00\x00" + strings.Repeat("\x00", 40), "before GGUF"},
		"m.mlmodel":   {"\x08\x06\x12\x02\x0a\x00\xa2\x1f\x28" + strings.Repeat("\x00", 40), "a Core ML model"},
		"long.model":  {"\x08\x08\x12\x80\x20\x0a\x00" + strings.Repeat("\x00", 4096), "a Core ML model"},
		"graph.pb":    {"\x0a\x0b\x0a\x01x\x12\x05Const" + strings.Repeat("\x01", 40), "a frozen graph of TensorFlow"},
		"v.bin":       {"lmgg\x0a\x00\x00\x00silero-16k" + strings.Repeat("\x01", 40), "a silero-VAD model of whisper.cpp"},
		"b.mlmodel":   {"\x08\x02\x12\xe8\x11\x0a\x16" + strings.Repeat("\x01", 40), "a Core ML model"},
		"saved.pb":    {"\x08\x01\x12\x80\x20\x0a\x00" + strings.Repeat("\x00", 40), "name its folder"},
		"m.param":     {"7767517\n999 1066\nInput data 0 1 data\n", "an ncnn model"},
		"x.nnue":      {"\x20\x2f\xf3\x7a\x01\x02\x03\x04 a network", "chess engine"},
		"x.mdl":       {"\x00B<TransitionModel> \x04\x01", "Kaldi"},
		"x.trained":   {traineddata(132, 200), "Tesseract"},
		"x.untrained": {traineddata(131, 200), "none of the formats"},
		"y.weights":   {"\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x7c\xe8\x01" + strings.Repeat("\x3d", 40), "weights of Darknet"},
		"x.pdiparams": {strings.Repeat("\x00", 16) + "\x04\x00\x00\x00\x08\x05\x10\x10" + strings.Repeat("\x3d", 40), "parameters of PaddlePaddle"},
		"m.ort":       {"\x14\x00\x00\x00ORTM\x0c\x00\x10\x00" + strings.Repeat("\x00", 40), "ONNX Runtime's own format"},
		"root.ocdbt":  {"\x0c\xdb\x3a\x2a\xc0" + strings.Repeat("\x00", 40), "an Orbax checkpoint"},
		"lid.ftz":     {"\xba\x16\x4f\x2f\x0c\x00\x00\x00" + strings.Repeat("\x00", 40), "a fastText model"},
		"page":        {"<!DOCTYPE html><html><body>404</body></html>", "an HTML page"},
		"pointer":     {"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n", "a Git LFS pointer"},
		"print.wfp":   {"WPRINT\r\n" + strings.Repeat("\x00", 80), "a fingerprint"},
		"nothing":     {"", "an empty file"},
		"room.gguf":   {strings.Repeat("\x00", 4096), "begins with zeros"},
		"model.json":  {`{"architectures": ["LlamaForCausalLM"]}`, "a text that begins"},
	} {
		_, err := open(t, filepath.Join(laid(t, name+": "+c.text), name))
		require.ErrorContains(t, err, c.want, name)
		require.NotContains(t, err.Error(), "header length", name)
		require.ErrorIs(t, err, tensor.ErrNotModel, name)
	}
}

// Malformed files are refused, and good ones opened, alike under the ending of
// their format and under another one.
func TestMalformedUnderAnyEnding(t *testing.T) {
	for _, format := range []string{"gguf", "safetensors"} {
		dir, ok := vectors.Shared(t, "vectors/malformed/"+format)
		if !ok {
			return
		}
		var cases []struct{ File, What, Verdict string }
		vectors.JSON(t, filepath.Join(dir, "expected.json"), &cases)
		require.NotEmpty(t, cases)
		for _, c := range cases {
			var opened []bool
			for _, ending := range []string{"." + format, ".bin", ""} {
				path := filepath.Join(laid(t, "m"+ending+" = "+filepath.Join(dir, c.File)), "m"+ending)
				_, err := open(t, path)
				opened = append(opened, err == nil)
				var fe *tensor.FormatError
				require.True(t, err == nil || errors.As(err, &fe), "%s as %q: %v", c.File, ending, err)
			}
			require.Equal(t, slices.Repeat(opened[:1], 3), opened, "%s: %s", c.File, c.What)
			require.True(t, opened[0] || c.Verdict != "accept", "%s: %s", c.File, c.What)
		}
	}
}

// traineddata begins as Tesseract's files of 16 parts do, with two of them at given places.
func traineddata(first, second uint64) string {
	b := []byte{16, 0, 0, 0}
	for _, at := range append([]uint64{math.MaxUint64, first, second}, slices.Repeat([]uint64{math.MaxUint64}, 13)...) {
		b = binary.LittleEndian.AppendUint64(b, at)
	}
	return string(b)
}
