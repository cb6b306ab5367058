package fingerprint

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
)

// kindOf is the kind of matrix that a role names: the role without the numbers
// of layer and expert.
func kindOf(role string) string {
	words := slices.DeleteFunc(strings.Split(role, "."), func(w string) bool {
		return w == "layers" || w != "" && strings.Trim(w, "0123456789") == ""
	})
	return strings.Join(words, ".")
}

func (c *computation) addKind(w *whole) {
	kind := kindOf(c.roles[w.t])
	k := c.kinds[kind]
	if k == nil {
		k = &kindCount{}
		c.kinds[kind] = k
	}
	k.tensors++
	for b, n := range w.counts {
		k.counts[b] += n
	}
}

// close sorts what came in and takes the roots.
func (c *computation) close() {
	f := c.f
	slices.SortFunc(f.Tensors, func(a, b TensorPrint) int { return cmp.Compare(a.Name, b.Name) })
	for kind, k := range c.kinds {
		f.Kinds = append(f.Kinds, KindPrint{kind, k.tensors, k.counts.stats()})
	}
	slices.SortFunc(f.Kinds, func(a, b KindPrint) int { return cmp.Compare(a.Kind, b.Kind) })
	var all []Digest
	byRole := make([]roleDigest, 0, len(f.Tensors))
	for _, t := range byName(c.model) {
		d := f.Tensors[len(all)].Values
		all = append(all, d)
		byRole = append(byRole, roleDigest{plainRole(c.roles[t]), d})
	}
	f.Root = rootOf(all, purposeBare)
	f.RoleRoot = roleRoot(byRole)
	if len(c.stored) == len(all) {
		f.Stored = rootOf(c.stored, purposeStored)
	}
}

// print is what is kept of a tensor.
func (w *whole) print() *TensorPrint {
	p := &TensorPrint{Name: w.t.Name, DType: w.t.DType.String(), Shape: w.t.Shape, Values: w.digest()}
	if w.leaves() > 1 {
		for i := range w.blocks {
			root := w.blocks[i].Root()
			copy(p.Blocks[i][:], root[:])
		}
	}
	if w.counts != nil {
		s := w.counts.stats()
		p.Stats = &s
	}
	return p
}

// storedDigest is the digest of the stored bytes: type, byte order and values,
// and the bytes themselves of the leaves whose values leave them open.
func (w *whole) storedDigest() (Digest, bool) {
	s, ok := w.t.Stored()
	if !ok || w.bare {
		return Digest{}, false
	}
	h := newHash(purposeCoded)
	writeString(h, w.t.DType.String())
	writeString(h, map[bool]string{false: "little", true: "big"}[s.BigEndian])
	values, bytes := w.digest(), w.stored.Root()
	h.Write(values[:])
	h.Write(bytes[:])
	return sum(h), true
}

// rootOf is a digest over digests in whatever order.
func rootOf(all []Digest, p purpose) Digest {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b Digest) int { return bytes.Compare(a[:], b[:]) })
	h := newHash(p)
	for _, d := range all {
		h.Write(d[:])
	}
	return sum(h)
}

type roleDigest struct {
	role   string
	values Digest
}

// plainRole leaves out the number of a generic role, which is no more than a
// place in the file. Integers have no role, but may be stored as floats.
func plainRole(role string) string {
	if role == "none" || strings.HasPrefix(role, "generic.") {
		return "generic"
	}
	return role
}

// roleRoot is a digest over all tensors by role.
func roleRoot(all []roleDigest) Digest {
	slices.SortFunc(all, func(a, b roleDigest) int {
		return cmp.Or(cmp.Compare(a.role, b.role), bytes.Compare(a.values[:], b.values[:]))
	})
	h := newHash(purposeRoles)
	for _, x := range all {
		writeString(h, x.role)
		h.Write(x.values[:])
	}
	return sum(h)
}
