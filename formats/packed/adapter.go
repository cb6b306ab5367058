package packed

import (
	"context"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
)

// Adapter is a base model with a LoRA adapter applied: every adapted matrix W
// reads as W + s·B·A, computed in float64 and rounded once; all other tensors
// are the base's own. Nothing is written.
type Adapter struct {
	base    tensor.Model
	tensors []*tensor.Tensor
	byName  map[string]*tensor.Tensor
	Rank    int     // of the first module
	Scale   float64 // s: alpha/r, or alpha/√r with rslora
	Targets []string
}

// IsAdapter tells whether a model is a LoRA adapter in the layout of PEFT.
func IsAdapter(m tensor.Model) bool {
	kind, _ := m.Metadata().String("adapter.peft_type")
	if kind == "LORA" {
		return true
	}
	all := m.Tensors()
	return len(all) > 0 && !slices.ContainsFunc(all, func(t *tensor.Tensor) bool { return !strings.Contains(t.Name, ".lora_") })
}

// unsupported are switches of PEFT that make a module more than W + s·B·A, or
// its scale differ from module to module.
var unsupported = []string{"use_dora", "fan_in_fan_out"}

// NewAdapter applies an adapter to a base. Errors are tensor.ErrFormat for an
// adapter that does not fit the base and tensor.ErrUnsupported for variants of
// LoRA that are more than a low-rank sum.
func NewAdapter(base, adapter tensor.Model) (*Adapter, error) {
	meta := adapter.Metadata()
	for _, key := range unsupported {
		if on, _ := meta.Bool("adapter." + key); on {
			return nil, tensor.Errorf(tensor.ErrUnsupported, "adapter_config.json", -1, key, "adapters of this variant are not read")
		}
	}
	a := &Adapter{base: base, byName: map[string]*tensor.Tensor{}}
	pairs, err := lowRank(adapter)
	if err != nil {
		return nil, err
	}
	for _, t := range base.Tensors() {
		module := strings.TrimSuffix(t.Name, ".weight")
		if p, ok := pairs[module]; ok {
			if t, err = a.adapted(t, p, meta); err != nil {
				return nil, err
			}
			a.Targets = append(a.Targets, module)
			delete(pairs, module)
		}
		a.tensors = append(a.tensors, t)
		a.byName[t.Name] = t
	}
	for module := range pairs {
		return nil, tensor.Errorf(tensor.ErrFormat, "adapter", -1, "tensor "+module, "the base has no such matrix")
	}
	return a, nil
}

// factors are the two matrices of a module: a is r × inputs, b outputs × r.
type factors struct{ a, b *tensor.Tensor }

// lowRank sorts the adapter's tensors by the module they belong to.
func lowRank(m tensor.Model) (map[string]factors, error) {
	out := map[string]factors{}
	for _, t := range m.Tensors() {
		name := strings.TrimPrefix(t.Name, "base_model.model.")
		module, which, ok := strings.Cut(name, ".lora_")
		if !ok || which != "A.weight" && which != "B.weight" || len(t.Shape) != 2 {
			return nil, tensor.Errorf(tensor.ErrUnsupported, "adapter", -1, "tensor "+t.Name, "only lora_A.weight and lora_B.weight matrices are read")
		}
		p := out[module]
		if which[0] == 'A' {
			p.a = t
		} else {
			p.b = t
		}
		out[module] = p
	}
	for module, p := range out {
		if p.a == nil || p.b == nil || p.a.Shape[0] != p.b.Shape[1] || p.a.Shape[0] == 0 {
			return nil, tensor.Errorf(tensor.ErrFormat, "adapter", -1, "tensor "+module, "lora_A and lora_B are not both there with one rank")
		}
	}
	return out, nil
}

