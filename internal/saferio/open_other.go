//go:build !unix

package saferio

// nonblock has no meaning here: opening does not block.
const nonblock = 0
