package faithful

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/weightprint/weightprint/formats/gguf"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/saferio"
)

// Bounds of an importance file: those of the largest models have some hundred
// megabytes.
const (
	maxImportance = 1 << 30
	maxEntries    = 1 << 17
	maxColumns    = 1 << 28
)

// ReadImportance reads an importance matrix as llama.cpp writes it, in a GGUF file
// or in the older form, and returns the importance of each column of each matrix
// by the name of its tensor: the mean square of what the column was multiplied by.
func ReadImportance(ctx context.Context, name string, r io.ReaderAt, size int64) (map[string][]float32, error) {
	if size > maxImportance {
		return nil, tensor.Errorf(tensor.ErrLimit, name, 0, "size", "%d bytes, at most %d", size, maxImportance)
	}
	var magic [4]byte
	if _, err := r.ReadAt(magic[:], 0); err != nil {
		return nil, tensor.Errorf(io.ErrUnexpectedEOF, name, 0, "magic", "an importance matrix begins with four bytes: %v", err)
	}
	if bytes.Equal(magic[:], []byte("GGUF")) {
		return importanceGGUF(ctx, name, r, size)
	}
	return importanceOlder(ctx, name, r, size)
}

// importanceGGUF reads sums of squares and counts, which stand in two tensors for
// each matrix; stacked matrices have a row of each.
func importanceGGUF(ctx context.Context, name string, r io.ReaderAt, size int64) (map[string][]float32, error) {
	f, err := gguf.Read(ctx, name, r, size)
	if err != nil {
		return nil, err
	}
	out := map[string][]float32{}
	for _, t := range f.Tensors() {
		stem, ok := strings.CutSuffix(t.Name, ".in_sum2")
		if !ok {
			continue
		}
		counts, ok := f.Tensor(stem + ".counts")
		if t.DType != tensor.F32 || ok && counts.DType != tensor.F32 {
			return nil, tensor.Errorf(tensor.ErrFormat, name, -1, "tensor "+t.Name, "sums and counts are F32")
		}
		if !ok || counts.Len() == 0 || t.Len()%counts.Len() != 0 {
			return nil, tensor.Errorf(tensor.ErrFormat, name, -1, "tensor "+t.Name, "sums need a tensor of counts that divides them")
		}
		sums, n := make([]float32, t.Len()), make([]float32, counts.Len())
		if err := t.Data.ReadValues(ctx, sums, 0); err != nil {
			return nil, err
		}
		if err := counts.Data.ReadValues(ctx, n, 0); err != nil {
			return nil, err
		}
		means(sums, n)
		out[stem] = sums
	}
	if len(out) == 0 {
		return nil, tensor.Errorf(tensor.ErrFormat, name, 0, "tensors", "no tensor ends in .in_sum2: this is no importance matrix")
	}
	return out, nil
}

// means divides each row of sums by its count; rows that nothing reached have
// equal importance.
func means(sums, counts []float32) {
	per := len(sums) / len(counts)
	for i := range sums {
		if c := counts[i/per]; c > 0 {
			sums[i] /= c
		} else {
			sums[i] = 1
		}
	}
}

// importanceOlder reads the form before GGUF: a count of entries, and for each its
// name, how many calls it sums, and as many numbers as it says.
func importanceOlder(ctx context.Context, name string, r io.ReaderAt, size int64) (map[string][]float32, error) {
	c := saferio.NewCursor(r, size)
	number := func(field string, most uint32) (int, error) {
		at := c.Offset()
		b, err := c.Next(4)
		if err != nil {
			return 0, tensor.Errorf(io.ErrUnexpectedEOF, name, at, field, "%v", err)
		}
		n := binary.LittleEndian.Uint32(b)
		if n > most {
			return 0, tensor.Errorf(tensor.ErrFormat, name, at, field, "%d, at most %d: this is no importance matrix", n, most)
		}
		return int(n), nil
	}
	n, err := number("entries", maxEntries)
	if err != nil {
		return nil, err
	}
	out := map[string][]float32{}
	for range n {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := olderEntry(name, c, number, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func olderEntry(name string, c *saferio.Cursor, number func(string, uint32) (int, error), out map[string][]float32) error {
	length, err := number("name length", 1<<10)
	if err != nil {
		return err
	}
	at := c.Offset()
	text, err := c.Next(uint64(length))
	if err != nil {
		return tensor.Errorf(io.ErrUnexpectedEOF, name, at, "name", "%v", err)
	}
	entry := string(text)
	calls, err := number(fmt.Sprintf("calls of %.80q", entry), math.MaxUint32)
	if err != nil {
		return err
	}
	columns, err := number(fmt.Sprintf("columns of %.80q", entry), maxColumns)
	if err != nil {
		return err
	}
	at = c.Offset()
	raw, err := c.Next(4 * uint64(columns))
	if err != nil {
		return tensor.Errorf(io.ErrUnexpectedEOF, name, at, fmt.Sprintf("numbers of %.80q", entry), "%v", err)
	}
	w := make([]float32, columns)
	for i := range w {
		if w[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:])); calls > 0 {
			w[i] /= float32(calls)
		}
	}
	out[entry] = w
	return nil
}
