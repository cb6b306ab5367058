package hostile

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// one is a header of a single tensor and the bytes that it takes.
func single(name string, shape ...int64) (string, int64) {
	n := int64(4)
	for _, d := range shape {
		n *= d
	}
	dims := strings.ReplaceAll(strings.Trim(fmt.Sprint(shape), "[]"), " ", ",")
	return fmt.Sprintf(`{"%s":{"dtype":"F32","shape":[%s],"data_offsets":[0,%d]}}`, name, dims, n), n
}

// modelInputs are well formed and out of all proportion.
func modelInputs() []Input {
	one := func(name string, shape ...int64) func(string) error {
		return func(dir string) error {
			header, n := single(name, shape...)
			return safetensors(dir, "model.safetensors", header, n)
		}
	}
	norms := func(dir string) error {
		const n = 32 << 20
		header := fmt.Sprintf(`{"model.embed_tokens.weight":{"dtype":"F32","shape":[2,64],"data_offsets":[0,512]},"model.layers.0.input_layernorm.weight":{"dtype":"F32","shape":[%d],"data_offsets":[512,%d]},"model.norm.weight":{"dtype":"F32","shape":[%d],"data_offsets":[%d,%d]}}`, n, 512+4*n, n, 512+4*n, 512+8*n)
		return safetensors(dir, "model.safetensors", header, 512+8*n)
	}
	moe := func(dir string) error {
		header, n := headerOf(experts(8))
		return safetensors(dir, "model.safetensors", header, n)
	}
	const wide, fingerprint, compare, commit = int64(400_000_000), "fingerprint {dir} -o {out}/x.wfp", "compare {dir} {dir} --json", "commit {dir} -o {out}/x.wpc"
	return []Input{
		{"models/two norms of 128 MiB, compared", on(compare), norms},
		{"models/two norms of 128 MiB, compared in full", on(compare + " --budget full"), norms},
		{"models/two norms of 128 MiB, fingerprinted", on(fingerprint), norms},
		{"models/one wide row, inspected", inspect, one("w", 1, wide)},
		{"models/one wide row, compared", on(compare), one("w", 1, wide)},
		{"models/one wide row, fingerprinted", on(fingerprint), one("w", 1, wide)},
		{"models/one wide row, committed", on(commit), one("w", 1, wide)},
		{"models/40 wide rows, fingerprinted", on(fingerprint), one("w", 40, wide/40)},
		{"models/40 wide rows, committed", on(commit), one("w", 40, wide/40)},
		{"models/40 wide rows, compared", on(compare), one("w", 40, wide/40)},
		{"models/one tall column, compared", on(compare), one("w", wide, 1)},
		{"models/one tall column, fingerprinted", on(fingerprint), one("w", wide, 1)},
		{"models/one tall column, committed", on(commit), one("model.layers.0.mlp.down_proj.weight", wide, 1)},
		{"models/an embedding of two wide tokens, compared", on(compare), one("model.embed_tokens.weight", 2, wide/2)},
		{"models/a trillion parameters in 139,000 tensors, inspected", inspect, moe},
		{"models/a trillion parameters in 139,000 tensors, compared", on(compare), moe},
		{"models/a trillion parameters in 139,000 tensors, fingerprinted", on(fingerprint), moe},
		{"models/a trillion parameters in 139,000 tensors, committed", on(commit), moe},
	}
}

// written writes texts beside a small model.
func written(dir string, files map[string]string) error {
	header, n := single("model.embed_tokens.weight", 64, 8)
	if err := safetensors(dir, "model.safetensors", header, n); err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// besideInputs are small models with large files beside them.
func besideInputs() []Input {
	compare := on("compare {dir} {dir} --json")
	beside := func(name string, text func() string) func(string) error {
		return func(dir string) error { return written(dir, map[string]string{name: text()}) }
	}
	return []Input{
		{"beside/a configuration of nested lists", compare, beside("config.json", func() string { return `{"a":[` + repeated("[],", 4_000_000) + `[]]}` })},
		{"beside/a configuration of objects", compare, beside("config.json", func() string { return `{"a":[` + repeated(`{},`, 4_000_000) + `{}]}` })},
		{"beside/a configuration of numbers", compare, beside("config.json", func() string { return `{"a":[` + repeated("1,", 4_000_000) + `1]}` })},
		{"beside/a tokenizer of one string", compare, beside("tokenizer.json", func() string { return `{"model":{"vocab":{"` + repeated("x", 127_000_000) + `":1}}}` })},
		{"beside/a tokenizer of lists", compare, beside("tokenizer.json", func() string { return `{"model":{"vocab":[` + repeated("[],", 120_000_000) + `[]]}}` })},
		{"beside/a tokenizer of merges", compare, beside("tokenizer.json", func() string {
			return `{"model":{"vocab":{"a":0},"merges":[` + repeated(`"a b",`, 36_000_000) + `"a"]}}`
		})},
		{"beside/a tokenizer of numbers far apart", compare, beside("tokenizer.json", func() string { return `{"model":{"vocab":{"a":1048575,"b":2000000000}}}` })},
		{"beside/a vocabulary of empty lines", compare, beside("vocab.txt", func() string { return repeated("\n", 127_000_000) })},
		{"beside/a vocabulary of many strings", compare, beside("vocab.json", func() string {
			var b strings.Builder
			for i := range 4_000_000 {
				fmt.Fprintf(&b, `,"%d":%d`, i, i)
			}
			return "{" + b.String()[1:] + "}"
		})},
		{"beside/a card of front matter", compare, beside("README.md", func() string { return "---\n" + repeated("a: b\n", 1_000_000) + "---\n" })},
	}
}
