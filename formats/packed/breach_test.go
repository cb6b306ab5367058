package packed_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
)

// list is a configured list of numbers.
func list(v ...float64) *tensor.List {
	return &tensor.List{Len: len(v), Floats: func() ([]float64, error) { return v, nil }}
}

// Modules of the layouts with codebooks that are in order.
var (
	aqlmPieces = []piece{{"a.codes", "I8", shaped(6, 4, 2), nil}, {"a.codebooks", "F16", shaped(2, 64, 1, 8), nil}, {"a.scales", "F16", shaped(6, 1, 1, 1), nil}}
	vptqPieces = []piece{{"a.indices", "I32", shaped(1, 3, 4), nil}, {"a.centroids.weight", "F16", shaped(1, 16*8), nil}, {"a.res_centroids.weight", "F16", shaped(1, 16*8), nil},
		{"a.perm", "I16", shaped(15), u32s(0x10000, 0x30002, 0x50004, 0x70006, 0x90008, 0xb000a, 0xd000c, 14)[:30]}, {"a.weight_scale", "F16", shaped(15), nil}, {"a.weight_bias", "F16", shaped(15), nil}}
	vptqConfig = configOf("vptq", map[string]any{"out_features": int64(20), "in_features": int64(15), "group_num": int64(1), "group_size": int64(15), "outlier_size": int64(0),
		"vector_lens": list(-1, 8), "num_centroids": list(-1, 16), "num_res_centroids": list(-1, 16), "is_indice_packed": true})
)

// configOf declares a method, and fields of the module a.
func configOf(method string, fields map[string]any) tensor.Metadata {
	m := tensor.Metadata{"config.quantization_config.quant_method": method}
	for k, v := range fields {
		m["config.quantization_config.config_for_layers.a."+k] = v
	}
	return m
}

// broken gives all ways to break one part: it is missing, of another type, longer, shorter,
// of more or fewer dimensions.
func broken(p piece) map[string]piece {
	out := map[string]piece{"missing": {name: p.name}}
	for _, t := range []string{"U8", "I8", "I32", "U32", "I64", "F16", "F32", "BF16", "F8_E4M3"} {
		if t != p.dtype {
			out["of type "+t] = piece{p.name, t, p.shape, nil}
		}
	}
	for i, n := range p.shape {
		for _, m := range []int64{0, n - 1, n + 1, n + 7, 3 * n, 1 << 14} {
			s := slices.Clone(p.shape)
			if s[i] = m; m != n && m >= 0 {
				if all, _ := tensor.Elements(s); all <= 1<<18 {
					out[fmt.Sprintf("of shape %v", s)] = piece{p.name, p.dtype, s, nil}
				}
			}
		}
	}
	out["of a dimension more"] = piece{p.name, p.dtype, append(slices.Clone(p.shape), 2), nil}
	if len(p.shape) > 1 {
		n, _ := tensor.Elements(p.shape)
		out["of one dimension"] = piece{p.name, p.dtype, shaped(n), p.data}
	}
	return out
}

// Of every layout each part is broken in every way. What is not refused is read without
// fault, and at least twenty files of each layout are refused by a typed error that names one of
// its tensors.
func TestEveryPartBroken(t *testing.T) {
	bitnet := tensor.Metadata{"config.quantization_config.quant_method": "bitnet"}
	for name, l := range map[string]struct {
		all  []piece
		meta tensor.Metadata
	}{
		"GPTQ": {gptqPieces, nil}, "AWQ": {awqPieces, nil}, "Marlin": {marlinPieces, nil}, "NF4": {bnbPieces, nil}, "LLM.int8": {int8Pieces, nil},
		"compressed-tensors": {ctPieces, nil}, "NVFP4": {nvfp4Pieces, nil}, "ModelOpt": {modelOptPieces, nil}, "FP8": {fp8Pieces, nil}, "MXFP4": {mxfp4Pieces, nil},
		"MLX": {mlxPieces, nil}, "HQQ": {hqqPieces, nil}, "torchao": {torchaoPieces, nil}, "quanto": {quantoPieces, nil}, "quanto by row": {quantoRowPieces, nil},
		"BitNet": {bitnetPieces, bitnet}, "AQLM": {aqlmPieces, nil}, "VPTQ": {vptqPieces, vptqConfig},
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, read(configured(l.meta, l.all...)))
			refused := 0
			for _, p := range l.all {
				for how, q := range broken(p) {
					err := read(configured(l.meta, with(l.all, q)...))
					if err == nil {
						continue
					}
					var fe *tensor.FormatError
					require.ErrorAs(t, err, &fe, "%s %s", p.name, how)
					require.NotEmpty(t, fe.Field, "%s %s", p.name, how)
					refused++
				}
			}
			require.GreaterOrEqual(t, refused, 20)
			t.Log(refused, "refused")
		})
	}
}

