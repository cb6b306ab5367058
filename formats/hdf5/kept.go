package hdf5

import "sync"

// keptBytes is how much of the inflated chunks of a file stays in memory, however many
// datasets it has.
const keptBytes = 32 << 20

// kept holds the chunks that were read last, oldest first.
type kept struct {
	mu     sync.Mutex
	bytes  int
	chunks map[chunkOf][]byte
	old    []chunkOf
}

// chunkOf is the chunk of a dataset that begins at a corner.
type chunkOf struct {
	dataset *chunked
	corner  string
}

// chunk returns a chunk, nil if it is not held.
func (k *kept) chunk(of chunkOf) []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.chunks[of]
}

// keep holds a chunk until others have taken its room.
func (k *kept) keep(of chunkOf, b []byte) []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.chunks == nil {
		k.chunks = map[chunkOf][]byte{}
	}
	for len(k.old) > 0 && k.bytes+len(b) > keptBytes {
		k.bytes -= len(k.chunks[k.old[0]])
		delete(k.chunks, k.old[0])
		k.old = k.old[1:]
	}
	k.chunks[of], k.bytes = b, k.bytes+len(b)
	k.old = append(k.old, of)
	return b
}
