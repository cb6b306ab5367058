package packed

import (
	"cmp"
	"context"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
)

// change is ΔW before it is scaled.
type change interface {
	// size is outputs × inputs.
	size() (rows, cols int64)
	// add writes rows [r, r+n) of ΔW.
	add(ctx context.Context, dst []float64, r, n int64) error
	// turned is ΔWᵀ.
	turned() change
	rank() int
}

// factor is a matrix of an adapter, perhaps read as its transpose.
type factor struct {
	t    *tensor.Tensor
	flip bool
}

func (f factor) size() (rows, cols int64) {
	rows, cols = matrixOf(f.t)
	if f.flip {
		return cols, rows
	}
	return rows, cols
}

// read returns rows [r, r+n).
func (f factor) read(ctx context.Context, r, n int64) ([]float32, error) {
	rows, cols := f.size()
	if !f.flip {
		out := make([]float32, n*cols)
		return out, f.t.Data.ReadValues(ctx, out, r*cols)
	}
	all := make([]float32, rows*cols)
	if err := f.t.Data.ReadValues(ctx, all, 0); err != nil {
		return nil, err
	}
	out := make([]float32, n*cols)
	for i := range n {
		for j := range cols {
			out[i*cols+j] = all[j*rows+r+i]
		}
	}
	return out, nil
}

// product is B·A.
type product struct{ b, a factor }

func (p product) size() (rows, cols int64) {
	rows, _ = p.b.size()
	_, cols = p.a.size()
	return rows, cols
}

func (p product) rank() int { r, _ := p.a.size(); return int(r) }

func (p product) turned() change {
	return product{factor{p.a.t, !p.a.flip}, factor{p.b.t, !p.b.flip}}
}

func (p product) add(ctx context.Context, dst []float64, r, n int64) error {
	k, cols := p.a.size()
	a, err := p.a.read(ctx, 0, k)
	if err != nil {
		return err
	}
	b, err := p.b.read(ctx, r, n)
	if err != nil {
		return err
	}
	clear(dst)
	for i := range n {
		line := dst[i*cols : (i+1)*cols]
		for x := range k {
			w := float64(b[i*k+x])
			for j, v := range a[x*cols : (x+1)*cols] {
				line[j] += float64(w * float64(v)) // exact product of two float32
			}
		}
	}
	return nil
}

// hadamard is (B₁·A₁) ∘ (B₂·A₂): LoHa.
type hadamard struct{ x, y change }

func (h hadamard) size() (rows, cols int64) { return h.x.size() }
func (h hadamard) rank() int                { return h.x.rank() }
func (h hadamard) turned() change           { return hadamard{h.x.turned(), h.y.turned()} }

func (h hadamard) add(ctx context.Context, dst []float64, r, n int64) error {
	if err := h.x.add(ctx, dst, r, n); err != nil {
		return err
	}
	other := make([]float64, len(dst))
	if err := h.y.add(ctx, other, r, n); err != nil {
		return err
	}
	for i, v := range other {
		dst[i] = float64(dst[i] * v)
	}
	return nil
}

// kronecker is w1 ⊗ w2: LoKr.
type kronecker struct{ x, y change }

func (k kronecker) size() (rows, cols int64) {
	r1, c1 := k.x.size()
	r2, c2 := k.y.size()
	return r1 * r2, c1 * c2
}

// rank is that of whichever factor is a product of low rank; 0 if none is.
func (k kronecker) rank() int      { return max(k.x.rank(), k.y.rank()) }
func (k kronecker) turned() change { return kronecker{k.x.turned(), k.y.turned()} }

func (k kronecker) add(ctx context.Context, dst []float64, r, n int64) error {
	r1, c1 := k.x.size()
	r2, c2 := k.y.size()
	x, y := make([]float64, r1*c1), make([]float64, r2*c2)
	if err := k.x.add(ctx, x, 0, r1); err != nil {
		return err
	}
	if err := k.y.add(ctx, y, 0, r2); err != nil {
		return err
	}
	for i := range n {
		row := r + i
		line := dst[i*c1*c2:]
		for a := range c1 {
			w := x[row/r2*c1+a]
			for b := range c2 {
				line[a*c2+b] = float64(w * y[row%r2*c2+b])
			}
		}
	}
	return nil
}

// plain is a matrix as it is stored.
type plain struct{ f factor }

func (p plain) size() (rows, cols int64) { return p.f.size() }
func (p plain) rank() int                { return 0 }
func (p plain) turned() change           { return plain{factor{p.f.t, !p.f.flip}} }

func (p plain) add(ctx context.Context, dst []float64, r, n int64) error {
	v, err := p.f.read(ctx, r, n)
	for i, x := range v {
		dst[i] = float64(x)
	}
	return err
}

// maxFactor bounds the values of a factor that is read whole.
const maxFactor = 1 << 28

