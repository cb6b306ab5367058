package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/x448/float16"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/report"
)

// layout is a way to publish the same network anew.
type layout struct {
	name string
	move func(r *rand.Rand, all []*tensor.Tensor) []*tensor.Tensor // nil leaves it as it is
	bare bool                                                      // without tokenizer and config
}

// layouts are moves that anybody makes for nothing. Each works on tensors whose values
// lie in memory as float32.
var layouts = []layout{
	{name: "as published"},
	{name: "values in float32", move: kept},
	{name: "values in float16", move: halved},
	{name: "without config and tokenizer", move: kept, bare: true},
	{name: "wrappers in all names", move: wrapped},
	{name: "every tensor renamed, in another order", move: renamed, bare: true},
	{name: "renamed and transposed", move: transposed, bare: true},
	{name: "one tensor more", move: surplus},
	{name: "37 rows more in the embeddings", move: padded},
}

// apply lays an input out anew.
func (l layout) apply(ctx context.Context, r *rand.Rand, in report.Input) (report.Input, error) {
	var all []*tensor.Tensor
	for _, t := range in.Model.Tensors() {
		x := make([]float32, t.Len())
		if err := t.Data.ReadValues(ctx, x, 0); err != nil {
			return in, err
		}
		all = append(all, made(t.Name, x, t.Shape...))
	}
	meta := in.Model.Metadata()
	out := report.Input{Ref: in.Ref, Format: "memory", Tokens: in.Tokens, Warnings: in.Warnings}
	if l.bare {
		meta, out.Tokens = tensor.Metadata{}, nil
	}
	out.Model = described{inMemory: l.move(r, all), meta: meta}
	return out, nil
}

// described is tensors with what their files said about themselves.
type described struct {
	inMemory
	meta tensor.Metadata
}

type inMemory = tensor.Tensors

func (d described) Metadata() tensor.Metadata { return d.meta }

// made is a tensor, of bfloat16 where all its values are.
func made(name string, x []float32, shape ...int64) *tensor.Tensor {
	t := &tensor.Tensor{Name: name, DType: tensor.BF16, Shape: shape, Data: tensor.Values(x)}
	if slices.ContainsFunc(x, func(v float32) bool { return math.Float32bits(v)&0xffff != 0 }) {
		t.DType = tensor.F32
	}
	return t
}

func valuesOf(t *tensor.Tensor) []float32 { return t.Data.(tensor.Values) }

func kept(_ *rand.Rand, all []*tensor.Tensor) []*tensor.Tensor { return all }

func halved(_ *rand.Rand, all []*tensor.Tensor) []*tensor.Tensor {
	for _, t := range all {
		for i, v := range valuesOf(t) {
			valuesOf(t)[i] = float16.Fromfloat32(v).Float32()
		}
		t.DType = tensor.F16
	}
	return all
}

func wrapped(_ *rand.Rand, all []*tensor.Tensor) []*tensor.Tensor {
	for _, t := range all {
		t.Name = "sentence_bert._orig_mod.module." + t.Name
	}
	return all
}

func renamed(r *rand.Rand, all []*tensor.Tensor) []*tensor.Tensor {
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for i, t := range all {
		t.Name = fmt.Sprintf("variable_%d", i)
	}
	return all
}

func transposed(r *rand.Rand, all []*tensor.Tensor) []*tensor.Tensor {
	for i, t := range all {
		if len(t.Shape) != 2 {
			continue
		}
		rows, cols, x := t.Shape[0], t.Shape[1], valuesOf(t)
		y := make([]float32, len(x))
		for r := range rows {
			for c := range cols {
				y[c*rows+r] = x[r*cols+c]
			}
		}
		all[i] = made(t.Name, y, cols, rows)
	}
	return renamed(r, all)
}

func surplus(_ *rand.Rand, all []*tensor.Tensor) []*tensor.Tensor {
	return append(all, made("scaled_fp8", []float32{0, 0}, 2))
}

func padded(_ *rand.Rand, all []*tensor.Tensor) []*tensor.Tensor {
	for i, t := range all {
		if len(t.Shape) != 2 || !slices.ContainsFunc([]string{"embed_tokens", "lm_head", "wte", "token_embd", "tok_embeddings"}, func(s string) bool { return strings.Contains(t.Name, s) }) && t.Name != "output.weight" {
			continue
		}
		all[i] = made(t.Name, append(valuesOf(t), make([]float32, 37*t.Shape[1])...), t.Shape[0]+37, t.Shape[1])
	}
	return all
}
