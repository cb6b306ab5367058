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
	flux := counted("double_blocks.0.img_attn.qkv.weight", 6, 2)
	sd3 := counted("joint_blocks.0.context_block.attn.qkv.weight", 6, 2)
	unet := counted("input_blocks.0.0.weight", 2, 2, 3, 3)
	vae := counted("decoder.up.0.block.0.conv1.weight", 2, 2, 3, 3)
	clip := counted("cond_stage_model.transformer.text_model.embeddings.token_embedding.weight", 3, 2)
	open := counted("conditioner.embedders.1.model.token_embedding.weight", 3, 2)
	const block = "conditioner.embedders.1.model.transformer.resblocks.0."
	for name, c := range map[string]struct {
		component string
		m         model
		kind      error
		rule      string
	}{
		"no such component":         {"vae", model{flux}, tensor.ErrNotModel, "it holds transformer"},
		"no component at all":       {"unet", model{counted("a.weight", 2, 2)}, tensor.ErrNotModel, "no component that is known"},
		"a component without name":  {"", model{flux}, tensor.ErrNotModel, `""`},
		"a name of control letters": {"unet\x1b[2J", model{flux}, tensor.ErrNotModel, `\x1b[2J`},
		"thirds of seven":           {"transformer", model{counted(flux.Name, 7, 2)}, tensor.ErrFormat, "the shape [7 2] cannot be cut"},
		"thirds of a scalar":        {"transformer", model{counted(flux.Name)}, tensor.ErrFormat, "the shape [] cannot be cut"},
		"thirds of a text's seven":  {"transformer", model{flux, counted("double_blocks.0.txt_attn.qkv.bias", 7)}, tensor.ErrFormat, "the shape [7] cannot be cut"},
		"halves of three":           {"transformer", model{flux, counted("final_layer.adaLN_modulation.1.weight", 3, 2)}, tensor.ErrFormat, "the shape [3 2] cannot be cut"},
		"halves of a scalar":        {"transformer", model{flux, counted("final_layer.adaLN_modulation.1.bias")}, tensor.ErrFormat, "the shape [] cannot be cut"},
		"linear1 too short":         {"transformer", model{flux, counted("single_blocks.0.linear1.weight", 6, 2)}, tensor.ErrFormat, "the shape [6 2] cannot be cut"},
		"linear1 without columns":   {"transformer", model{flux, counted("single_blocks.0.linear1.weight", 6, 0)}, tensor.ErrFormat, "the shape [6 0] cannot be cut"},
		"linear1's bias alone":      {"transformer", model{flux, counted("single_blocks.0.linear1.bias", 6)}, tensor.ErrFormat, "the shape [6] cannot be cut"},
		"linear1 of one axis":       {"transformer", model{flux, counted("single_blocks.0.linear1.weight", 6)}, tensor.ErrFormat, "the shape [6] cannot be cut"},
		"linear1's bias too short":  {"transformer", model{flux, counted("single_blocks.0.linear1.weight", 7, 2), counted("single_blocks.0.linear1.bias", 6)}, tensor.ErrFormat, "the shape [6] cannot be cut"},
		"two of one name":           {"transformer", model{flux, counted("txt_in.weight", 2, 2), counted("context_embedder.weight", 2, 2)}, tensor.ErrFormat, `two tensors stand for "context_embedder.weight"`},
		"a norm in two spellings":   {"transformer", model{flux, counted("single_blocks.0.norm.query_norm.scale", 2), counted("single_blocks.0.norm.query_norm.weight", 2)}, tensor.ErrFormat, "attn.norm_q.weight"},
		"a third beside the cut":    {"transformer", model{flux, counted("transformer_blocks.0.attn.to_k.weight", 2, 2)}, tensor.ErrFormat, "attn.to_k.weight"},
		"SD 3: thirds of eight":     {"transformer", model{counted(sd3.Name, 8, 2)}, tensor.ErrFormat, "the shape [8 2] cannot be cut"},
		"SD 3: a second attention":  {"transformer", model{sd3, counted("joint_blocks.0.x_block.attn2.qkv.weight", 8, 2)}, tensor.ErrFormat, "the shape [8 2] cannot be cut"},
		"SD 3: halves of five":      {"transformer", model{sd3, counted("final_layer.adaLN_modulation.1.bias", 5)}, tensor.ErrFormat, "the shape [5] cannot be cut"},
		"SD 3: positions twice":     {"transformer", model{sd3, counted("pos_embed", 4, 2), counted("pos_embed.pos_embed", 4, 2)}, tensor.ErrFormat, "pos_embed.pos_embed"},
		"open_clip: thirds of four": {"text_encoder_2", model{open, counted(block+"attn.in_proj_weight", 4, 2)}, tensor.ErrFormat, "the shape [4 2] cannot be cut"},
		"open_clip: a vector":       {"text_encoder_2", model{open, counted("conditioner.embedders.1.model.text_projection", 4)}, tensor.ErrFormat, "the shape [4] cannot be cut"},
		"open_clip: a cube":         {"text_encoder_2", model{open, counted("conditioner.embedders.1.model.text_projection", 2, 2, 2)}, tensor.ErrFormat, "the shape [2 2 2] cannot be cut"},
		"open_clip: both spellings": {"text_encoder_2", model{open, counted("conditioner.embedders.1.model.ln_final.weight", 2), counted("conditioner.embedders.1.ln_final.weight", 2)}, tensor.ErrFormat, "final_layer_norm.weight"},
		"CLIP under two names":      {"text_encoder", model{clip, counted("cond_stage_model.text_model.embeddings.token_embedding.weight", 3, 2)}, tensor.ErrFormat, "token_embedding.weight"},
		"a U-Net's block twice":     {"unet", model{unet, counted("conv_in.weight", 2, 2, 3, 3)}, tensor.ErrFormat, "conv_in.weight"},
		"a U-Net's middle twice":    {"unet", model{unet, counted("middle_block.1.norm.weight", 2), counted("mid_block.attentions.0.norm.weight", 2)}, tensor.ErrFormat, "mid_block.attentions.0.norm.weight"},
		"an autoencoder's twice":    {"vae", model{vae, counted("decoder.norm_out.weight", 2), counted("decoder.conv_norm_out.weight", 2)}, tensor.ErrFormat, "decoder.conv_norm_out.weight"},
	} {
		_, err := pipeline.Select(c.m, c.component, "file")
		require.ErrorIs(t, err, c.kind, name)
		var fe *tensor.FormatError
		require.ErrorAs(t, err, &fe, name)
		require.Equal(t, "file", fe.File, name)
		require.NotEmpty(t, fe.Field, name)
		require.ErrorContains(t, err, c.rule, name)
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
