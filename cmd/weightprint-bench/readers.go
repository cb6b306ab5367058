package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/fingerprint/commitment"
	"github.com/weightprint/weightprint/formats/flax"
	"github.com/weightprint/weightprint/formats/gguf"
	"github.com/weightprint/weightprint/formats/hdf5"
	"github.com/weightprint/weightprint/formats/numpy"
	"github.com/weightprint/weightprint/formats/onnx"
	"github.com/weightprint/weightprint/formats/openvino"
	"github.com/weightprint/weightprint/formats/packed"
	"github.com/weightprint/weightprint/formats/safetensors"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/formats/tflite"
	"github.com/weightprint/weightprint/formats/torch"
	"github.com/weightprint/weightprint/report"
)

// reader is one reader that mutants are given to.
type reader struct {
	name  string
	kind  string   // of internal/mutants
	files []string // patterns below the module, of files that mutants are made of
	// read reads a mutant; beside is the file that belongs to the one it was made
	// of. It returns an error that is not of the reader's own kind, or nil.
	read   func(ctx context.Context, b, beside []byte) error
	beside func(file string) string // nil where files stand alone
	// small makes files that are smaller than all of those: readers get through
	// more of them. Nil where there are small ones.
	small func(module string) ([][]byte, error)
}

// opens is a model read from memory, or why not.
type opens func(ctx context.Context, r io.ReaderAt, size int64) (tensor.Model, error)

// drained reads a mutant and the first values of all its tensors.
func drained(open opens) func(context.Context, []byte, []byte) error {
	return func(ctx context.Context, b, _ []byte) error {
		m, err := open(ctx, bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return typed(err)
		}
		return values(ctx, m)
	}
}

const mutantName = "mutant"

// smallFiles is where files are kept that are there to make mutants of.
const smallFiles = "cmd/weightprint-bench/testdata/seeds/"

var readers = []reader{
	{name: "safetensors", kind: "safetensors", files: []string{"formats/safetensors/testdata/*/*.safetensors", "formats/testdata/*/*.safetensors", "formats/testdata/index/001-good/*.safetensors"}, read: drained(func(ctx context.Context, r io.ReaderAt, n int64) (tensor.Model, error) {
		return safetensors.Read(ctx, mutantName, r, n, nil)
	})},
	{name: "gguf", kind: "gguf", files: []string{"formats/gguf/testdata/*/*.gguf", "formats/testdata/*/*.gguf"}, read: drained(func(ctx context.Context, r io.ReaderAt, n int64) (tensor.Model, error) {
		return gguf.Read(ctx, mutantName, r, n)
	})},
	{name: "torch", kind: "torch", files: []string{"formats/torch/testdata/*.pt", "formats/torch/testdata/*/*.bin", "formats/torch/testdata/refused/*.pt", smallFiles + "torch/*.pt"}, read: drained(func(ctx context.Context, r io.ReaderAt, n int64) (tensor.Model, error) {
		return torch.Read(ctx, mutantName, r, n, nil)
	})},
	{name: "torch lenient", kind: "torch", files: []string{"formats/torch/testdata/*.pt", smallFiles + "torch/*.pt"}, read: drained(func(ctx context.Context, r io.ReaderAt, n int64) (tensor.Model, error) {
		return torch.Read(ctx, mutantName, r, n, &torch.Options{Lenient: true})
	})},
	{name: "torch distributed", kind: "torch", files: []string{"formats/torch/testdata/distributed/.metadata", smallFiles + "distributed/.metadata"}, read: drained(func(ctx context.Context, r io.ReaderAt, n int64) (tensor.Model, error) {
		return torch.ReadDistributed(ctx, mutantName, r, n, func(name string) (*torch.Part, error) {
			return nil, tensor.Errorf(fs.ErrNotExist, name, -1, "file", "cannot be opened")
		})
	})},
	{name: "numpy", kind: "numpy", files: []string{"formats/numpy/testdata/*.np?"}, read: drained(func(ctx context.Context, r io.ReaderAt, n int64) (tensor.Model, error) {
		return numpy.Read(ctx, mutantName, r, n)
	})},
	{name: "onnx", kind: "onnx", files: []string{"formats/onnx/testdata/*.onnx"}, read: drained(func(ctx context.Context, r io.ReaderAt, n int64) (tensor.Model, error) {
		return onnx.Read(ctx, mutantName, r, n, nil)
	})},
	{name: "tflite", kind: "tflite", files: []string{"formats/tflite/testdata/*.tflite", smallFiles + "tflite/*.tflite"}, read: drained(func(ctx context.Context, r io.ReaderAt, n int64) (tensor.Model, error) {
		return tflite.Read(ctx, mutantName, r, n)
	})},
	{name: "openvino", kind: "openvino", files: []string{"formats/openvino/testdata/*.xml"}, beside: func(file string) string { return strings.TrimSuffix(file, ".xml") + ".bin" }, read: readOpenVINO, small: smallOpenVINO},
	{name: "hdf5", kind: "hdf5", files: []string{"formats/hdf5/testdata/*.h5", "formats/hdf5/testdata/refused/*.h5"}, read: drained(func(ctx context.Context, r io.ReaderAt, n int64) (tensor.Model, error) {
		return hdf5.Read(ctx, mutantName, r, n)
	})},
	{name: "keras", kind: "keras", files: []string{"formats/hdf5/testdata/*.keras"}, small: smallKeras, read: drained(func(ctx context.Context, r io.ReaderAt, n int64) (tensor.Model, error) {
		return hdf5.ReadKeras(ctx, mutantName, r, n)
	})},
	{name: "flax", kind: "flax", files: []string{"formats/flax/testdata/*.msgpack"}, read: drained(func(ctx context.Context, r io.ReaderAt, n int64) (tensor.Model, error) {
		return flax.Read(ctx, mutantName, r, n)
	})},
	{name: "packed", kind: "safetensors", files: []string{"formats/packed/testdata/layouts/*/*.safetensors", "formats/packed/testdata/layouts/refused/*/*.safetensors"}, beside: beside("config.json"), read: readPacked},
	{name: "adapters", kind: "safetensors", files: []string{"formats/packed/testdata/adapters/*/*.safetensors"}, beside: func(file string) string {
		return filepath.Join(filepath.Dir(filepath.Dir(file)), "base", "model.safetensors")
	}, read: readAdapter},
	{name: "fingerprint", kind: "own", files: []string{"fingerprint/testdata/*/*.wfp"}, read: func(_ context.Context, b, _ []byte) error {
		_, err := fingerprint.Decode(b)
		return of(err, fingerprint.ErrFile, fingerprint.ErrVersion)
	}},
	{name: "commitment", kind: "own", files: []string{"fingerprint/commitment/testdata/v1/*"}, read: readCommitment},
	{name: "report", kind: "json", files: []string{"cmd/weightprint/testdata/kept/*/report.json"}, small: smallReport, read: func(_ context.Context, b, _ []byte) error {
		r, err := report.ParseJSON(b)
		if err == nil {
			err = r.WriteJSON(io.Discard)
			return err
		}
		return nil // every error is one line for its reader
	}},
}

