package packed

import (
	"context"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
)

// Model is a model of logical tensors. It implements tensor.Model.
type Model struct {
	Layouts  []string // names of the layouts found, such as "gptq"
	Packed   int      // number of logical tensors made of several stored ones
	Warnings []string

	stored    tensor.Model
	warned    map[string]bool // rules that gave a warning
	tensors   []*tensor.Tensor
	byName    map[string]*tensor.Tensor
	auxiliary []Auxiliary
	shelf     shelf
}

// Unpack finds the packed tensors of a model by their names, types and
// shapes, and returns the model with a logical tensor in place of each set.
// It returns nil where nothing is packed and no tensor is set aside. Parameters come from the metadata
// where shapes do not fix them (config.json's quantization_config and the
// files that older tools wrote instead).
//
// It reads only what shapes do not show: declared shapes, tables of codes,
// single scales, and a sample of the codes where a convention is in doubt.
func Unpack(ctx context.Context, stored tensor.Model) (*Model, error) {
	out := &Model{stored: stored, warned: map[string]bool{}, byName: map[string]*tensor.Tensor{}}
	cfg := &config{stored.Metadata()}
	if !partly[cfg.text("quant_method")] {
		if err := cfg.refused(stored, func(t *tensor.Tensor) bool { return isExponents(stored, t) }); err != nil {
			return nil, err
		}
	}
	if err := unread(stored); err != nil {
		return nil, err
	}
	modules, of := collect(ctx, stored, cfg, out)
	for _, m := range modules {
		if err := out.open(m); err != nil {
			return nil, err
		}
	}
	if err := cfg.refused(stored, func(t *tensor.Tensor) bool {
		return of[t].logical != nil && of[t].layout == cfg.text("quant_method") || isExponents(stored, t)
	}); err != nil {
		return nil, err
	}
	if out.Packed > 0 && !cfg.declared() {
		out.warn("no configuration says how the tensors are packed: it was told from their names and shapes (" + strings.Join(out.Layouts, ", ") + ")")
	}
	if err := out.assemble(of); err != nil {
		return nil, err
	}
	if out.noteAuxiliary(); out.Packed == 0 && len(out.auxiliary) == 0 {
		return nil, nil
	}
	return out, out.conventions(ctx, modules)
}

// collect groups the tensors by stem and ending. of gives the module of each
// tensor.
func collect(ctx context.Context, stored tensor.Model, cfg *config, out *Model) (modules []*module, of map[*tensor.Tensor]*module) {
	byStem := map[string]*module{}
	of = map[*tensor.Tensor]*module{}
	for _, t := range stored.Tensors() {
		stem, ending := cut(t.Name)
		m := byStem[stem]
		if m == nil {
			m = &module{ctx: ctx, stem: stem, parts: map[string]*tensor.Tensor{}, used: map[string]bool{}, cfg: cfg, out: out}
			byStem[stem] = m
			modules = append(modules, m)
		}
		m.parts[ending] = t
		of[t] = m
	}
	return modules, of
}

// cut splits a name into the module's and the part's: the longest ending that
// any layout knows, or none.
func cut(name string) (stem, ending string) {
	for _, e := range endings {
		if s, ok := strings.CutSuffix(name, e); ok && s != "" {
			return s, e
		}
	}
	return name, ""
}

// open makes the logical tensor of a module, if it is packed in a known
// layout.
func (out *Model) open(m *module) error {
	for i := range layouts {
		l := &layouts[i]
		if !l.is(m) {
			continue
		}
		m.logical = l.open(m)
		if m.err != nil {
			return m.err
		}
		if m.logical == nil {
			return nil
		}
		out.Packed++
		m.layout = l.name
		if !slices.Contains(out.Layouts, l.name) {
			out.Layouts = append(out.Layouts, l.name)
		}
		return nil
	}
	return nil
}

// assemble lists the tensors: a logical one where the first of its parts
// stood.
func (out *Model) assemble(of map[*tensor.Tensor]*module) error {
	placed := map[*module]bool{}
	for _, t := range out.stored.Tensors() {
		m := of[t]
		_, ending := cut(t.Name)
		if m.logical != nil && m.used[ending] {
			if placed[m] {
				continue
			}
			placed[m] = true
			t = m.logical
		} else if why := auxiliary(t); why != "" {
			out.auxiliary = append(out.auxiliary, Auxiliary{t, why})
			continue
		}
		if out.byName[t.Name] != nil {
			return tensor.Errorf(tensor.ErrFormat, "checkpoint", -1, "tensor "+escape.Printable(t.Name), "the name stands both for a stored and for a packed tensor")
		}
		out.byName[t.Name] = t
		out.tensors = append(out.tensors, t)
	}
	return nil
}

func (out *Model) warn(s string) { out.Warnings = append(out.Warnings, s) }

// Tensors lists the logical tensors in stored order.
func (out *Model) Tensors() []*tensor.Tensor { return out.tensors }

// Tensor returns the tensor of that name.
func (out *Model) Tensor(name string) (*tensor.Tensor, bool) {
	t, ok := out.byName[name]
	return t, ok
}

// Metadata is the stored model's.
func (out *Model) Metadata() tensor.Metadata { return out.stored.Metadata() }
