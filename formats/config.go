package formats

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"

	"github.com/weightprint/weightprint/formats/tensor"
)

// Limits for the small files beside the weights.
const (
	maxConfig    = 1 << 20  // published ones have some 10 KB, with lists of modules 300 KB
	maxTokenizer = 40 << 20 // the largest published ones have 33 MB
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
		parse func(context.Context, []byte) ([]string, error)
	}{{"tokenizer.json", tokenizerJSON}, {"vocab.json", vocabJSON}, {"vocab.txt", vocabText}} {
		if op.exists(v.name) {
			return func(ctx context.Context) ([]string, error) {
				b, err := op.small(v.name, maxTokenizer)
				if err != nil {
					return nil, err
				}
				tokens, err := v.parse(ctx, b)
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
// (Unigram), and added tokens. All else is passed over, token by token.
func tokenizerJSON(ctx context.Context, b []byte) ([]string, error) {
	var t tokenTable
	var added []addedToken
	v := newVisitor(ctx, b)
	err := v.object(func(key string) error {
		switch key {
		case "added_tokens":
			return v.list(func(int) error {
				var a addedToken
				err := v.d.Decode(&a)
				if added = append(added, a); len(added) > maxTokens {
					return errTokens
				}
				return err
			})
		case "model":
			return v.object(func(key string) error {
				if key != "vocab" {
					return v.skip()
				}
				return v.vocabulary(&t)
			})
		}
		return v.skip()
	})
	if err != nil {
		return nil, err
	}
	for _, a := range added {
		t.set(a.ID, a.Content)
	}
	return t, nil
}

type addedToken struct {
	ID      int
	Content string
}

var errTokens = fmt.Errorf("%w: more than %d tokens", tensor.ErrLimit, maxTokens)

func vocabJSON(ctx context.Context, b []byte) ([]string, error) {
	var t tokenTable
	v := newVisitor(ctx, b)
	return t, v.vocabulary(&t)
}

func vocabText(ctx context.Context, b []byte) ([]string, error) {
	var t tokenTable
	id := 0
	for line := range bytes.SplitSeq(bytes.TrimSuffix(b, []byte("\n")), []byte("\n")) {
		if id >= maxTokens {
			return nil, errTokens
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		t.set(id, string(bytes.TrimSuffix(line, []byte("\r"))))
		id++
	}
	return t, nil
}

// tokenTable is a list of tokens by number. Numbers without a token are "".
type tokenTable []string

func (t *tokenTable) set(id int, s string) {
	if id < 0 || id >= maxTokens {
		return
	}
	if id >= len(*t) {
		*t = append(*t, make([]string, id+1-len(*t))...)
	}
	(*t)[id] = s
}
