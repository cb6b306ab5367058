package roles_test

import (
	"fmt"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/zoo"
)

// The fused matrix of a GPT-NeoX layer holds query, key and value head by head;
// its roles are those of any other network.
func ExampleMap() {
	m := zoo.New() // in practice formats.Open
	m.Meta["config.model_type"] = "gpt_neox"
	m.Meta["config.num_attention_heads"] = int64(2)
	m.Add("gpt_neox.layers.0.attention.query_key_value.weight", make([]float32, 12*4), 12, 4)
	m.Add("gpt_neox.layers.0.mlp.dense_h_to_4h.weight", make([]float32, 16*4), 16, 4)
	for _, x := range roles.Map(m).Matrices() {
		fmt.Printf("%s %d×%d\n", x.Role, x.Rows, x.Cols)
	}
	// Output:
	// layers.0.attn.q 4×4
	// layers.0.attn.k 4×4
	// layers.0.attn.v 4×4
	// layers.0.mlp.up 16×4
}
