package evalue

// InBlocksOf is Blocks with blocks of another size.
var InBlocksOf = inBlocksOf