// beside names a file in the folder of another.
func beside(name string) func(string) string {
	return func(file string) string { return filepath.Join(filepath.Dir(file), name) }
}

func readOpenVINO(ctx context.Context, b, bin []byte) error {
	m, err := openvino.Read(ctx, mutantName, mutantName, bytes.NewReader(b), int64(len(b)), func(_, _ string) (io.ReaderAt, int64, string, error) {
		return bytes.NewReader(bin), int64(len(bin)), "mutant.bin", nil
	})
	if err != nil {
		return typed(err)
	}
	return values(ctx, m)
}

// withMeta is a model with other metadata.
type withMeta struct {
	tensor.Model
	meta tensor.Metadata
}

func (m withMeta) Metadata() tensor.Metadata { return m.meta }

// quantMethods are the kinds of quantisation that a configuration may name.
var quantMethods = []string{"bitnet", "hqq", "quanto", "torchao", "gptq", "awq", "bitsandbytes", "compressed-tensors", "fp8", "mxfp4", "modelopt"}

func readPacked(ctx context.Context, b, config []byte) error {
	f, err := safetensors.Read(ctx, mutantName, bytes.NewReader(b), int64(len(b)), nil)
	if err != nil {
		return typed(err)
	}
	meta := tensor.Metadata{}
	for _, method := range quantMethods {
		if bytes.Contains(config, []byte(`"`+method+`"`)) {
			meta["config.quantization_config.quant_method"] = method
		}
	}
	m, err := packed.Unpack(ctx, withMeta{f, meta})
	if err != nil {
		return typed(err)
	}
	if m == nil {
		return values(ctx, f)
	}
	return values(ctx, m)
}

func readAdapter(ctx context.Context, b, base []byte) error {
	f, err := safetensors.Read(ctx, mutantName, bytes.NewReader(b), int64(len(b)), nil)
	if err != nil {
		return typed(err)
	}
	on, err := safetensors.Read(ctx, "base", bytes.NewReader(base), int64(len(base)), nil)
	if err != nil {
		return err
	}
	meta := tensor.Metadata{"adapter.peft_type": "LORA", "adapter.lora_alpha": int64(4), "adapter.r": int64(2)}
	if len(b)%2 == 0 {
		meta = f.Metadata()
	}
	packed.IsAdapter(f)
	a, err := packed.NewAdapter(on, withMeta{f, meta})
	if err != nil {
		return typed(err)
	}
	return values(ctx, a)
}

func readCommitment(_ context.Context, b, _ []byte) error {
	_, err1 := commitment.DecodeCommitment(b)
	_, err2 := commitment.DecodeOpening(b)
	_, err3 := commitment.DecodeChallenge(b)
	_, err4 := commitment.DecodeResponse(b)
	for _, err := range []error{err1, err2, err3, err4} {
		if err := of(err, commitment.ErrFile, commitment.ErrVersion); err != nil {
			return err
		}
	}
	return nil
}

// typed tells an error of a reader from any other.
func typed(err error) error {
	var known *tensor.FormatError
	if err == nil || errors.As(err, &known) {
		return nil
	}
	return fmt.Errorf("an error without a type: %w", err)
}

func of(err error, classes ...error) error {
	for _, c := range classes {
		if err == nil || errors.Is(err, c) {
			return nil
		}
	}
	return fmt.Errorf("an error without a type: %w", err)
}

// values reads the first values of every tensor.
func values(ctx context.Context, m tensor.Model) error {
	var buf [64]float32
	for _, t := range m.Tensors() {
		if err := t.Data.ReadValues(ctx, buf[:min(int64(len(buf)), t.Len())], 0); err != nil {
			return typed(err)
		}
	}
	return nil
}

// readIf reads a file that may be missing.
func readIf(name string) ([]byte, error) {
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return b, err
}
