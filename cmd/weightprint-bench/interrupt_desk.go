//go:build unix

package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	mrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/weightprint/weightprint/internal/zoo"
)

// prepare makes the models and all that verbs read.
func (s *stopped) prepare(mib int) error {
	for seed, name := range []string{"a", "b"} {
		if err := largeModel(filepath.Join(s.models, name), mib, uint64(seed)); err != nil {
			return err
		}
	}
	for seed, name := range []string{"d", "e"} {
		if err := zoo.WriteBF16(filepath.Join(s.models, name), decoder(8), decoderConfig, uint64(seed), 0, 0); err != nil {
			return err
		}
	}
	if err := errors.Join(os.MkdirAll(s.desk, 0o755), keyPair(s.desk)); err != nil {
		return err
	}
	for _, line := range []string{
		"fingerprint %a -o @a.wfp", "fingerprint %b -o @b.wfp", "compare %a %b --json -o @r.json", "manifest %a -o @m.json",
		"commit %a -o @a.commit", "commit %b -o @b.commit", "challenge @a.commit @b.commit --beacon one -o @challenge",
		"respond %a --opening @a.commit.opening --challenge @challenge --beacon two -o @a.response", "respond %b --opening @b.commit.opening --challenge @challenge --beacon two -o @b.response",
		"index add --index @two.wpi @a.wfp @b.wfp",
		"dispute init @case --question q --beacon x --a A=@pub.pem --b B=@pub.pem --runner R=@pub.pem --key @key.pem",
		"dispute init @opened --question q --beacon x --a A=@pub.pem --b B=@pub.pem --runner R=@pub.pem --key @key.pem",
		"dispute commit @opened %a --as a --unseen --opening @a.opening --key @key.pem", "dispute commit @opened %b --as b --unseen --opening @b.opening --key @key.pem",
		"dispute init @committed --question q --beacon x --a A=@pub.pem --b B=@pub.pem --runner R=@pub.pem --key @key.pem",
		"dispute commit @committed %a --as a --unseen --opening @c.opening --key @key.pem", "dispute commit @committed %b --as b --unseen --opening @d.opening --key @key.pem",
		"case @held %a %b --depth quick --nonce x",
		"dispute exchange @opened --as a --opening @a.opening --key @key.pem", "dispute exchange @opened --as b --opening @b.opening --key @key.pem",
	} {
		if text, err := exec.CommandContext(s.ctx, s.exe, s.words(line, s.desk)...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", line, err, text)
		}
	}
	return nil
}

// keyPair writes a private and a public key.
func keyPair(dir string) error {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	open, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600),
		os.WriteFile(filepath.Join(dir, "pub.pem"), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: open}), 0o644))
}

// decoderConfig is the configuration of a decoder whose layers can be compared whole,
// which takes long where nothing is found in them.
const decoderConfig = `{"architectures":["LlamaForCausalLM"],"model_type":"llama","hidden_size":256,"intermediate_size":768,"num_attention_heads":4,"num_key_value_heads":2,"vocab_size":2048,"tie_word_embeddings":false,"rms_norm_eps":1e-5}`

// decoder lists its tensors.
func decoder(layers int) []zoo.Spec {
	const hidden, width, kv, vocab = 256, 768, 128, 2048
	specs := []zoo.Spec{{Name: "model.embed_tokens.weight", Shape: []int64{vocab, hidden}}, {Name: "lm_head.weight", Shape: []int64{vocab, hidden}}, {Name: "model.norm.weight", Shape: []int64{hidden}}}
	for l := range layers {
		for _, t := range []struct {
			name  string
			shape []int64
		}{
			{"input_layernorm", []int64{hidden}}, {"post_attention_layernorm", []int64{hidden}},
			{"mlp.gate_proj", []int64{width, hidden}}, {"mlp.up_proj", []int64{width, hidden}}, {"mlp.down_proj", []int64{hidden, width}},
			{"self_attn.q_proj", []int64{hidden, hidden}}, {"self_attn.k_proj", []int64{kv, hidden}}, {"self_attn.v_proj", []int64{kv, hidden}}, {"self_attn.o_proj", []int64{hidden, hidden}},
		} {
			specs = append(specs, zoo.Spec{Name: fmt.Sprintf("model.layers.%d.%s.weight", l, t.name), Shape: t.shape})
		}
	}
	return specs
}

// largeModel writes one MiB of values a layer.
func largeModel(dir string, mib int, seed uint64) error {
	const rows, cols = 512, 1024
	header := map[string]any{}
	for i := range mib {
		header[fmt.Sprintf("model.layers.%d.mlp.up_proj.weight", i)] = map[string]any{"dtype": "BF16", "shape": []int{rows, cols}, "data_offsets": []int{i * rows * cols * 2, (i + 1) * rows * cols * 2}}
	}
	raw, err := json.Marshal(header)
	if err != nil {
		return err
	}
	for len(raw)%8 != 0 {
		raw = append(raw, ' ')
	}
	out := append(binary.LittleEndian.AppendUint64(nil, uint64(len(raw))), raw...)
	r := mrand.New(mrand.NewPCG(seed, 1))
	for range mib * rows * cols {
		v := r.Uint32()
		out = binary.LittleEndian.AppendUint16(out, uint16(0x3c00+v&0x1ff)|uint16(v>>16)&0x8000)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "model.safetensors"), out, 0o644)
}
