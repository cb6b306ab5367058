package roles_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/roles"
)

// moonshine is one layer of each tower, with two heads of 36 rows, in the decoder one of keys.
func moonshine() string {
	var b strings.Builder
	attention := func(tower, name string, keys int) {
		fmt.Fprintf(&b, "model.%s.layers.0.%s.q_proj.weight 72 72\nmodel.%[1]s.layers.0.%[2]s.k_proj.weight %[3]d 72\nmodel.%[1]s.layers.0.%[2]s.v_proj.weight %[3]d 72\nmodel.%[1]s.layers.0.%[2]s.o_proj.weight 72 72\n", tower, name, keys)
	}
	attention("encoder", "self_attn", 72)
	attention("decoder", "self_attn", 36)
	attention("decoder", "encoder_attn", 36)
	b.WriteString("model.encoder.layers.0.mlp.fc1.weight 96 72\nmodel.encoder.layers.0.mlp.fc2.weight 72 96\nmodel.decoder.layers.0.mlp.fc1.weight 192 72\nmodel.decoder.layers.0.mlp.fc2.weight 72 96\n")
	return b.String()
}

// Moonshine's decoder opens the first half of fc1 with the second, and turns nine tenths of
// each head where its configuration does not say how many.
func TestMoonshine(t *testing.T) {
	n := roles.Map(parse("config.model_type=moonshine\nconfig.encoder_num_attention_heads=2\nconfig.encoder_num_key_value_heads=2\nconfig.decoder_num_attention_heads=2\nconfig.decoder_num_key_value_heads=1\n" + moonshine()))
	require.Equal(t, "moonshine", n.Family)
	encoder, decoder := n.Tower("encoder"), n.Tower("decoder")
	require.Equal(t, []int{2, 2, 36, 32}, []int{encoder.Heads, encoder.KVHeads, encoder.HeadDim, encoder.RotaryDim})
	require.Equal(t, []int{2, 1, 36, 32}, []int{decoder.Heads, decoder.KVHeads, decoder.HeadDim, decoder.RotaryDim})
	require.Nil(t, encoder.Layers[0].Experts[0].Gate)
	mlp := decoder.Layers[0].Experts[0]
	up, _ := mlp.Up.Place(0)
	gate, _ := mlp.Gate.Place(0)
	require.Equal(t, []int64{0, 96 * 72}, []int64{up, gate})
	decoder = roles.Map(parse(moonshine())).Tower("decoder")
	require.Equal(t, roles.Interleaved, decoder.Rotary, "by its names")
	require.False(t, decoder.RMSNorm)
}
