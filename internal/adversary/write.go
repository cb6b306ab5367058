package adversary

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
)

// Write makes a folder of the network: model.safetensors in float32, config.json and
// tokenizer.json.
func (d *Decoder) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	header, data := map[string]any{}, []byte{}
	for _, t := range d.Model().Tensors() {
		v := make([]float32, t.Len())
		if err := t.Data.ReadValues(context.Background(), v, 0); err != nil {
			return err
		}
		first := len(data)
		for _, x := range v {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(x))
		}
		header[t.Name] = map[string]any{"dtype": "F32", "shape": t.Shape, "data_offsets": []int{first, len(data)}}
	}
	head, err := json.Marshal(header)
	if err != nil {
		return err
	}
	for len(head)%8 != 0 {
		head = append(head, ' ')
	}
	file := append(binary.LittleEndian.AppendUint64(nil, uint64(len(head))), head...)
	if err := os.WriteFile(filepath.Join(dir, "model.safetensors"), append(file, data...), 0o644); err != nil {
		return err
	}
	if err := writeJSON(filepath.Join(dir, "config.json"), d.config()); err != nil || len(d.Tokens) == 0 {
		return err
	}
	vocab := map[string]int{}
	for t, s := range d.Tokens {
		vocab[s] = t
	}
	return writeJSON(filepath.Join(dir, "tokenizer.json"), map[string]any{"version": "1.0", "model": map[string]any{"type": "BPE", "vocab": vocab, "merges": []string{}}})
}

func (d *Decoder) config() map[string]any {
	return map[string]any{
		"architectures": []string{"LlamaForCausalLM"}, "model_type": "llama", "hidden_act": "silu",
		"num_attention_heads": d.Heads, "num_key_value_heads": d.KV, "head_dim": d.Dim, "hidden_size": d.Hidden(),
		"num_hidden_layers": len(d.Blocks) - d.Beyond, "intermediate_size": d.Blocks[0].Gate.R, "vocab_size": d.Vocab(),
		"rope_theta": d.Theta, "rms_norm_eps": d.Eps, "tie_word_embeddings": d.Head == nil, "torch_dtype": "float32",
	}
}

func writeJSON(path string, v any) error {
	raw, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(raw, '\n'), 0o644)
}
