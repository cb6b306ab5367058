package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/fingerprint/commitment"
	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/fingerprinttest"
	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/similarity/index"
)

// Shapes of published networks.
var (
	of21M  = zoo.Shape{Layers: 6, Hidden: 256, Width: 1024, Heads: 4, KVHeads: 4, HeadDim: 64, Vocab: 8000, Untied: true}
	of1B   = zoo.Shape{Layers: 22, Hidden: 2048, Width: 5632, Heads: 32, KVHeads: 4, HeadDim: 64, Vocab: 32000, Untied: true}
	of300M = zoo.Shape{Layers: 4, Hidden: 2048, Width: 5632, Heads: 32, KVHeads: 4, HeadDim: 64, Vocab: 32000, Untied: true}
	of70B  = zoo.Shape{Layers: 80, Hidden: 8192, Width: 28672, Heads: 64, KVHeads: 8, HeadDim: 128, Vocab: 32000, Untied: true}
)

// speedRows are what is measured, in the order of the table.
var speedRows = []speedRow{
	{"compare-20MB-child", "compare, 20 MB, child, read whole", nil, comparing(of21M, true, 0)},
	{"compare-20MB-strangers", "compare, 20 MB, strangers, read whole", nil, comparing(of21M, false, 0)},
	{"compare-1.1B-child", "compare, 1.1 B, child", nil, comparing(of1B, true, 0)},
	{"compare-1.1B-strangers", "compare, 1.1 B, strangers", nil, comparing(of1B, false, 0)},
	{"files-1.1B-child", "compare, 1.1 B in files, child", pairAt(of1B, true), comparingFiles},
	{"files-1.1B-strangers", "compare, 1.1 B in files, strangers", pairAt(of1B, false), comparingFiles},
	{"compare-70B-child", "compare, 70 B, child", nil, comparing(of70B, true, 0)},
	{"compare-70B-strangers", "compare, 70 B, strangers", nil, comparing(of70B, false, 0)},
	{"compare-full-child", "compare, .3 B, child, `--budget full`", nil, comparing(of300M, true, report.Full)},
	{"fingerprint", "fingerprint of .6 GB in bfloat16", weightsAt(of300M), fingerprinted},
	{"commit", "commit to .6 GB in bfloat16", weightsAt(of300M), committed},
	{"index-add", "index, make and add 20,000 records", nil, indexAdd},
	{"index-search", "index, open and search 20,000 records ten times", indexAt, indexSearch},
	{"headers-163", "headers of 163 shards, 90,000 tensors", shardsAt(163, 552), headers},
	{"headers-1", "headers of one file, 140,000 tensors", shardsAt(1, 140_000), headers},
}

func say(w io.Writer, read, found string) error {
	return json.NewEncoder(w).Encode(said{read, found})
}

// comparing compares two networks of a shape.
func comparing(s zoo.Shape, child bool, budget report.Bytes) func(context.Context, io.Writer, string) error {
	return func(ctx context.Context, w io.Writer, _ string) error {
		specs, meta := s.Specs()
		a, b := zoo.NewDrawn(specs, meta, 1, 0, 0), zoo.NewDrawn(specs, meta, 2, 0, 0)
		if child {
			b = zoo.NewDrawn(specs, meta, 1, 3, 0.1)
		}
		r, err := report.Build(ctx, report.Input{Ref: "a", Model: a}, report.Input{Ref: "b", Model: b}, &report.Options{Budget: budget})
		if err != nil {
			return err
		}
		read := max(a.Read.Load(), b.Read.Load())
		return say(w, fmt.Sprintf("%.1f MiB, %.3g × the model", float64(read)/(1<<20), float64(read)/float64(a.Bytes())), string(r.Verdict.Relation))
	}
}

// comparingFiles compares the models in the folders a and b.
func comparingFiles(ctx context.Context, w io.Writer, dir string) error {
	r, err := report.Compare(ctx, filepath.Join(dir, "a"), filepath.Join(dir, "b"), nil)
	if err != nil {
		return err
	}
	read, all := r.Subjects[0].BytesRead, r.Subjects[0].BytesTotal
	return say(w, fmt.Sprintf("%.1f MiB, %.3g × the model", float64(read)/(1<<20), float64(read)/float64(all)), string(r.Verdict.Relation))
}

// pairAt writes two networks of a shape as folders, a and b.
func pairAt(s zoo.Shape, child bool) func(dir string) error {
	return func(dir string) error {
		specs, meta := s.Specs()
		pair := map[string]*zoo.Drawn{"a": zoo.NewDrawn(specs, meta, 1, 0, 0), "b": zoo.NewDrawn(specs, meta, 2, 0, 0)}
		if child {
			pair["b"] = zoo.NewDrawn(specs, meta, 1, 3, 0.1)
		}
		config, err := json.Marshal(map[string]any{"model_type": "llama", "hidden_size": s.Hidden, "intermediate_size": s.Width,
			"num_hidden_layers": s.Layers, "num_attention_heads": s.Heads, "num_key_value_heads": s.KVHeads, "head_dim": s.HeadDim, "vocab_size": s.Vocab})
		if err != nil {
			return err
		}
		for name, m := range pair {
			folder := filepath.Join(dir, name)
			if err := os.Mkdir(folder, 0o755); err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(folder, "config.json"), config, 0o644); err != nil {
				return err
			}
			if err := writeSafetensors(filepath.Join(folder, "model.safetensors"), m.Tensors()); err != nil {
				return err
			}
		}
		return nil
	}
}

