package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/report"
)

// made is a model in memory with the metadata of another one.
type made struct {
	tensor.Model
	meta tensor.Metadata
}

// Metadata returns what the model says about itself.
func (m made) Metadata() tensor.Metadata { return m.meta }

// frozen is the other seed's model with the base's embeddings and lower layers.
func frozen(z *zoo) report.Input {
	var out tensor.Tensors
	for _, t := range z.other.Model.Tensors() {
		if own, ok := z.base.Model.Tensor(t.Name); ok && lower(t.Name) {
			t = own
		}
		out = append(out, t)
	}
	return report.Input{Ref: "other-seed on a frozen base", Format: "made", Model: made{out, z.other.Model.Metadata()}, Tokens: z.other.Tokens}
}

// gains gives a model gains as large models have them, drawn anew: those of layer 0
// spread widely, those of the others lie around one.
func gains(in report.Input, seed uint64) report.Input {
	var out tensor.Tensors
	for i, t := range in.Model.Tensors() {
		if strings.HasSuffix(t.Name, norm) {
			r := rand.New(rand.NewPCG(seed, uint64(i)))
			drawn := make(tensor.Values, t.Len())
			for j := range drawn {
				if drawn[j] = float32(1 + 0.08*r.NormFloat64()); strings.Contains(t.Name, ".0.") {
					drawn[j] = float32(math.Exp(0.8 * r.NormFloat64()))
				}
			}
			t = &tensor.Tensor{Name: t.Name, DType: tensor.F32, Shape: t.Shape, Data: drawn}
		}
		out = append(out, t)
	}
	return report.Input{Ref: in.Ref + " with drawn gains", Format: "made", Model: made{out, in.Model.Metadata()}, Tokens: in.Tokens}
}

func baseGains(z *zoo) report.Input  { return gains(z.base, 1) }
func otherGains(z *zoo) report.Input { return gains(z.other, 2) }

// norm ends the names of the gains before MLPs.
const norm = ".post_attention_layernorm.weight"

// lower tells whether a tensor belongs to the embeddings or the first three layers.
func lower(name string) bool {
	for _, part := range []string{"embed_tokens", "layers.0.", "layers.1.", "layers.2."} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}

const (
	experts = 4
	noise   = 0.05 // of each value's own size
)

// upcycled replaces every MLP of the base by experts of two thirds of its width: units
// of the base in another order, with noise, and a router that was drawn anew.
func upcycled(z *zoo) report.Input {
	meta := tensor.Metadata{}
	for k, v := range z.base.Model.Metadata() {
		meta[k] = v
	}
	meta["config.model_type"], meta["config.num_local_experts"], meta["config.num_experts_per_tok"] = "mixtral", int64(experts), int64(2)
	var out tensor.Tensors
	r := rand.New(rand.NewPCG(21, 7))
	for _, t := range z.base.Model.Tensors() {
		if !strings.Contains(t.Name, ".mlp.") {
			out = append(out, t)
		}
	}
	for l := 0; ; l++ {
		at := fmt.Sprintf("model.layers.%d.", l)
		gate, ok := z.base.Model.Tensor(at + "mlp.gate_proj.weight")
		if !ok {
			break
		}
		up, _ := z.base.Model.Tensor(at + "mlp.up_proj.weight")
		down, _ := z.base.Model.Tensor(at + "mlp.down_proj.weight")
		width := int(gate.Rows())
		for e := range experts {
			units := r.Perm(width)[:2*width/3]
			to := fmt.Sprintf("%sblock_sparse_moe.experts.%d.", at, e)
			out = append(out, take(r, to+"w1.weight", gate, units, true), take(r, to+"w3.weight", up, units, true), take(r, to+"w2.weight", down, units, false))
		}
		router := make(tensor.Values, experts*int(gate.Cols()))
		for i := range router {
			router[i] = float32(0.02 * r.NormFloat64())
		}
		out = append(out, &tensor.Tensor{Name: at + "block_sparse_moe.gate.weight", DType: tensor.F32, Shape: []int64{experts, gate.Cols()}, Data: router})
	}
	return report.Input{Ref: "base upcycled to experts", Format: "made", Model: made{out, meta}, Tokens: z.base.Tokens}
}

// take copies rows or columns of a matrix, with noise.
func take(r *rand.Rand, name string, from *tensor.Tensor, units []int, rows bool) *tensor.Tensor {
	all := values(from)
	n, m := int(from.Rows()), int(from.Cols())
	shape := []int64{int64(len(units)), int64(m)}
	if !rows {
		shape = []int64{int64(n), int64(len(units))}
	}
	out := make(tensor.Values, 0, shape[0]*shape[1])
	for i := range int(shape[0]) {
		for j := range int(shape[1]) {
			x := i*m + units[min(j, len(units)-1)]
			if rows {
				x = units[i]*m + j
			}
			out = append(out, all[x]*float32(1+noise*r.NormFloat64()))
		}
	}
	return &tensor.Tensor{Name: name, DType: tensor.F32, Shape: shape, Data: out}
}

// values are those of a whole tensor; models of this example lie in memory or in a
// small file that was just opened.
func values(t *tensor.Tensor) []float32 {
	out := make([]float32, t.Len())
	if err := t.ReadRows(context.Background(), out, 0, t.Rows()); err != nil {
		panic(err)
	}
	return out
}