// pair makes a product of two parts, nil if neither is there.
func (m *adapterModule) pair(b, a adapterKind, flipB, flipA bool) (change, error) {
	x, y := m.parts[b], m.parts[a]
	if x == nil && y == nil {
		return nil, nil
	}
	if x == nil || y == nil {
		return nil, m.fail(tensor.ErrFormat, "of %s and %s one is missing", a, b)
	}
	p := product{factor{x, flipB}, factor{y, flipA}}
	_, inner := p.b.size()
	r, _ := p.a.size()
	if inner != r || r == 0 || len(x.Shape) < 2 || len(y.Shape) < 2 || x.Len() > maxFactor || y.Len() > maxFactor {
		return nil, m.fail(tensor.ErrFormat, "%s and %s of shapes %v and %v have no rank in common", a, b, y.Shape, x.Shape)
	}
	return p, nil
}

// delta is the module's ΔW. Parts of two kinds of adapters are refused.
func (m *adapterModule) delta() (change, error) {
	var found []change
	for _, make := range []func() (change, error){
		func() (change, error) { return m.pair(partB, partA, false, false) },
		func() (change, error) { return m.pair(partTurnedB, partTurnedA, true, true) },
		func() (change, error) { return m.embedding() },
		func() (change, error) { return m.loha() },
		func() (change, error) { return m.lokr() },
		func() (change, error) { return m.one(partDiff) },
	} {
		c, err := make()
		if err != nil {
			return nil, err
		}
		if c != nil {
			found = append(found, c)
		}
	}
	if len(found) != 1 {
		return nil, m.fail(tensor.ErrFormat, "the parts %v make no change, or several", slices.Sorted(maps.Keys(m.parts)))
	}
	return found[0], nil
}

// embedding is (B·A)ᵀ: rows are tokens.
func (m *adapterModule) embedding() (change, error) {
	c, err := m.pair(partEmbeddingB, partEmbeddingA, false, false)
	if c != nil {
		c = c.turned()
	}
	return c, err
}

func (m *adapterModule) loha() (change, error) {
	x, err := m.pair("hada_w1_a", "hada_w1_b", false, false)
	if err != nil {
		return nil, err
	}
	y, err := m.pair("hada_w2_a", "hada_w2_b", false, false)
	if err != nil || x == nil && y == nil {
		return nil, err
	}
	if x == nil || y == nil {
		return nil, m.fail(tensor.ErrFormat, "one of the two products of LoHa is missing")
	}
	r1, c1 := x.size()
	if r2, c2 := y.size(); r1 != r2 || c1 != c2 {
		return nil, m.fail(tensor.ErrFormat, "the two products of LoHa have shapes %d×%d and %d×%d", r1, c1, r2, c2)
	}
	return hadamard{x, y}, nil
}

func (m *adapterModule) lokr() (change, error) {
	x, err := m.oneOrPair("lokr_w1", "lokr_w1_a", "lokr_w1_b")
	if err != nil {
		return nil, err
	}
	y, err := m.oneOrPair("lokr_w2", "lokr_w2_a", "lokr_w2_b")
	if err != nil || x == nil && y == nil {
		return nil, err
	}
	if x == nil || y == nil {
		return nil, m.fail(tensor.ErrFormat, "one of the two factors of LoKr is missing")
	}
	return kronecker{x, y}, nil
}

func (m *adapterModule) oneOrPair(whole, b, a adapterKind) (change, error) {
	c, err := m.one(whole)
	if c != nil || err != nil {
		return c, err
	}
	return m.pair(b, a, false, false)
}

func (m *adapterModule) one(kind adapterKind) (change, error) {
	t := m.parts[kind]
	if t == nil {
		return nil, nil
	}
	if len(t.Shape) < 1 || t.Len() == 0 || t.Len() > maxFactor {
		return nil, m.fail(tensor.ErrFormat, "%s has the shape %v", kind, t.Shape)
	}
	return plain{factor{t, false}}, nil
}

// scale is what ΔW is multiplied by.
func (m *adapterModule) scale(d change, meta tensor.Metadata) (float64, error) {
	r := float64(d.rank())
	if kind, _ := meta.String("adapter.peft_type"); r == 0 && strings.EqualFold(kind, "LOKR") {
		var err error
		if r, err = patterned(meta, "adapter.rank_pattern.", m.name, meta["adapter.r"]); err != nil || !(r > 0) {
			return 0, cmp.Or(err, error(tensor.Errorf(tensor.ErrFormat, "adapter_config.json", -1, "r", "the rank of LoKr's two whole factors is not declared")))
		}
	}
	if r == 0 {
		return 1, nil // a difference, or two whole factors of LyCORIS
	}
	if t := m.parts[partAlpha]; t != nil {
		v := make([]float32, 1)
		if t.Len() != 1 {
			return 0, m.fail(tensor.ErrFormat, "alpha has the shape %v", t.Shape)
		}
		if err := t.Data.ReadValues(context.Background(), v, 0); err != nil {
			return 0, err
		}
		return m.finite(float64(v[0]) / r)
	}
	if m.parts[partTurnedA] != nil {
		if s, ok := number(meta["adapter.lora_parameters.scale"]); ok {
			return m.finite(s)
		}
	}
	alpha, err := alphaOf(meta, m.name)
	switch {
	case err != nil:
		return 0, err
	case math.IsNaN(alpha):
		if m.named("lora_down", "lora.down", "hada_", "lokr_", "lora_linear_layer") {
			return 1, nil // these formats' readers take alpha for the rank where it is absent
		}
		return 0, tensor.Errorf(tensor.ErrFormat, "adapter_config.json", -1, "lora_alpha", "the scale of the adapter is not declared as a number")
	}
	if on, _ := meta.Bool("adapter.use_rslora"); on {
		return m.finite(alpha / math.Sqrt(r))
	}
	return m.finite(alpha / r)
}

