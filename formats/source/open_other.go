//go:build !unix

package source

// nonblock has no meaning here: opening does not block.
const nonblock = 0
