package packed_test

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/packed"
	"github.com/weightprint/weightprint/formats/tensor"
)

// Adapters of each kind that are in order, of a matrix a of 8 outputs and 6 inputs.
var (
	loraPieces = []piece{{"a.lora_A.weight", "F32", shaped(2, 6), nil}, {"a.lora_B.weight", "F32", shaped(8, 2), nil}}
	lohaPieces = []piece{{"a.hada_w1_a", "F32", shaped(8, 2), nil}, {"a.hada_w1_b", "F32", shaped(2, 6), nil}, {"a.hada_w2_a", "F32", shaped(8, 2), nil}, {"a.hada_w2_b", "F32", shaped(2, 6), nil}}
	lokrPieces = []piece{{"a.lokr_w1", "F32", shaped(2, 3), nil}, {"a.lokr_w2_a", "F32", shaped(4, 1), nil}, {"a.lokr_w2_b", "F32", shaped(1, 2), nil}}
	doraPieces = append(slices.Clone(loraPieces), piece{"a.lora_magnitude_vector", "F32", shaped(8), nil})
	mlxAdapted = []piece{{"a.lora_a", "F32", shaped(6, 2), nil}, {"a.lora_b", "F32", shaped(2, 8), nil}}
	embedded   = []piece{{"emb.lora_embedding_A", "F32", shaped(2, 8), nil}, {"emb.lora_embedding_B", "F32", shaped(6, 2), nil}}
	alphaPiece = piece{"a.alpha", "F32", shaped(), words(math.Float32bits(2), 1)}
)

// adapted applies an adapter to a matrix and a table, and reads every value.
func adapted(meta tensor.Metadata, all ...piece) error {
	m, err := packed.NewAdapter(pieces(piece{"a.weight", "F32", shaped(8, 6), nil}, piece{"emb.weight", "F32", shaped(8, 6), nil}), configured(meta, all...))
	if err != nil {
		return err
	}
	for _, t := range m.Tensors() {
		if err := t.Data.ReadValues(context.Background(), make([]float32, t.Len()), 0); err != nil {
			return err
		}
	}
	return nil
}

func ranked(more ...any) tensor.Metadata {
	m := tensor.Metadata{"adapter.peft_type": "LORA", "adapter.r": int64(2), "adapter.lora_alpha": int64(4)}
	for i := 0; i < len(more); i += 2 {
		m[more[i].(string)] = more[i+1]
	}
	return m
}