func (m *adapterModule) finite(s float64) (float64, error) {
	if math.IsNaN(s) || math.IsInf(s, 0) {
		return 0, m.fail(tensor.ErrFormat, "the scale %v is no number to multiply by", s)
	}
	return s, nil
}

// named tells whether a part's name holds one of the texts.
func (m *adapterModule) named(texts ...string) bool {
	for _, t := range m.parts {
		if slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(t.Name, s) }) {
			return true
		}
	}
	return false
}

// alphaOf is a module's declared alpha: that of the pattern that fits its name
// as PEFT matches it, else the adapter's; NaN if none is declared.
func alphaOf(meta tensor.Metadata, module string) (float64, error) {
	value := meta["adapter.lora_alpha"]
	for _, key := range []string{"adapter.alpha", "adapter.lora.alpha"} { // LoHa and LoKr of PEFT; GGUF
		if value == nil {
			value = meta[key]
		}
	}
	return patterned(meta, "adapter.alpha_pattern.", module, value)
}

// patterned is the number under the pattern that fits a module's name, else
// the one for all; NaN if there is none.
func patterned(meta tensor.Metadata, prefix, module string, value any) (float64, error) {
	for _, key := range slices.Sorted(maps.Keys(meta)) {
		pattern, ok := strings.CutPrefix(key, prefix)
		if !ok {
			continue
		}
		r, err := regexp.Compile(`^(?:.*\.)?(?:` + pattern + `)$`)
		if err != nil {
			return 0, tensor.Errorf(tensor.ErrUnsupported, "adapter_config.json", -1, strings.TrimPrefix(prefix, "adapter.")+escape.Printable(pattern), "the pattern is not read: %v", err)
		}
		if r.MatchString(module) {
			value = meta[key]
			break
		}
	}
	if v, ok := number(value); ok {
		return v, nil
	}
	return math.NaN(), nil
}

// number is a declared number.
func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, !math.IsNaN(v) && !math.IsInf(v, 0)
	}
	return 0, false
}

// lengths returns what DoRA brings the rows to, nil where it does not.
func (m *adapterModule) lengths(rows int64) (*tensor.Tensor, error) {
	t := m.parts[partLengths]
	if t == nil {
		return nil, nil
	}
	if t.Len() != rows || len(t.Shape) > 1 && t.Shape[0] != rows {
		return nil, m.fail(tensor.ErrUnsupported, "lengths of shape %v: only those of the %d outputs are read", t.Shape, rows)
	}
	return t, nil
}

// sum reads W + s·ΔW, with its rows at the lengths where there are any.
type sum struct {
	w          *tensor.Tensor
	rows, cols int64
	d          change
	scale      float64
	lengths    *tensor.Tensor
	stored     int64
}

// StoredBytes counts the base's matrix and the module's tensors.
func (s *sum) StoredBytes() int64 { return s.w.StoredBytes() + s.stored }

// ReadValues reads the rows that the values lie in.
func (s *sum) ReadValues(ctx context.Context, dst []float32, first int64) error {
	for len(dst) > 0 {
		row := first / s.cols
		n := min((first+int64(len(dst))-1)/s.cols-row+1, max(1, atOnce/s.cols))
		values, err := s.read(ctx, row, n)
		if err != nil {
			return err
		}
		k := copy(dst, values[first-row*s.cols:])
		dst, first = dst[k:], first+int64(k)
	}
	return nil
}

// read computes whole rows.
func (s *sum) read(ctx context.Context, row, n int64) ([]float32, error) {
	out := make([]float32, n*s.cols)
	if err := s.w.Data.ReadValues(ctx, out, row*s.cols); err != nil {
		return nil, err
	}
	wide := make([]float64, len(out))
	if err := s.d.add(ctx, wide, row, n); err != nil {
		return nil, err
	}
	for i, v := range out {
		wide[i] = float64(v) + float64(s.scale*wide[i])
	}
	if err := s.stretch(ctx, wide, row, n); err != nil {
		return nil, err
	}
	for i, v := range wide {
		out[i] = float32(v)
	}
	return out, nil
}

// stretch brings rows to their stored lengths.
func (s *sum) stretch(ctx context.Context, wide []float64, row, n int64) error {
	if s.lengths == nil {
		return nil
	}
	to := make([]float32, n)
	if err := s.lengths.Data.ReadValues(ctx, to, row); err != nil {
		return err
	}
	for i := range n {
		line := wide[i*s.cols : (i+1)*s.cols]
		squares := 0.0
		for _, v := range line {
			squares += float64(v * v)
		}
		by := float64(to[i]) / math.Sqrt(squares)
		for j, v := range line {
			line[j] = float64(v * by)
		}
	}
	return nil
}
