package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/zoo"
)

func populateCommand() *cobra.Command {
	var models int
	var seed uint64
	c := &cobra.Command{
		Use:   "populate ZOO DIR",
		Short: "make a larger zoo of a zoo: its models, and children that were made of them and of each other by edits",
		Args:  cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			return populate(c.Context(), args[0], args[1], models, seed)
		},
	}
	c.Flags().IntVar(&models, "models", 200, "how many models to have in all")
	c.Flags().Uint64Var(&seed, "seed", 1, "seed of every choice")
	return c
}

// deepest is how many edits lie between a made model and one of the zoo at most: after
// many little is left of a model.
const deepest = 3

// settler is a model that further ones are made of.
type settler struct {
	member *member
	model  *zoo.Model
	files  string // folder whose config and tokenizer are its own
	depth  int
	tuned  bool // trained, or changed as training changes: what people merge
}

// populate links the models of a zoo into a folder and adds made ones until there are
// enough.
func populate(ctx context.Context, from, dir string, models int, seed uint64) error {
	all, err := readManifest(from)
	if err != nil {
		return err
	}
	all = all[:min(len(all), models)]
	var settlers []*settler
	for _, m := range all {
		path, err := filepath.Abs(filepath.Join(from, m.Path))
		if err != nil {
			return err
		}
		if err := linked(path, filepath.Join(dir, m.Path)); err != nil {
			return err
		}
		if r, err := open(ctx, m.Name, path); err == nil { // of another layout otherwise
			settlers = append(settlers, &settler{m, r.net.Model(), path, 0, len(m.Parents) < 2})
		}
	}
	r := rand.New(rand.NewPCG(seed, uint64(models)))
	for len(all) < models {
		e := editions[r.IntN(len(editions))]
		parents := e.choose(r, settlers)
		if parents == nil {
			continue
		}
		s := e.make(r, parents)
		s.member.Name = fmt.Sprintf("m%03d-%s", len(all), e.name)
		s.member.Path = s.member.Name
		if err := s.write(filepath.Join(dir, s.member.Path), e.stored); err != nil {
			return err
		}
		all, settlers = append(all, s.member), append(settlers, s)
	}
	text, err := json.MarshalIndent(map[string]any{"models": all}, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "manifest.json"), text, 0o644)
}

func linked(path, at string) error {
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		return err
	}
	if err := os.Symlink(path, at); err != nil && !os.IsExist(err) {
		return err
	}
	return nil
}

// edition is a way in which a model is made of others.
type edition struct {
	name, relation string
	stored         tensor.DType
	tuned          bool
	two            bool // of two siblings
	edit           func(r *rand.Rand, m, other *zoo.Model)
	build          func(r *rand.Rand, m, other *zoo.Model) *zoo.Model // before edit; nil where the shape stays
}

func tuned(r *rand.Rand, m, _ *zoo.Model) { adapted(r, m, 16, 0.04+0.1*r.Float64(), 0.01) }

func unchanged(*rand.Rand, *zoo.Model, *zoo.Model) {}

var editions = []edition{
	{"tuned", "fine-tuned", tensor.BF16, true, false, tuned, nil},
	{"lora", "LoRA merged", tensor.BF16, true, false, func(r *rand.Rand, m, _ *zoo.Model) { adapted(r, m, 4, 0.04+0.1*r.Float64(), 0) }, nil},
	{"linear", "merge", tensor.BF16, false, true, func(r *rand.Rand, m, other *zoo.Model) { blended(m, other, float32(0.3+0.4*r.Float64())) }, nil},
	{"noise", "noise copy", tensor.BF16, false, false, func(r *rand.Rand, m, _ *zoo.Model) { adapted(r, m, 0, 0, 0.05+0.1*r.Float64()) }, nil},
	{"pruned", "pruned unstructured", tensor.BF16, false, false, func(r *rand.Rand, m, _ *zoo.Model) { pruned(m, 0.2+0.3*r.Float64()) }, nil},
	{"int4", "quantised and dequantised", tensor.BF16, false, false, func(_ *rand.Rand, m, _ *zoo.Model) { coarse(m) }, nil},
	{"f32", "dtype variant", tensor.F32, false, false, unchanged, nil},
	{"disguised", "obfuscated copy", tensor.BF16, false, false, func(r *rand.Rand, m, _ *zoo.Model) { zoo.DisguiseAll(r, m) }, nil},
	{"scaled", "scaled", tensor.BF16, false, false, func(r *rand.Rand, m, _ *zoo.Model) { multiplied(m, float32(0.9+0.2*r.Float64())) }, nil},
	{"projected", "projected", tensor.BF16, false, false, projected, nil},
	{"headed", "head replaced", tensor.BF16, false, false, headed, nil},
	{"reordered", "layers reordered", tensor.BF16, false, false, unchanged, reordered},
	{"dropped", "layers dropped", tensor.BF16, true, false, tuned, thinned},
	{"deepened", "depth-upscaled", tensor.BF16, true, false, tuned, deepened},
	{"worded", "vocabulary extended, fine-tuned", tensor.BF16, true, false, tuned, worded},
	{"stacked", "frankenmerge (passthrough of two siblings)", tensor.BF16, false, true, unchanged, stacked},
	{"spliced", "frankenmerge (layers of two siblings)", tensor.BF16, false, true, unchanged, spliced},
}

