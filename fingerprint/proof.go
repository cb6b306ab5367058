package fingerprint

// split is the number of leaves of the left part of a tree of n > 1 leaves:
// the largest power of two below n.
func split(n int64) int64 {
	k := int64(1)
	for k < n-k { // k·2 < n without overflow
		k *= 2
	}
	return k
}

// rootOfLeaves is the root that Tree gives.
func rootOfLeaves(leaves []Digest) Digest {
	var t Tree
	for _, l := range leaves {
		t.Add(l)
	}
	return t.Root()
}

// proofOf lists the digests that lead from leaf i to the root, the lowest first
// (RFC 6962, 2.1.1).
func proofOf(leaves []Digest, i int64) []Digest {
	n := int64(len(leaves))
	if n <= 1 {
		return nil
	}
	if k := split(n); i < k {
		return append(proofOf(leaves[:k], i), rootOfLeaves(leaves[k:]))
	} else {
		return append(proofOf(leaves[k:], i-k), rootOfLeaves(leaves[:k]))
	}
}

// climb is the root that a proof leads to from leaf i of n; false where the
// proof has not the length that this leaf needs.
func climb(leaf Digest, i, n int64, proof []Digest) (Digest, bool) {
	if i < 0 || i >= n {
		return Digest{}, false
	}
	if n == 1 {
		return leaf, len(proof) == 0
	}
	if len(proof) == 0 {
		return Digest{}, false
	}
	var t Tree
	top := proof[len(proof)-1]
	k := split(n)
	if i < k {
		below, ok := climb(leaf, i, k, proof[:len(proof)-1])
		return t.node(below, top), ok
	}
	below, ok := climb(leaf, i-k, n-k, proof[:len(proof)-1])
	return t.node(top, below), ok
}
