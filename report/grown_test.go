package report_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

// rebuilt copies a model tensor by tensor; edit may change rows, columns and
// values of each.
func rebuilt(m *zoo.Model, edit func(name string, x []float32, rows, cols int) ([]float32, int)) *zoo.Model {
	out := zoo.New()
	for k, v := range m.Meta {
		out.Meta[k] = v
	}
	for _, t := range m.Tensors() {
		x, rows, cols := slices.Clone(m.Values(t.Name)), int(t.Shape[0]), 1
		if len(t.Shape) == 2 {
			cols = int(t.Shape[1])
		}
		if edit != nil {
			x, rows = edit(t.Name, x, rows, cols)
		}
		if shape := []int64{int64(rows)}; len(t.Shape) == 2 {
			out.Add(t.Name, x, append(shape, int64(len(x)/rows))...)
		} else {
			out.Add(t.Name, x, shape...)
		}
	}
	return out
}

// repeatedColumns appends copies of the first n columns, and halves both.
func repeatedColumns(x []float32, rows, cols, n int) (out []float32) {
	for r := range rows {
		row := x[r*cols : (r+1)*cols]
		for c := range n {
			row[c] /= 2
		}
		out = append(append(out, row...), row[:n]...)
	}
	return out
}

// A larger network may have been made from a smaller one. Where copies or empty
// parts show it, the direction says so, and nowhere the reverse.
func TestGrown(t *testing.T) {
	const dup = 40
	base := trainedLike(1)
	heads, kv, dim := 8, 4, 16
	for _, c := range []struct {
		name      string
		child     *zoo.Model
		kind      verdict.Kind
		direction verdict.Direction
	}{
		{"units copied", rebuilt(base, func(name string, x []float32, rows, cols int) ([]float32, int) {
			switch {
			case strings.Contains(name, "gate_proj"), strings.Contains(name, "up_proj"):
				return append(x, x[:dup*cols]...), rows + dup
			case strings.Contains(name, "down_proj"):
				return repeatedColumns(x, rows, cols, dup), rows
			}
			return x, rows
		}), verdict.WidthExpanded, verdict.AToB},
		{"a key-value head for every query head", func() *zoo.Model {
			m := rebuilt(base, func(name string, x []float32, rows, cols int) (out []float32, _ int) {
				if !strings.Contains(name, "k_proj") && !strings.Contains(name, "v_proj") {
					return x, rows
				}
				for h := range heads {
					from := h * kv / heads * dim * cols
					out = append(out, x[from:from+dim*cols]...)
				}
				return out, heads * dim
			})
			m.Meta["config.num_key_value_heads"] = int64(heads)
			return m
		}(), verdict.WidthExpanded, verdict.AToB},
		{"empty layer put in", withEmptyLayer(base, 2), verdict.DepthUpscaled, verdict.AToB},
		{"units removed", rebuilt(base, func(name string, x []float32, rows, cols int) ([]float32, int) {
			switch {
			case strings.Contains(name, "gate_proj"), strings.Contains(name, "up_proj"):
				return x[dup*cols:], rows - dup
			case strings.Contains(name, "down_proj"):
				var out []float32
				for r := range rows {
					out = append(out, x[r*cols+dup:(r+1)*cols]...)
				}
				return out, rows
			}
			return x, rows
		}), verdict.WidthPruned, verdict.AToB},
		{"vocabulary cut off", rebuilt(base, func(name string, x []float32, rows, cols int) ([]float32, int) {
			if strings.Contains(name, "embed_tokens") || strings.Contains(name, "lm_head") {
				return x[:(rows-64)*cols], rows - 64
			}
			return x, rows
		}), verdict.VocabularyChanged, verdict.Undetermined},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, turned := range []bool{false, true} {
				a, b, want := base, c.child, c.direction
				if turned {
					a, b = b, a
					if want == verdict.AToB {
						want = verdict.BToA
					}
				}
				r, err := report.Build(context.Background(), report.Input{Ref: "a", Model: a}, report.Input{Ref: "b", Model: b}, nil)
				require.NoError(t, err)
				require.Equal(t, verdict.Related, r.Verdict.Relation, "%v", r.Verdict.Because)
				require.Contains(t, r.Verdict.Kinds, c.kind, "%v", r.Verdict.Because)
				require.Equal(t, want, r.Verdict.Suggested(), "%v", r.Verdict.Because)
				require.Equal(t, verdict.Undetermined, r.Verdict.Direction)
			}
		})
	}
}

// withEmptyLayer puts a layer in that does nothing, as before training: its
// outputs are zero.
func withEmptyLayer(m *zoo.Model, at int) *zoo.Model {
	fresh := trainedLike(77)
	out := zoo.New()
	for k, v := range m.Meta {
		out.Meta[k] = v
	}
	add := func(name string, x []float32, shape []int64) { out.Add(name, slices.Clone(x), shape...) }
	for _, t := range m.Tensors() {
		var l int
		var rest string
		if n, _ := fmt.Sscanf(t.Name, "model.layers.%d.%s", &l, &rest); n < 2 {
			add(t.Name, m.Values(t.Name), t.Shape)
			continue
		}
		if l < at {
			add(t.Name, m.Values(t.Name), t.Shape)
			continue
		}
		add(fmt.Sprintf("model.layers.%d.%s", l+1, rest), m.Values(t.Name), t.Shape)
		if l == at {
			x := slices.Clone(fresh.Values(t.Name))
			if strings.Contains(rest, "o_proj") || strings.Contains(rest, "down_proj") {
				clear(x)
			}
			add(t.Name, x, t.Shape)
		}
	}
	return out
}
