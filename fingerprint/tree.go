package fingerprint

import "github.com/zeebo/blake3"

// Tree is the Merkle tree of RFC 6962 over leaves that are digests already:
// the left part of a tree of n leaves holds the largest power of two below n.
// It takes leaves one by one and keeps only the roots of complete subtrees.
// Its zero value is an empty tree.
type Tree struct {
	subtrees []Digest // of falling size; the sizes are the set bits of n
	n        uint64
	h        *blake3.Hasher
}

// Add appends a leaf.
func (t *Tree) Add(leaf Digest) {
	for n := t.n; n&1 == 1; n >>= 1 {
		last := len(t.subtrees) - 1
		leaf = t.node(t.subtrees[last], leaf)
		t.subtrees = t.subtrees[:last]
	}
	t.subtrees = append(t.subtrees, leaf)
	t.n++
}

// Root returns the root over the leaves so far; of no leaves, the hash of
// nothing.
func (t *Tree) Root() Digest {
	if t.n == 0 {
		return sum(newHash(purposeNode))
	}
	root := t.subtrees[len(t.subtrees)-1]
	for i := len(t.subtrees) - 2; i >= 0; i-- {
		root = t.node(t.subtrees[i], root)
	}
	return root
}

func (t *Tree) node(left, right Digest) Digest {
	if t.h == nil {
		t.h = newHash(purposeNode) // deriving the key costs more than a node
	}
	t.h.Reset()
	t.h.Write(left[:])
	t.h.Write(right[:])
	return sum(t.h)
}
