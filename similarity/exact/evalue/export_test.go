package evalue

// InBlocksOf is Blocks on one axis, with blocks of another size.
func InBlocksOf(size int, t Table, seed []byte) float64 { return Pool(t.betsInBlocksOf(size, seed)) }
