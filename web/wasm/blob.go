//go:build js

package main

import (
	"fmt"
	"io"
	"sync"
	"syscall/js"

	"github.com/weightprint/weightprint/formats/tensor"
)

// A browser takes its time for every range, however short. Short reads go through
// blocks, of which a few are kept.
const (
	blockBytes = 64 << 10
	mostBlocks = 128
)

// blob reads ranges of a File.
type blob struct {
	name   string
	file   js.Value
	size   int64
	folder *folder

	mu     sync.Mutex // guards what follows
	blocks map[int64][]byte
	order  []int64 // of blocks, the oldest first
}

func (b *blob) Size() int64  { return b.size }
func (b *blob) Close() error { return nil }

// ReadAt reads long ranges at once and short ones by blocks.
func (b *blob) ReadAt(p []byte, off int64) (n int, err error) {
	if len(p) >= blockBytes {
		return b.slice(p, off)
	}
	for n < len(p) && off+int64(n) < b.size {
		at := (off + int64(n)) / blockBytes
		block, err := b.block(at)
		if err != nil {
			return n, err
		}
		n += copy(p[n:], block[off+int64(n)-at*blockBytes:])
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// block reads one block, or returns it as it was read before.
func (b *blob) block(at int64) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if block, ok := b.blocks[at]; ok {
		return block, nil
	}
	block := make([]byte, min(blockBytes, b.size-at*blockBytes))
	if _, err := b.slice(block, at*blockBytes); err != nil && err != io.EOF {
		return nil, err
	}
	if len(b.order) == mostBlocks {
		delete(b.blocks, b.order[0])
		b.order = b.order[1:]
	}
	b.blocks[at], b.order = block, append(b.order, at)
	return block, nil
}

// slice reads a range of the file. What the browser refuses, such as a file that has
// changed since it was dropped, is an error.
func (b *blob) slice(p []byte, off int64) (n int, err error) {
	if off >= b.size {
		return 0, io.EOF
	}
	defer func() {
		if x := recover(); x != nil {
			thrown, ok := x.(js.Error)
			if !ok {
				panic(x)
			}
			n, err = 0, tensor.Errorf(tensor.ErrChanged, b.name, off, "file", "the browser cannot read it any more: %s", thrown.Get("name").String())
		}
	}()
	end := min(b.size, off+int64(len(p)))
	part := b.file.Call("slice", float64(off), float64(end))
	got := js.Global().Get("Uint8Array").New(b.folder.reader.Call("readAsArrayBuffer", part))
	n = js.CopyBytesToGo(p, got)
	b.folder.told.read(int64(n))
	switch {
	case int64(n) != end-off:
		return n, fmt.Errorf("%s: %d bytes at %d, of %d asked for: %w", b.name, n, off, end-off, io.ErrUnexpectedEOF)
	case n < len(p):
		return n, io.EOF
	}
	return n, nil
}
