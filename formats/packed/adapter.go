package packed

import (
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
)

// Adapter is a base model with an adapter applied: every adapted matrix W
// reads as W + s·ΔW (LoRA, LoHa, LoKr), with its rows brought to stored lengths
// for DoRA, computed in float64 and rounded once; tensors that were trained
// whole stand in place of the base's; all others are the base's own. Nothing
// is written.
type Adapter struct {
	base    tensor.Model
	tensors []*tensor.Tensor
	byName  map[string]*tensor.Tensor
	Rank    int      // of the first module
	Scale   float64  // s of the first module: alpha/r, or alpha/√r with rslora
	Targets []string // modules that are changed
	Saved   []string // tensors that are replaced
}

// IsAdapter tells whether a model is an adapter: all its tensors have the names
// of one, or it says so (PEFT, MLX, GGUF) and some have. A merged model with
// the configuration left beside it has none, and one that is not merged yet has
// every adapted matrix too.
func IsAdapter(m tensor.Model) bool {
	if kind, _ := m.Metadata().String("general.type"); kind == "adapter" {
		return true
	}
	kind, said := m.Metadata().String("adapter.peft_type", "adapter.fine_tune_type")
	said = said && !strings.EqualFold(kind, "full")
	own, factors, whole := 0, map[string]bool{}, []string{}
	for _, t := range m.Tensors() {
		switch p := adapterPart(t.Name); p.kind {
		case partWhole:
			whole = append(whole, t.Name)
			if hasAdapterPrefix(t.Name) {
				own++
			}
		case partAlpha, partLengths, partDiff:
		default:
			own++
			factors[p.module] = true
		}
	}
	if own == 0 || len(whole) > 0 && !said {
		return false
	}
	bases := 0
	for _, name := range whole {
		if strings.Contains(name, ".base_layer.") && factors[strings.TrimSuffix(adapterPart(name).module, ".weight")] {
			bases++
		}
	}
	return bases == 0 || bases < len(factors)
}

// NewAdapter applies an adapter to a base. Errors are tensor.ErrFormat for an
// adapter that does not fit the base and tensor.ErrUnsupported for kinds of
// adapters that are not read. Of several faults the one of the first module by
// name is reported.
func NewAdapter(base, adapter tensor.Model) (*Adapter, error) {
	meta := adapter.Metadata()
	if err := supported(meta); err != nil {
		return nil, err
	}
	modules, err := sortAdapter(adapter)
	if err != nil {
		return nil, err
	}
	places := newPlaces(base)
	changed := map[*tensor.Tensor]*tensor.Tensor{}
	a := &Adapter{base: base, byName: map[string]*tensor.Tensor{}}
	for _, m := range modules {
		if err := a.apply(m, places, meta, changed); err != nil {
			return nil, err
		}
	}
	for _, t := range base.Tensors() {
		if c := changed[t]; c != nil {
			t = c
		}
		a.tensors = append(a.tensors, t)
		a.byName[t.Name] = t
	}
	return a, nil
}

// peftTypes are the kinds of PEFT's adapters that are read.
var peftTypes = []string{"", "LORA", "LOHA", "LOKR"}

// unsupported are switches of PEFT that make a module something else.
var unsupported = []string{"use_qalora", "lora_bias"}

func supported(meta tensor.Metadata) error {
	if kind, _ := meta.String("adapter.peft_type"); !slices.Contains(peftTypes, strings.ToUpper(kind)) {
		return tensor.Errorf(tensor.ErrUnsupported, "adapter_config.json", -1, "peft_type", "adapters of the kind %s are not read", escape.Printable(kind))
	}
	for _, key := range unsupported {
		if on, _ := meta.Bool("adapter." + key); on {
			return tensor.Errorf(tensor.ErrUnsupported, "adapter_config.json", -1, key, "adapters of this variant are not read")
		}
	}
	return nil
}

// apply makes the changed tensor of one module.
func (a *Adapter) apply(m *adapterModule, places *places, meta tensor.Metadata, changed map[*tensor.Tensor]*tensor.Tensor) error {
	t, err := places.find(m)
	if err != nil {
		return err
	}
	if changed[t] != nil {
		return m.fail(tensor.ErrFormat, "the base's tensor %s is changed twice", escape.Printable(t.Name))
	}
	if whole := m.parts[partWhole]; whole != nil {
		changed[t] = &tensor.Tensor{Name: t.Name, DType: whole.DType, Shape: whole.Shape, Data: whole.Data}
		a.Saved = append(a.Saved, t.Name)
		return nil
	}
	d, err := m.delta()
	if err != nil {
		return err
	}
	rows, cols := matrixOf(t)
	if flip, _ := meta.Bool("adapter.fan_in_fan_out"); flip && m.parts[partEmbeddingA] == nil {
		d = d.turned()
	}
	if r, c := d.size(); r != rows || c != cols {
		return m.fail(tensor.ErrFormat, "the base has shape %v, the adapter %d×%d", t.Shape, r, c)
	}
	scale, err := m.scale(d, meta)
	if err != nil {
		return err
	}
	s := &sum{w: t, rows: rows, cols: cols, d: d, scale: scale, stored: m.bytes}
	if s.lengths, err = m.lengths(rows); err != nil {
		return err
	}
	if dora, _ := meta.Bool("adapter.use_dora"); dora && s.lengths == nil {
		return m.fail(tensor.ErrFormat, "a DoRA adapter has the lengths of the rows, this module does not")
	}
	if a.Rank == 0 {
		a.Rank, a.Scale = d.rank(), scale
	}
	a.Targets = append(a.Targets, strings.TrimSuffix(t.Name, ".weight"))
	changed[t] = &tensor.Tensor{Name: t.Name, DType: tensor.F32, Shape: t.Shape, Data: s}
	return nil
}

// matrixOf is a tensor as a matrix of outputs: convolutions have their windows
// in the columns.
func matrixOf(t *tensor.Tensor) (rows, cols int64) {
	if len(t.Shape) == 0 {
		return 1, 1
	}
	cols, _ = tensor.Elements(t.Shape[1:])
	return t.Shape[0], cols
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
