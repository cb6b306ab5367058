package zoo

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// Spec is one tensor of a synthetic checkpoint.
type Spec struct {
	Name  string
	Shape []int64
}

// TinyLlama lists the tensors of the 1.1 B-parameter model of that name.
func TinyLlama() []Spec {
	const hidden, width, kv, vocab = 2048, 5632, 256, 32000
	specs := []Spec{{"lm_head.weight", []int64{vocab, hidden}}, {"model.embed_tokens.weight", []int64{vocab, hidden}}}
	for l := range 22 {
		p := fmt.Sprintf("model.layers.%d.", l)
		specs = append(specs,
			Spec{p + "input_layernorm.weight", []int64{hidden}},
			Spec{p + "mlp.down_proj.weight", []int64{hidden, width}},
			Spec{p + "mlp.gate_proj.weight", []int64{width, hidden}},
			Spec{p + "mlp.up_proj.weight", []int64{width, hidden}},
			Spec{p + "post_attention_layernorm.weight", []int64{hidden}},
			Spec{p + "self_attn.k_proj.weight", []int64{kv, hidden}},
			Spec{p + "self_attn.o_proj.weight", []int64{hidden, hidden}},
			Spec{p + "self_attn.q_proj.weight", []int64{hidden, hidden}},
			Spec{p + "self_attn.v_proj.weight", []int64{kv, hidden}})
	}
	return append(specs, Spec{"model.norm.weight", []int64{hidden}})
}

// TinyLlamaConfig is the config.json that goes with it.
const TinyLlamaConfig = `{"architectures":["LlamaForCausalLM"],"model_type":"llama","hidden_size":2048,"intermediate_size":5632,"num_hidden_layers":22,"num_attention_heads":32,"num_key_value_heads":4,"vocab_size":32000,"tie_word_embeddings":false,"rms_norm_eps":1e-5,"rope_theta":10000.0,"torch_dtype":"bfloat16"}`

// WriteBF16 writes a folder with a bf16 safetensors file of Gaussian values
// drawn from seed, and its config. With noise > 0 the values are those of
// seed plus noise of that relative size drawn from noiseSeed: a child.
func WriteBF16(dir string, specs []Spec, config string, seed, noiseSeed uint64, noise float64) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(config), 0o644); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(dir, "model.safetensors"))
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	if err := writeHeader(w, specs); err != nil {
		return err
	}
	for i, s := range specs {
		base := rand.New(rand.NewPCG(seed, uint64(i)))
		extra := rand.New(rand.NewPCG(noiseSeed, uint64(i)))
		if err := writeTensor(w, s, base, extra, noise); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// writeHeader writes length and header.
func writeHeader(w io.Writer, specs []Spec) error {
	head, err := Header(specs)
	if err != nil {
		return err
	}
	_, err = w.Write(head)
	return err
}

// Header is the beginning of a safetensors file of bf16 tensors that lie one behind the
// other: the length and the header, padded to a multiple of 8.
func Header(specs []Spec) ([]byte, error) {
	entries := map[string]any{}
	at := int64(0)
	for _, s := range specs {
		end := at + 2*count(s.Shape)
		entries[s.Name] = map[string]any{"dtype": "BF16", "shape": s.Shape, "data_offsets": []int64{at, end}}
		at = end
	}
	b, err := json.Marshal(entries)
	if err != nil {
		return nil, err
	}
	for len(b)%8 != 0 {
		b = append(b, ' ')
	}
	return append(binary.LittleEndian.AppendUint64(nil, uint64(len(b))), b...), nil
}

func count(shape []int64) int64 {
	n := int64(1)
	for _, d := range shape {
		n *= d
	}
	return n
}

// writeTensor writes matrices as Gaussian values, vectors as gains near 1.
func writeTensor(w io.Writer, s Spec, base, extra *rand.Rand, noise float64) error {
	mean, sd := 0.0, 0.02
	if len(s.Shape) == 1 {
		mean, sd = 1, 0.1
	}
	buf := make([]byte, 0, 1<<16)
	for n := count(s.Shape); n > 0; n-- {
		v := mean + sd*base.NormFloat64()
		if noise > 0 {
			v += noise * sd * extra.NormFloat64()
		}
		bits := math.Float32bits(float32(v))
		buf = binary.LittleEndian.AppendUint16(buf, uint16((bits+0x7fff+bits>>16&1)>>16))
		if len(buf) == cap(buf) || n == 1 {
			if _, err := w.Write(buf); err != nil {
				return err
			}
			buf = buf[:0]
		}
	}
	return nil
}
