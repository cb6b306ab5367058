package hdf5

import "github.com/weightprint/weightprint/formats/tensor"

// Limits of this reader on trees.
const (
	maxNodes = 1 << 18 // of one tree
	maxLevel = 16
)

// walk calls do with every leaf entry of a B-tree of version 1: its key and
// its child's address. kind is 0 for groups, 1 for chunks.
func (f *file) walk(address uint64, kind uint8, keyBytes uint64, do func(key *fields, child uint64) error) error {
	w := &walker{f: f, kind: kind, key: keyBytes, do: do, seen: map[uint64]bool{}}
	return w.node(address, -1)
}

type walker struct {
	f    *file
	kind uint8
	key  uint64
	do   func(*fields, uint64) error
	seen map[uint64]bool
}

// node reads one node. Levels go down by one, and no node stands twice.
func (w *walker) node(address uint64, level int) error {
	const field = "B-tree"
	x, err := w.f.at(address, 24, field)
	if err != nil {
		return err
	}
	x.magic("TREE")
	kind, at := x.u8(), int(x.u8())
	n := uint64(x.u16())
	x.require(kind == w.kind, "a tree of kind %d, expected %d", kind, w.kind)
	x.require(level < 0 && at <= maxLevel || at == level, "a node of level %d where %d is expected", at, level)
	x.require(!w.seen[address], "the node stands in its own tree twice")
	if x.err != nil {
		return x.err
	}
	if w.seen[address] = true; len(w.seen) > maxNodes {
		return tensor.Errorf(tensor.ErrLimit, w.f.name, x.start, field, "more than %d nodes", maxNodes)
	}
	if x, err = w.f.at(address+24, n*(w.key+8), field); err != nil {
		return err
	}
	for range n {
		key, child := x.part(w.key, field), x.u64()
		if x.err != nil {
			return x.err
		}
		if at > 0 {
			err = w.node(child, at-1)
		} else {
			err = w.do(key, child)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