// choose draws parents, nil where those drawn do not fit.
func (e *edition) choose(r *rand.Rand, from []*settler) []*settler {
	a := from[r.IntN(len(from))]
	if a.depth >= deepest {
		return nil
	}
	if !e.two {
		return []*settler{a}
	}
	siblings := slices.DeleteFunc(slices.Clone(from), func(b *settler) bool {
		return b == a || !b.tuned || !a.tuned || b.depth >= deepest || len(a.member.Parents) != 1 || !slices.Equal(a.member.Parents, b.member.Parents) || !alikeShapes(a.model, b.model)
	})
	if len(siblings) == 0 {
		return nil
	}
	return []*settler{a, siblings[r.IntN(len(siblings))]}
}

func alikeShapes(a, b *zoo.Model) bool {
	return len(a.Tensors()) == len(b.Tensors()) && !slices.ContainsFunc(a.Tensors(), func(t *tensor.Tensor) bool { return len(b.Values(t.Name)) != len(a.Values(t.Name)) })
}

func (e *edition) make(r *rand.Rand, parents []*settler) *settler {
	s := &settler{member: &member{Relation: e.relation, Recipe: e.name}, model: parents[0].model.Clone(), files: parents[0].files, tuned: e.tuned}
	var other *zoo.Model
	for _, p := range parents {
		s.member.Parents = append(s.member.Parents, p.member.Name)
		s.depth = max(s.depth, p.depth+1)
	}
	if len(parents) > 1 {
		other = parents[1].model
	}
	if e.build != nil {
		s.model = e.build(r, s.model, other)
	}
	e.edit(r, s.model, other)
	if e.stored == tensor.BF16 { // children are made of what was published
		for _, t := range s.model.Tensors() {
			v := s.model.Values(t.Name)
			for i, x := range v {
				v[i] = math.Float32frombits(uint32(bfloat(x)) << 16)
			}
		}
	}
	return s
}

// bfloat is the nearest bf16.
func bfloat(x float32) uint16 {
	bits := math.Float32bits(x)
	return uint16((bits + 0x7fff + bits>>16&1) >> 16)
}

// write makes a folder of a model.
func (s *settler) write(dir string, stored tensor.DType) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, name := range []string{"config.json", "tokenizer.json"} {
		text, err := os.ReadFile(filepath.Join(s.files, name))
		if err != nil {
			return err
		}
		if name == "config.json" {
			if text, err = s.config(text); err != nil {
				return err
			}
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return err
		}
	}
	var ts []*tensor.Tensor
	for _, t := range s.model.Tensors() {
		var data []byte
		for _, x := range s.model.Values(t.Name) {
			if stored == tensor.BF16 {
				data = binary.LittleEndian.AppendUint16(data, bfloat(x))
			} else {
				data = binary.LittleEndian.AppendUint32(data, math.Float32bits(x))
			}
		}
		ts = append(ts, &tensor.Tensor{Name: t.Name, DType: stored, Shape: t.Shape, Data: &tensor.Stored{R: bytesAt(data), Bytes: int64(len(data)), DType: stored}})
	}
	return writeSafetensors(filepath.Join(dir, "model.safetensors"), ts)
}

// config is that of the model that it was made of, with its own numbers of layers and
// tokens.
func (s *settler) config(text []byte) ([]byte, error) {
	var c map[string]any
	if err := json.Unmarshal(text, &c); err != nil {
		return nil, err
	}
	c["num_hidden_layers"] = layersOf(s.model)
	if t, ok := s.model.Tensor(embeddings); ok {
		c["vocab_size"] = t.Shape[0]
	}
	return json.Marshal(c)
}