// Codes and places that do not exist are refused where they are read, and declared shapes that
// the tensors contradict before.
func TestCodebooksHostile(t *testing.T) {
	for name, c := range map[string]struct {
		all  []piece
		meta map[string]any
		rule string
	}{
		"a code of seven bits for 64 entries": {with(aqlmPieces, piece{"a.codes", "I8", shaped(6, 4, 2), append(make([]byte, 47), 32)}), nil, "code 32 for a codebook of 64"},
		"a code below the least":              {with(aqlmPieces, piece{"a.codes", "I8", shaped(6, 4, 2), append(make([]byte, 47), 0xdf)}), nil, "code -33"},
		"a codebook of 48 entries":            {with(aqlmPieces, piece{"a.codebooks", "F16", shaped(2, 48, 1, 8), nil}), nil, "48 entries"},
		"codes of 8 bits for 512 entries":     {with(aqlmPieces, piece{"a.codebooks", "F16", shaped(2, 512, 1, 8), nil}), nil, "512 entries"},
		"a codebook of millions":              {with(aqlmPieces, piece{"a.codebooks", "F16", shaped(2, 1<<14, 16, 16), nil}), nil, "at most 4194304"},
		"a place twice":                       {with(vptqPieces, piece{"a.perm", "I16", shaped(15), nil}), nil, "is taken"},
		"a place beyond the inputs":           {with(vptqPieces, piece{"a.perm", "I16", shaped(15), append(u32s(0x1000f), make([]byte, 26)...)}), nil, "place 15"},
		"places of 64 bits":                   {with(vptqPieces, piece{"a.perm", "I64", shaped(15), nil}), nil, "type I64"},
		"a shift without scale":               {with(vptqPieces, piece{name: "a.weight_scale"}), nil, "missing"},
		"no configuration":                    {vptqPieces, map[string]any{"out_features": nil}, "no out_features"},
		"a group of nothing":                  {vptqPieces, map[string]any{"group_size": int64(0)}, "no group_size"},
		"outliers beyond the inputs":          {vptqPieces, map[string]any{"outlier_size": int64(16)}, "outliers"},
		"outliers below none":                 {vptqPieces, map[string]any{"outlier_size": int64(-1), "in_features": int64(14)}, "-1 outliers"},
		"outliers without vectors":            {with(vptqPieces, piece{"a.indices", "I32", shaped(1, 3, 3), nil}), map[string]any{"outlier_size": int64(5), "group_size": int64(10)}, "outliers of vectors of -1"},
		"millions of inputs":                  {vptqPieces, map[string]any{"in_features": int64(1 << 24), "group_size": int64(1 << 24)}, "inputs"},
		"vectors of no length":                {vptqPieces, map[string]any{"vector_lens": list(-1, -1)}, "no lengths of vectors"},
		"vectors of a thousand millions":      {vptqPieces, map[string]any{"vector_lens": list(-1, 1e9)}, "no lengths of vectors"},
		"vectors of infinite length":          {vptqPieces, map[string]any{"vector_lens": list(-1, math.Inf(1))}, "no lengths of vectors"},
		"one centroid":                        {vptqPieces, map[string]any{"num_centroids": list(-1, 1)}, "no lengths of vectors"},
		"more centroids":                      {vptqPieces, map[string]any{"num_centroids": list(-1, 17)}, "ask for"},
		"residuals without number":            {vptqPieces, map[string]any{"num_res_centroids": list(-1, 1<<20)}, "residuals"},
		"codes that are not packed":           {with(vptqPieces, piece{"a.indices", "I16", shaped(1, 3, 15), nil}), map[string]any{"is_indice_packed": false}, "not packed"},
		"a code that is no centroid": {with(with(vptqPieces, piece{"a.indices", "I32", shaped(1, 3, 4), slices.Repeat([]byte{0xff}, 48)}), piece{"a.centroids.weight", "F16", shaped(1, 15*8), nil}),
			map[string]any{"num_centroids": list(-1, 15)}, "none of the centroids"},
	} {
		meta := tensor.Metadata{}
		for k, v := range vptqConfig {
			meta[k] = v
		}
		for k, v := range c.meta {
			meta["config.quantization_config.config_for_layers.a."+k] = v
		}
		if c.all[0].name == "a.codes" {
			meta = tensor.Metadata{}
		}
		var fe *tensor.FormatError
		err := read(configured(meta, c.all...))
		require.ErrorAs(t, err, &fe, name)
		require.ErrorContains(t, err, c.rule, name)
	}
}
