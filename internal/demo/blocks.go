package demo

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"math"

	"github.com/weightprint/weightprint/internal/quant"
)

// A file of Q8_0 blocks that was quantised from a safetensors file of bfloat16 is kept
// as the places where its blocks come from, and as the bytes between them: quantising
// again gives the blocks. Runs of bytes and of blocks take turns, each behind its length;
// a block's place is kept as the distance to the one after the block before.

// What Q8_0 makes of 32 values.
const (
	blockValues = 32
	blockBytes  = 34
)

var errBlocks = errors.New("demo: blocks come from no place of the file that they were made from")

// blocksOf quantises all values of a safetensors file whose tensors hold whole blocks.
func blocksOf(b []byte) []byte {
	if len(b) < 8 {
		return nil
	}
	head := binary.LittleEndian.Uint64(b)
	if head > uint64(len(b)-8) {
		return nil
	}
	b = b[8+head:]
	values := make([]float32, len(b)/2/blockValues*blockValues)
	for i := range values {
		values[i] = math.Float32frombits(uint32(word(b, i)) << 16)
	}
	out := make([]byte, len(values)/blockValues*blockBytes)
	quant.EncodeQ8_0(out, values)
	return out
}

// asPlaces gives runs of bytes and places of blocks for a file.
func asPlaces(file, from []byte) (out []byte) {
	blocks, at := blocksOf(from), map[string]int{}
	for i := range len(blocks) / blockBytes {
		at[string(blocks[i*blockBytes:(i+1)*blockBytes])] = i
	}
	find := func(o int) (int, bool) {
		if o+blockBytes > len(file) {
			return 0, false
		}
		i, ok := at[string(file[o:o+blockBytes])]
		return i, ok
	}
	expected := 0
	for o := 0; o < len(file); {
		bytes := o
		for _, ok := find(o); !ok && o < len(file); _, ok = find(o) {
			o++
		}
		out = append(binary.AppendUvarint(out, uint64(o-bytes)), file[bytes:o]...)
		var places []byte
		n := 0
		for i, ok := find(o); ok; i, ok = find(o) {
			places = binary.AppendVarint(places, int64(i-expected))
			expected, o, n = i+1, o+blockBytes, n+1
		}
		out = append(binary.AppendUvarint(out, uint64(n)), places...)
	}
	return out
}

// fromPlaces undoes asPlaces for a file of a size.
func fromPlaces(r *bufio.Reader, size int, from []byte) ([]byte, error) {
	blocks, out, next := blocksOf(from), make([]byte, 0, size), int64(0)
	for len(out) < size {
		n, err := binary.ReadUvarint(r)
		if err != nil {
			return nil, io.ErrUnexpectedEOF
		}
		if n > uint64(size-len(out)) {
			return nil, errBlocks
		}
		start := len(out)
		out = out[:start+int(n)]
		if _, err := io.ReadFull(r, out[start:]); err != nil {
			return nil, io.ErrUnexpectedEOF
		}
		if n, err = binary.ReadUvarint(r); err != nil {
			return nil, io.ErrUnexpectedEOF
		}
		if n > uint64(size-len(out))/blockBytes {
			return nil, errBlocks
		}
		for range n {
			far, err := binary.ReadVarint(r)
			if err != nil {
				return nil, io.ErrUnexpectedEOF
			}
			if next += far; next < 0 || next >= int64(len(blocks)/blockBytes) {
				return nil, errBlocks
			}
			out = append(out, blocks[next*blockBytes:(next+1)*blockBytes]...)
			next++
		}
	}
	return out, nil
}
