//go:build !amd64 || purego

package manyhash

// Wide tells whether this is faster than hashing one message after the other.
func Wide() bool { return false }

// hashChunk takes the chunk of each message that begins at src, stride bytes from one to
// the next, into the chaining values.
func hashChunk(cv *lanes, src []byte, messages, stride int, number uint64, mode uint32) {
	chunkPlain(cv, src, messages, stride, number, mode)
}

// hashParent sets right to the parents of left and right.
func hashParent(right, left *lanes, key *[8]uint32, flags uint32) {
	parentPlain(right, left, key, flags)
}