// adapted is one matrix with its low-rank part.
func (a *Adapter) adapted(t *tensor.Tensor, p factors, meta tensor.Metadata) (*tensor.Tensor, error) {
	if len(t.Shape) != 2 || t.Shape[0] != p.b.Shape[0] || t.Shape[1] != p.a.Shape[1] {
		return nil, tensor.Errorf(tensor.ErrFormat, "adapter", -1, "tensor "+t.Name, "the base has shape %v, the adapter %d×%d", t.Shape, p.b.Shape[0], p.a.Shape[1])
	}
	r := int(p.a.Shape[0])
	alpha, err := alphaOf(meta, strings.TrimSuffix(t.Name, ".weight"))
	if err != nil {
		return nil, err
	}
	scale := alpha / float64(r)
	if on, _ := meta.Bool("adapter.use_rslora"); on {
		scale = alpha / math.Sqrt(float64(r))
	}
	if a.Rank == 0 {
		a.Rank, a.Scale = r, scale
	}
	return &tensor.Tensor{Name: t.Name, DType: tensor.F32, Shape: t.Shape, Data: &sum{t, p, scale}}, nil
}

// alphaOf is a module's alpha: that of the pattern that fits its name as PEFT
// matches it, else the adapter's.
func alphaOf(meta tensor.Metadata, module string) (float64, error) {
	const prefix = "adapter.alpha_pattern."
	value := meta["adapter.lora_alpha"]
	for _, key := range slices.Sorted(maps.Keys(meta)) {
		pattern, ok := strings.CutPrefix(key, prefix)
		if !ok {
			continue
		}
		r, err := regexp.Compile(`^(?:.*\.)?(?:` + pattern + `)$`)
		if err != nil {
			return 0, tensor.Errorf(tensor.ErrUnsupported, "adapter_config.json", -1, "alpha_pattern "+escape.Printable(pattern), "the pattern is not read: %v", err)
		}
		if r.MatchString(module) {
			value = meta[key]
			break
		}
	}
	switch v := value.(type) {
	case int64:
		return float64(v), nil
	case float64:
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			return v, nil
		}
	}
	return 0, tensor.Errorf(tensor.ErrFormat, "adapter_config.json", -1, "lora_alpha", "the scale of the adapter is not declared as a number")
}

// sum reads W + s·B·A.
type sum struct {
	w     *tensor.Tensor
	p     factors
	scale float64
}

func (s *sum) StoredBytes() int64 {
	return s.w.StoredBytes() + s.p.a.StoredBytes() + s.p.b.StoredBytes()
}

// ReadValues reads values of W and adds the product for the rows they lie in.
func (s *sum) ReadValues(ctx context.Context, dst []float32, first int64) error {
	if len(dst) == 0 {
		return nil
	}
	if err := s.w.Data.ReadValues(ctx, dst, first); err != nil {
		return err
	}
	cols, r := s.w.Shape[1], s.p.a.Shape[0]
	a := make([]float32, r*cols)
	if err := s.p.a.Data.ReadValues(ctx, a, 0); err != nil {
		return err
	}
	row0, row1 := first/cols, (first+int64(len(dst))-1)/cols
	b := make([]float32, (row1-row0+1)*r)
	if err := s.p.b.Data.ReadValues(ctx, b, row0*r); err != nil {
		return err
	}
	for i := range dst {
		at := first + int64(i)
		row, col := at/cols-row0, at%cols
		part := 0.0
		for k := range r {
			part += float64(b[row*r+k]) * float64(a[k*cols+col]) // exact product of two float32
		}
		dst[i] = float32(float64(dst[i]) + float64(s.scale*part))
	}
	return nil
}

// Tensors lists the base's tensors, the adapted ones in place.
func (a *Adapter) Tensors() []*tensor.Tensor { return a.tensors }

// Tensor returns the tensor of that name.
func (a *Adapter) Tensor(name string) (*tensor.Tensor, bool) {
	t, ok := a.byName[name]
	return t, ok
}

// Metadata is the base's.
func (a *Adapter) Metadata() tensor.Metadata { return a.base.Metadata() }
