package commitment

import "github.com/weightprint/weightprint/fingerprint"

// split is the number of leaves of the left part of a tree of n > 1 leaves:
// the largest power of two below n.
func split(n int64) int64 {
	k := int64(1)
	for k < n-k { // k·2 < n without overflow
		k *= 2
	}
	return k
}

// rootOf is the root of fingerprint.Tree over leaves.
func rootOf(leaves ...fingerprint.Digest) fingerprint.Digest {
	var t fingerprint.Tree
	for _, l := range leaves {
		t.Add(l)
	}
	return t.Root()
}

// proofOf lists the digests that lead from leaf i to the root, the lowest first
// (RFC 6962, 2.1.1).
func proofOf(leaves []fingerprint.Digest, i int64) []fingerprint.Digest {
	n := int64(len(leaves))
	if n <= 1 {
		return nil
	}
	k := split(n)
	if i < k {
		return append(proofOf(leaves[:k], i), rootOf(leaves[k:]...))
	}
	return append(proofOf(leaves[k:], i-k), rootOf(leaves[:k]...))
}

// climb is the root that a proof leads to from leaf i of n; false where the
// proof has not the length that this leaf needs.
func climb(leaf fingerprint.Digest, i, n int64, proof []fingerprint.Digest) (fingerprint.Digest, bool) {
	switch {
	case i < 0 || i >= n:
		return leaf, false
	case n == 1 || len(proof) == 0:
		return leaf, n == 1 && len(proof) == 0
	}
	top, rest := proof[len(proof)-1], proof[:len(proof)-1]
	k := split(n)
	if i < k {
		below, ok := climb(leaf, i, k, rest)
		return rootOf(below, top), ok
	}
	below, ok := climb(leaf, i-k, n-k, rest)
	return rootOf(top, below), ok
}