// weightsAt writes a network of a shape as one file, model.safetensors.
func weightsAt(s zoo.Shape) func(dir string) error {
	return func(dir string) error {
		specs, meta := s.Specs()
		return writeSafetensors(filepath.Join(dir, "model.safetensors"), zoo.NewDrawn(specs, meta, 1, 0, 0).Tensors())
	}
}

// writeSafetensors writes tensors whose stored bytes are at hand.
func writeSafetensors(path string, ts []*tensor.Tensor) error {
	head, at := map[string]any{}, int64(0)
	for _, t := range ts {
		head[t.Name] = map[string]any{"dtype": t.DType.String(), "shape": t.Shape, "data_offsets": []int64{at, at + t.StoredBytes()}}
		at += t.StoredBytes()
	}
	header, err := json.Marshal(head)
	if err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...)); err != nil {
		return err
	}
	for _, t := range ts {
		s, ok := tensor.StoredOf(t.Data)
		if !ok {
			return fmt.Errorf("%s has no stored bytes", t.Name)
		}
		if _, err := io.Copy(f, io.NewSectionReader(s.R, s.Offset, s.Bytes)); err != nil {
			return err
		}
	}
	return f.Close()
}

func fingerprinted(ctx context.Context, w io.Writer, dir string) error {
	c, err := formats.Open(ctx, dir, nil)
	if err != nil {
		return err
	}
	defer c.Close()
	f, err := fingerprint.Compute(ctx, c, nil)
	if err != nil {
		return err
	}
	return say(w, fmt.Sprintf("%.0f MiB", float64(c.BytesTotal())/(1<<20)), f.Root.String()[:8])
}

func committed(ctx context.Context, w io.Writer, dir string) error {
	c, err := formats.Open(ctx, dir, nil)
	if err != nil {
		return err
	}
	defer c.Close()
	secret, err := commitment.NewSecret()
	if err != nil {
		return err
	}
	o, err := commitment.Commit(ctx, c, secret)
	if err != nil {
		return err
	}
	return say(w, fmt.Sprintf("%.0f MiB", float64(c.BytesTotal())/(1<<20)), fmt.Sprintf("%d tensors", len(o.Tensors)))
}

const speedEntries = 20_000

// sought is the record that searches look for.
func sought() *fingerprint.Fingerprint {
	return fingerprinttest.Of(fingerprinttest.Middle, 1, &fingerprint.Options{SketchOnly: true})
}

func indexAt(dir string) error {
	return makeIndex(io.Discard, filepath.Join(dir, "index"), sought(), speedEntries)
}

func indexAdd(_ context.Context, w io.Writer, dir string) error {
	if err := indexAt(dir); err != nil {
		return err
	}
	return say(w, "", "")
}

func indexSearch(ctx context.Context, w io.Writer, dir string) error {
	x, err := index.Open(filepath.Join(dir, "index"))
	if err != nil {
		return err
	}
	defer x.Close()
	one, r, hits := sought(), rand.New(rand.NewPCG(3, 3)), 0
	for i := range 10 {
		f := one
		if i > 0 {
			f = fingerprinttest.Like(one, r)
		}
		found, err := x.Search(ctx, f, 10, -6.9)
		if err != nil {
			return err
		}
		hits += len(found.Hits)
	}
	return say(w, "", fmt.Sprintf("%d hit", hits))
}

// shardsAt writes a model of so many shards with so many tensors each, whose values
// take no room on the disk.
func shardsAt(shards, tensors int) func(dir string) error {
	return func(dir string) error {
		for s := range shards {
			if err := writeEmptyShard(filepath.Join(dir, fmt.Sprintf("model-%05d-of-%05d.safetensors", s+1, shards)), s*tensors, tensors); err != nil {
				return err
			}
		}
		return nil
	}
}

// headers opens a model.
func headers(ctx context.Context, w io.Writer, dir string) error {
	c, err := formats.Open(ctx, dir, nil)
	if err != nil {
		return err
	}
	defer c.Close()
	return say(w, "", fmt.Sprintf("%d tensors", len(c.Tensors())))
}

// writeEmptyShard writes a safetensors file of zeros as a hole.
func writeEmptyShard(path string, first, tensors int) error {
	const cols = 4096
	all := map[string]any{}
	for i := range tensors {
		all[fmt.Sprintf("model.layers.%d.mlp.experts.%d.up_proj.weight", (first+i)/256, (first+i)%256)] = map[string]any{"dtype": "BF16", "shape": []int{1, cols}, "data_offsets": []int{2 * cols * i, 2 * cols * (i + 1)}}
	}
	header, err := json.Marshal(all)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...), 0o600); err != nil {
		return err
	}
	return os.Truncate(path, int64(8+len(header)+2*cols*tensors))
}
