package hostile

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const mostHeader = 100_000_000

func safetensorsInputs() []Input {
	header := func(text func() string) func(string) error {
		return func(dir string) error { return safetensors(dir, "model.safetensors", text(), 0) }
	}
	number := func(format string) func(int) string { return func(i int) string { return fmt.Sprintf(format, i) } }
	lenient := append(inspect[:len(inspect):len(inspect)], "--lenient")
	return []Input{
		{"safetensors/100 MB of one string", inspect, header(func() string { return `{"__metadata__":{"a":"` + repeated("x", mostHeader-30) + `"}}` })},
		{"safetensors/100 MB of escapes", inspect, header(func() string { return `{"__metadata__":{"a":"` + repeated(`\u0041`, mostHeader-30) + `"}}` })},
		{"safetensors/100 MB of small tensors", inspect, header(func() string { return entries(1_600_000, number("%07d")) })},
		{"safetensors/250,000 tensors of long names", inspect, header(func() string { return entries(250_000, number("%0200d")) })},
		{"safetensors/1,500 names of 64 KB", inspect, header(func() string { return entries(1500, number("%065000d")) })},
		{"safetensors/a name of 90 MB", inspect, header(func() string { return entries(1, number("%090000000d")) })},
		{"safetensors/three million pairs", inspect, header(func() string {
			var b strings.Builder
			for i := range 3_000_000 {
				fmt.Fprintf(&b, `,"%d":""`, i)
			}
			return `{"__metadata__":{` + b.String()[1:] + `}}`
		})},
		{"safetensors/100 MB of spaces", inspect, header(func() string { return "{}" + repeated(" ", mostHeader-2) })},
		{"safetensors/shapes of 64 dimensions", inspect, header(func() string {
			return strings.ReplaceAll(entries(400_000, number("%d")), "[0]", "["+strings.Repeat("0,", 63)+"0]")
		})},
		{"safetensors/fields nobody knows", lenient, header(func() string {
			return `{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]` + repeated(`,"x":1`, 10) + `,"y":[` + repeated("[],", 40_000_000) + `[]]}}`
		})},
		{"safetensors/a warning for each tensor", lenient, header(func() string {
			return strings.ReplaceAll(entries(250_000, number("%d")), `"dtype"`, `"extra":1,"dtype"`)
		})},
		{"safetensors/a length beyond the file", inspect, func(dir string) error {
			return create(dir, "model.safetensors").u64(99_999_999).text("{").hole(1 << 10).close()
		}},
		{"safetensors/an index of 31 MiB", inspect, func(dir string) error {
			var b strings.Builder
			for i := range 280_000 {
				fmt.Fprintf(&b, `,"model.layers.%d.mlp.experts.weight.of.some.length":"model-00001-of-00001.safetensors"`, i)
			}
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return err
			}
			text := `{"weight_map":{` + b.String()[1:] + `}}`
			if err := os.WriteFile(filepath.Join(dir, "model.safetensors.index.json"), []byte(text), 0o644); err != nil {
				return err
			}
			return safetensors(dir, "model-00001-of-00001.safetensors", entries(1, number("%d")), 0)
		}},
		{"safetensors/an index of one long string", inspect, func(dir string) error {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(dir, "model.safetensors.index.json"), []byte(`{"x":"`+repeated("y", 60<<20)+`"}`), 0o644)
		}},
	}
}

// experts are the tensors of a mixture with a trillion parameters, as large ones
// are published: 61 layers of 384 experts; each of them is made small.
func experts(width int) []spec {
	specs := []spec{{"model.embed_tokens.weight", 1024, width}}
	for l := range 61 {
		p := fmt.Sprintf("model.layers.%d.", l)
		for _, n := range []string{"q_proj", "k_proj", "v_proj", "o_proj"} {
			specs = append(specs, spec{p + "self_attn." + n + ".weight", width, width})
		}
		for e := range 384 {
			for _, n := range []string{"gate_proj", "up_proj", "down_proj"} {
				specs = append(specs, spec{fmt.Sprintf("%smlp.experts.%d.%s.weight", p, e, n), width, width})
			}
			for _, n := range []string{"gate_proj", "up_proj", "down_proj"} {
				if e < 370 {
					specs = append(specs, spec{fmt.Sprintf("%smlp.experts.%d.%s.weight_scale", p, e, n), 1, 0})
				}
			}
		}
		specs = append(specs, spec{p + "mlp.gate.weight", 384, width}, spec{p + "input_layernorm.weight", width, 0}, spec{p + "post_attention_layernorm.weight", width, 0})
	}
	return specs
}
