package pipeline_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/formats/pipeline"
	"github.com/weightprint/weightprint/formats/tensor"
)

// TestAsDiffusers holds names, shapes and values against diffusers' conversion.
func TestAsDiffusers(t *testing.T) {
	raw, err := os.ReadFile("testdata/components.json")
	require.NoError(t, err)
	var expected map[string]map[string]map[string]string
	require.NoError(t, json.Unmarshal(raw, &expected))
	require.Len(t, expected, 5)
	for file, components := range expected {
		c, err := formats.Open(context.Background(), "testdata/"+file+".safetensors", nil)
		require.NoError(t, err)
		defer c.Close()
		names := pipeline.Components(c)
		slices.Sort(names)
		for component, tensors := range components {
			require.Contains(t, names, component, file)
			got, err := pipeline.Select(c, component, file)
			require.NoError(t, err, file+" "+component)
			have := map[string]string{}
			for _, x := range got {
				have[x.Name] = described(t, x)
			}
			for name, want := range tensors {
				require.Equal(t, want, have[name], "%s %s %s", file, component, name)
			}
			require.Len(t, have, len(tensors), "%s %s", file, component)
		}
		require.Len(t, names, len(components), file)
	}
}

// described is the shape and the beginning of the digest of the values, read in
// parts that begin and end anywhere.
func described(t *testing.T, x *tensor.Tensor) string {
	h := sha256.New()
	for values, err := range x.Chunks(context.Background(), make([]float32, 7)) {
		require.NoError(t, err)
		for _, v := range values {
			h.Write(binary.LittleEndian.AppendUint32(nil, math.Float32bits(v)))
		}
	}
	return fmt.Sprintf("%s %s", strings.ReplaceAll(fmt.Sprint(x.Shape), " ", ", "), hex.EncodeToString(h.Sum(nil))[:16])
}

// model is a model of given tensors.
type model []*tensor.Tensor

func (m model) Tensors() []*tensor.Tensor { return m }
func (m model) Metadata() tensor.Metadata { return tensor.Metadata{} }
func (m model) Tensor(name string) (*tensor.Tensor, bool) {
	for _, t := range m {
		if t.Name == name {
			return t, true
		}
	}
	return nil, false
}

// counting gives its values' numbers.
type counting int64

func (n counting) StoredBytes() int64 { return 4 * int64(n) }
func (n counting) ReadValues(_ context.Context, dst []float32, first int64) error {
	for i := range dst {
		dst[i] = float32(first + int64(i))
	}
	return nil
}

func counted(name string, shape ...int64) *tensor.Tensor {
	n, _ := tensor.Elements(shape)
	return &tensor.Tensor{Name: name, DType: tensor.F32, Shape: shape, Data: counting(n)}
}

// TestViewsOfUnstoredTensors reads pieces of tensors that do not lie in a file as
// they are, such as packed ones.
func TestViewsOfUnstoredTensors(t *testing.T) {
	m := model{counted("double_blocks.0.img_attn.qkv.weight", 6, 2), counted("final_layer.adaLN_modulation.1.weight", 4, 2)}
	got, err := pipeline.Select(m, "transformer", "file")
	require.NoError(t, err)
	want := map[string][]float32{
		"transformer_blocks.0.attn.to_q.weight": {0, 1, 2, 3},
		"transformer_blocks.0.attn.to_k.weight": {4, 5, 6, 7},
		"transformer_blocks.0.attn.to_v.weight": {8, 9, 10, 11},
		"norm_out.linear.weight":                {4, 5, 6, 7, 0, 1, 2, 3},
	}
	require.Len(t, got, len(want))
	for _, x := range got {
		values := make([]float32, x.Len())
		require.NoError(t, x.Data.ReadValues(context.Background(), values, 0))
		require.Equal(t, want[x.Name], values, x.Name)
		require.EqualValues(t, 4*x.Len(), x.StoredBytes(), x.Name)
	}
}

// TestRefusedComponents refuses what cannot be cut or named without doubt.
func TestRefusedComponents(t *testing.T) {
	mark := counted("double_blocks.0.img_attn.qkv.weight", 6, 2)
	for name, c := range map[string]struct {
		m    model
		kind error
	}{
		"no such component":       {model{mark}, tensor.ErrNotModel},
		"thirds of seven":         {model{counted(mark.Name, 7, 2)}, tensor.ErrFormat},
		"thirds of a scalar":      {model{counted(mark.Name)}, tensor.ErrFormat},
		"halves of three":         {model{mark, counted("final_layer.adaLN_modulation.1.weight", 3, 2)}, tensor.ErrFormat},
		"linear1 too short":       {model{mark, counted("single_blocks.0.linear1.weight", 6, 2)}, tensor.ErrFormat},
		"linear1 without columns": {model{mark, counted("single_blocks.0.linear1.weight", 6, 0)}, tensor.ErrFormat},
		"linear1's bias alone":    {model{mark, counted("single_blocks.0.linear1.bias", 6)}, tensor.ErrFormat},
		"linear1 of one axis":     {model{mark, counted("single_blocks.0.linear1.weight", 6)}, tensor.ErrFormat},
		"two of one name":         {model{mark, counted("txt_in.weight", 2, 2), counted("context_embedder.weight", 2, 2)}, tensor.ErrFormat},
	} {
		component := "transformer"
		if name == "no such component" {
			component = "vae"
		}
		_, err := pipeline.Select(c.m, component, "file")
		require.ErrorIs(t, err, c.kind, name)
		require.ErrorContains(t, err, "file", name)
	}
}

func FuzzSelect(f *testing.F) {
	for _, s := range []string{"double_blocks.0.img_attn.qkv.weight 6 2\nsingle_blocks.0.linear1.weight 7 1", "decoder.up.0.block.0.conv1.weight 1 1\ndecoder.up.9.upsample.conv.bias 1",
		"model.diffusion_model.input_blocks.0.0.weight 2 2\nmodel.diffusion_model.output_blocks.3.1.conv.weight 2", "conditioner.embedders.1.model.token_embedding.weight 3 2\nconditioner.embedders.1.model.text_projection 2 3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var m model
		for line := range strings.Lines(text) {
			words := strings.Fields(line)
			if len(words) == 0 || len(words) > 5 {
				continue
			}
			var shape []int64
			for _, w := range words[1:] {
				var n int64
				fmt.Sscan(w, &n)
				shape = append(shape, n&15)
			}
			m = append(m, counted(words[0], shape...))
		}
		for _, component := range pipeline.Components(m) {
			made, err := pipeline.Select(m, component, "file")
			if err != nil {
				continue
			}
			for _, x := range made {
				values := make([]float32, x.Len())
				if err := x.Data.ReadValues(context.Background(), values, 0); err != nil {
					t.Fatal(x.Name, err)
				}
			}
		}
	})
}
