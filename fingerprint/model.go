package fingerprint

import (
	"cmp"
	"context"
	"encoding/binary"
	"hash"
	"io"
	"slices"

	"github.com/zeebo/blake3"

	"github.com/weightprint/weightprint/formats/tensor"
)

// Header is the digest of what a model's tensors are called and what shape
// and type they have. It reads no values; it pins what a comparison looked at
// when not all was read.
func Header(m tensor.Model) Digest {
	h := newHash(purposeHeader)
	for _, t := range byName(m) {
		writeString(h, t.Name)
		writeString(h, t.DType.String())
		writeShape(h, t.Shape)
	}
	return sum(h)
}

func byName(m tensor.Model) []*tensor.Tensor {
	ts := slices.Clone(m.Tensors())
	slices.SortFunc(ts, func(a, b *tensor.Tensor) int { return cmp.Compare(a.Name, b.Name) })
	return ts
}

func writeString(h *blake3.Hasher, s string) {
	var n [8]byte
	binary.LittleEndian.PutUint64(n[:], uint64(len(s)))
	h.Write(n[:])
	h.WriteString(s)
}

// Root is the digest of all values of a model, whatever its tensors are
// called and however they are stored: the value digests of its tensors,
// sorted. It reads every value once.
func Root(ctx context.Context, m tensor.Model) (Digest, error) {
	return RootWith(ctx, m, nil)
}

// Values returns the value digest of a tensor: equal for equal shapes and
// values, whatever the name, the file, the container and the stored type.
func Values(ctx context.Context, t *tensor.Tensor) (d Digest, err error) {
	err = newPass(&Options{}).run(ctx, []*tensor.Tensor{t}, func(w *whole) error {
		d = w.digest()
		return nil
	})
	return d, err
}

// Stored is the digest of size bytes as they lie in a file. The bytes also go to
// the given hashes, so that one pass over the file serves all.
func Stored(ctx context.Context, r io.ReaderAt, size int64, also ...hash.Hash) (Digest, error) {
	h := newHash(purposeStored)
	buf := make([]byte, 1<<20)
	for off := int64(0); off < size; {
		if err := ctx.Err(); err != nil {
			return Digest{}, err
		}
		n, err := r.ReadAt(buf[:min(int64(len(buf)), size-off)], off)
		if n == 0 && err != nil {
			return Digest{}, err
		}
		h.Write(buf[:n])
		for _, x := range also {
			x.Write(buf[:n])
		}
		off += int64(n)
	}
	return sum(h), nil
}
