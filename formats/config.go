package formats

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
)

// Limits for the small files beside the weights.
const (
	maxConfig    = 4 << 20
	maxTokenizer = 128 << 20
	maxCard      = 1 << 20
	maxTokens    = 1 << 20
)

// config reads what lies beside the weights. None of it can make
// opening fail: it is declared, never evidence.
func (op *opener) config() error {
	for _, c := range []struct{ name, prefix string }{
		{"config.json", "config."}, {"params.json", "config."}, {"adapter_config.json", "adapter."},
		{"quantize_config.json", "quantize."}, {"quant_config.json", "quantize."}, {"hf_quant_config.json", "hf_quant."},
	} {
		if !op.exists(c.name) || c.name == "params.json" && op.exists("config.json") {
			continue
		}
		b, err := op.small(c.name, maxConfig)
		if err == nil {
			err = flatten(b, c.prefix, op.c.meta)
		}
		if err != nil {
			op.c.Warnings = append(op.c.Warnings, fmt.Sprintf("%s is not used: %v", c.name, err))
		}
	}
	if op.exists("README.md") {
		b, err := op.small("README.md", maxCard)
		if err == nil {
			err = modelCard(b, op.c.meta)
		}
		if err != nil {
			op.c.Warnings = append(op.c.Warnings, fmt.Sprintf("README.md is not used: %v", err))
		}
	}
	op.c.tokens = op.vocabulary()
	return op.ctx.Err()
}

// flatten puts the members of a JSON object under dotted keys.
func flatten(b []byte, prefix string, into tensor.Metadata) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v map[string]any
	if err := d.Decode(&v); err != nil {
		return err
	}
	add(prefix, v, into, 0)
	return nil
}

func add(prefix string, object map[string]any, into tensor.Metadata, depth int) {
	for k, v := range object {
		switch v := v.(type) {
		case map[string]any:
			if depth < 4 {
				add(prefix+k+".", v, into, depth+1)
			}
		case string, bool:
			into[prefix+k] = v
		case json.Number:
			into[prefix+k] = plainNumber(v)
		case []any:
			into[prefix+k] = plainList(v)
		}
	}
}

// plainNumber prefers an integer to a float.
func plainNumber(n json.Number) any {
	if i, err := n.Int64(); err == nil {
		return i
	}
	f, err := n.Float64()
	if err != nil {
		return math.NaN()
	}
	return f
}

func plainList(items []any) *tensor.List {
	return &tensor.List{
		Len: len(items),
		Strings: func() ([]string, error) {
			out := make([]string, len(items))
			for i, v := range items {
				s, ok := v.(string)
				if !ok {
					return nil, fmt.Errorf("%w: element %d is no string", tensor.ErrFormat, i)
				}
				out[i] = s
			}
			return out, nil
		},
		Floats: func() ([]float64, error) {
			out := make([]float64, len(items))
			for i, v := range items {
				n, ok := v.(json.Number)
				if !ok {
					return nil, fmt.Errorf("%w: element %d is no number", tensor.ErrFormat, i)
				}
				f, err := n.Float64()
				if err != nil {
					return nil, err
				}
				out[i] = f
			}
			return out, nil
		},
	}
}

// vocabulary finds where the token strings are.
func (op *opener) vocabulary() func(context.Context) ([]string, error) {
	if l, ok := op.c.meta["tokenizer.ggml.tokens"].(*tensor.List); ok {
		return func(context.Context) ([]string, error) { return l.Strings() }
	}
	for _, v := range []struct {
		name  string
		parse func([]byte) ([]string, error)
	}{{"tokenizer.json", tokenizerJSON}, {"vocab.json", vocabJSON}, {"vocab.txt", vocabText}} {
		if op.exists(v.name) {
			return func(context.Context) ([]string, error) {
				b, err := op.small(v.name, maxTokenizer)
				if err != nil {
					return nil, err
				}
				tokens, err := v.parse(b)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", v.name, err)
				}
				return tokens, nil
			}
		}
	}
	return nil
}

// tokenizerJSON reads the vocabulary of the tokenizers library: an object
// from string to number (BPE, WordPiece) or a list of string and score
// (Unigram), and added tokens.
func tokenizerJSON(b []byte) ([]string, error) {
	var v struct {
		Added []struct {
			ID      int
			Content string
		} `json:"added_tokens"`
		Model struct{ Vocab json.RawMessage }
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return nil, err
	}
	var t tokenTable
	var pairs []json.RawMessage
	if err := json.Unmarshal(v.Model.Vocab, &pairs); err == nil {
		for id, p := range pairs {
			var pair []any
			if err := json.Unmarshal(p, &pair); err != nil || len(pair) == 0 {
				return nil, fmt.Errorf("%w: entry %d of the vocabulary", tensor.ErrFormat, id)
			}
			s, _ := pair[0].(string)
			t.set(id, s)
		}
	} else {
		var byString map[string]int
		if err := json.Unmarshal(v.Model.Vocab, &byString); err != nil {
			return nil, err
		}
		for s, id := range byString {
			t.set(id, s)
		}
	}
	for _, a := range v.Added {
		t.set(a.ID, a.Content)
	}
	return t, nil
}

func vocabJSON(b []byte) ([]string, error) {
	var byString map[string]int
	if err := json.Unmarshal(b, &byString); err != nil {
		return nil, err
	}
	var t tokenTable
	for s, id := range byString {
		t.set(id, s)
	}
	return t, nil
}

func vocabText(b []byte) ([]string, error) {
	var t tokenTable
	for id, line := range strings.Split(strings.TrimSuffix(string(b), "\n"), "\n") {
		t.set(id, strings.TrimSuffix(line, "\r"))
	}
	return t, nil
}

// tokenTable is a list of tokens by number. Numbers without a token are "".
type tokenTable []string

func (t *tokenTable) set(id int, s string) {
	if id < 0 || id >= maxTokens {
		return
	}
	for len(*t) <= id {
		*t = append(*t, "")
	}
	(*t)[id] = s
}
