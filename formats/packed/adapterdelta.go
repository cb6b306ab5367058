package packed

import (
	"maps"
	"slices"

	"github.com/weightprint/weightprint/formats/tensor"
)

// maxFactor bounds the values of a factor that is read whole.
const maxFactor = 1 << 28

// pair makes a product of two parts, nil if neither is there.
func (m *adapterModule) pair(b, a adapterKind, flipB, flipA bool) (change, error) {
	x, y := m.parts[b], m.parts[a]
	if x == nil && y == nil {
		return nil, nil
	}
	if y == nil {
		a, b = b, a
	}
	if x == nil || y == nil {
		return nil, m.fail(tensor.ErrFormat, "it has %s and no %s", a, b)
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