// Every fault of an adapter is a typed error that names the module or the key and the rule.
func TestAdapterBreaches(t *testing.T) {
	for _, ok := range [][]piece{loraPieces, lohaPieces, lokrPieces, doraPieces, mlxAdapted, embedded, with(loraPieces, alphaPiece)} {
		require.NoError(t, adapted(ranked(), ok...), ok[0].name)
	}
	for _, c := range []struct {
		name        string
		meta        tensor.Metadata
		all         []piece
		class       error
		field, rule string
	}{
		{"no B", ranked(), with(loraPieces, piece{name: "a.lora_B.weight"}), tensor.ErrFormat, "module a", "it has A and no B"},
		{"no A", ranked(), with(loraPieces, piece{name: "a.lora_A.weight"}), tensor.ErrFormat, "module a", "it has B and no A"},
		{"two ranks", ranked(), with(loraPieces, piece{"a.lora_A.weight", "F32", shaped(3, 6), nil}), tensor.ErrFormat, "module a", "no rank in common"},
		{"rank 0", ranked(), with(with(loraPieces, piece{"a.lora_A.weight", "F32", shaped(0, 6), nil}), piece{"a.lora_B.weight", "F32", shaped(8, 0), nil}), tensor.ErrFormat, "module a", "no rank in common"},
		{"a factor of one dimension", ranked(), with(loraPieces, piece{"a.lora_A.weight", "F32", shaped(2), nil}), tensor.ErrFormat, "module a", "no rank in common"},
		{"a scalar for a factor", ranked(), with(loraPieces, piece{"a.lora_B.weight", "F32", shaped(), nil}), tensor.ErrFormat, "module a", "no rank in common"},
		{"inputs of another number", ranked(), with(loraPieces, piece{"a.lora_A.weight", "F32", shaped(2, 7), nil}), tensor.ErrFormat, "module a", "the base has shape [8 6], the adapter 8×7"},
		{"outputs of another number", ranked(), with(loraPieces, piece{"a.lora_B.weight", "F32", shaped(9, 2), nil}), tensor.ErrFormat, "module a", "the adapter 9×6"},
		{"turned round", ranked("adapter.fan_in_fan_out", true), loraPieces, tensor.ErrFormat, "module a", "the adapter 6×8"},
		{"two kinds at once", ranked(), append(slices.Clone(loraPieces), lohaPieces...), tensor.ErrFormat, "module a", "no change, or several"},
		{"alpha alone", ranked(), []piece{alphaPiece}, tensor.ErrFormat, "module a", "no change, or several"},
		{"an alpha of two numbers", ranked(), with(loraPieces, piece{"a.alpha", "F32", shaped(2), nil}), tensor.ErrFormat, "module a", "alpha has the shape [2]"},
		{"an alpha of no numbers", ranked(), with(loraPieces, piece{"a.alpha", "F32", shaped(0), nil}), tensor.ErrFormat, "module a", "alpha has the shape [0]"},
		{"an alpha that is no number", ranked(), with(loraPieces, piece{"a.alpha", "F32", shaped(), words(math.Float32bits(float32(math.NaN())), 1)}), tensor.ErrFormat, "module a", "no number to multiply by"},
		{"an infinite alpha", ranked(), with(loraPieces, piece{"a.alpha", "F32", shaped(), words(math.Float32bits(float32(math.Inf(1))), 1)}), tensor.ErrFormat, "module a", "no number to multiply by"},
		{"a text for alpha", ranked("adapter.lora_alpha", "4"), loraPieces, tensor.ErrFormat, "lora_alpha", "not declared as a number"},
		{"an endless alpha in the configuration", ranked("adapter.lora_alpha", math.Inf(1)), loraPieces, tensor.ErrFormat, "lora_alpha", "not declared as a number"},
		{"a pattern that does not close", ranked("adapter.alpha_pattern.a(", int64(1)), loraPieces, tensor.ErrUnsupported, "alpha_pattern.a(", "the pattern is not read"},
		{"lengths of other outputs", ranked(), with(doraPieces, piece{"a.lora_magnitude_vector", "F32", shaped(7), nil}), tensor.ErrUnsupported, "module a", "lengths of shape [7]"},
		{"lengths of the inputs", ranked(), with(doraPieces, piece{"a.lora_magnitude_vector", "F32", shaped(1, 8), nil}), tensor.ErrUnsupported, "module a", "lengths of shape [1 8]"},
		{"DoRA without lengths", ranked("adapter.use_dora", true), loraPieces, tensor.ErrFormat, "module a", "lengths of the rows"},
		{"lengths of nothing", ranked(), []piece{{"a.lora_magnitude_vector", "F32", shaped(8), nil}}, tensor.ErrFormat, "module a", "no change, or several"},
		{"half of LoHa", ranked(), lohaPieces[:2], tensor.ErrFormat, "module a", "one of the two products of LoHa"},
		{"three quarters of LoHa", ranked(), lohaPieces[:3], tensor.ErrFormat, "module a", "it has hada_w2_a and no hada_w2_b"},
		{"products of LoHa of two sizes", ranked(), with(lohaPieces, piece{"a.hada_w2_b", "F32", shaped(2, 5), nil}), tensor.ErrFormat, "module a", "the two products of LoHa have shapes 8×6 and 8×5"},
		{"half of LoKr", ranked(), lokrPieces[:1], tensor.ErrFormat, "module a", "one of the two factors of LoKr"},
		{"LoKr of another size", ranked(), with(lokrPieces, piece{"a.lokr_w1", "F32", shaped(3, 3), nil}), tensor.ErrFormat, "module a", "the adapter 12×6"},
		{"LoKr without a factor's values", ranked(), with(lokrPieces, piece{"a.lokr_w1", "F32", shaped(0, 3), nil}), tensor.ErrFormat, "module a", "lokr_w1 has the shape [0 3]"},
		{"LoKr of whole factors without a rank", tensor.Metadata{"adapter.peft_type": "LOKR", "adapter.alpha": int64(4)}, []piece{lokrPieces[0], {"a.lokr_w2", "F32", shaped(4, 2), nil}}, tensor.ErrFormat, "r", "not declared"},
		{"LoKr's third tensor", ranked(), append(slices.Clone(lokrPieces), piece{"a.lokr_t2", "F32", shaped(1, 1, 3, 3), nil}), tensor.ErrUnsupported, "a.lokr_t2", "not read"},
		{"a bias beside the change", ranked("adapter.lora_bias", true), loraPieces, tensor.ErrUnsupported, "lora_bias", "this variant"},
		{"a kind that nobody knows", ranked("adapter.peft_type", "X\x1b[2J"), loraPieces, tensor.ErrUnsupported, "peft_type", "not read"},
		{"a part twice, under two conventions", ranked(), append(slices.Clone(loraPieces), piece{"a.lora_down.weight", "F32", shaped(2, 6), nil}), tensor.ErrFormat, "module a", "two tensors are its A"},
		{"a module twice, under two prefixes", ranked(), append(slices.Clone(loraPieces), piece{"base_model.model.a.lora_A.weight", "F32", shaped(2, 6), nil}), tensor.ErrFormat, "module a", "two tensors are its A"},
		{"a module changed under two names", ranked(), append(slices.Clone(loraPieces), piece{"lora_unet_a.lora_down.weight", "F32", shaped(2, 6), nil}, piece{"lora_unet_a.lora_up.weight", "F32", shaped(8, 2), nil}), tensor.ErrFormat, "module lora_unet_a", "changed twice"},
		{"a module changed and replaced", ranked(), append(slices.Clone(loraPieces), piece{"base_model.model.a.weight", "F32", shaped(8, 6), nil}), tensor.ErrFormat, "module a", "changed twice"},
		{"a module that is not there", ranked(), []piece{{"b.lora_A.weight", "F32", shaped(2, 6), nil}, {"b.lora_B.weight", "F32", shaped(8, 2), nil}}, tensor.ErrFormat, "module b", "no such matrix"},
		{"an embedding's B missing", ranked(), embedded[:1], tensor.ErrFormat, "module emb", "it has embedding A and no embedding B"},
		{"an embedding the wrong way round", ranked(), []piece{{"emb.lora_embedding_A", "F32", shaped(2, 6), nil}, {"emb.lora_embedding_B", "F32", shaped(8, 2), nil}}, tensor.ErrFormat, "module emb", "the adapter 6×8"},
		{"MLX's factors the wrong way round", ranked(), []piece{{"a.lora_a", "F32", shaped(2, 6), nil}, {"a.lora_b", "F32", shaped(8, 2), nil}}, tensor.ErrFormat, "module a", "no rank in common"},
		{"a difference of nothing", ranked(), []piece{{"a.diff", "F32", shaped(0, 6), nil}}, tensor.ErrFormat, "module a", "difference has the shape [0 6]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := adapted(c.meta, c.all...)
			require.ErrorIs(t, err, c.class)
			var fe *tensor.FormatError
			require.ErrorAs(t, err, &fe)
			require.Contains(t, fe.Field, c.field)
			require.Contains(t, fe.Rule, c.rule)
		})
	}
}
