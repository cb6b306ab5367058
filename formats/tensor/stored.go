package tensor

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"

	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/internal/quant"
)

// Stored is Data kept as one run of bytes of a file.
type Stored struct {
	File      string // for errors
	Name      string // the tensor's, for errors
	R         io.ReaderAt
	Offset    int64 // of the first byte, in R
	Bytes     int64
	DType     DType
	BigEndian bool
}

// Stored tells where the values are stored as one run of bytes of a file: data that is
// *Stored, or makes one when asked by a method Stored.
func (t *Tensor) Stored() (*Stored, bool) { return plain(t.Data) }

func plain(d Data) (*Stored, bool) {
	switch x := d.(type) {
	case *Stored:
		return x, true
	case interface{ Stored() *Stored }:
		return x.Stored(), true
	}
	return nil, false
}

// StoredOf is the same of data, also where values are read through data that keeps accounts: data
// with a method Unwrap.
func StoredOf(d Data) (*Stored, bool) {
	for {
		s, ok := plain(d)
		if ok {
			return s, true
		}
		x, ok := d.(interface{ Unwrap() Data })
		if !ok {
			return nil, false
		}
		d = x.Unwrap()
	}
}

// scratchBytes bounds the memory of one ReadValues call beside dst.
const scratchBytes = 256 << 10

var scratch = sync.Pool{New: func() any { b := make([]byte, scratchBytes); return &b }}

// StoredBytes is the length of the run.
func (s *Stored) StoredBytes() int64 { return s.Bytes }

// ReadValues decodes the values [first, first+len(dst)). Bytes that are not
// there give io.ErrUnexpectedEOF: the file was cut or changed after opening.
func (s *Stored) ReadValues(ctx context.Context, dst []float32, first int64) error {
	codec, ok := s.DType.Codec()
	if !ok {
		return Errorf(ErrUnsupported, s.File, s.Offset, "tensor "+escape.Printable(s.Name), "values of type %v cannot be decoded", s.DType)
	}
	buf := scratch.Get().(*[]byte)
	defer scratch.Put(buf)
	bv := int64(codec.BlockValues)
	var edge [8]float32 // types whose rows may start inside a block have at most 4 values a block
	for len(dst) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		block, skip := first/bv, first%bv
		if skip > 0 || int64(len(dst)) < bv {
			// A partial block: decode it aside and keep what was asked for.
			whole := edge[:]
			if int(bv) > len(edge) {
				whole = make([]float32, bv)
			}
			if err := s.readBlocks(codec, *buf, whole[:bv], block); err != nil {
				return err
			}
			n := copy(dst, whole[skip:bv])
			dst, first = dst[n:], first+int64(n)
			continue
		}
		n := min(int64(len(dst))/bv, int64(len(*buf)/codec.BlockBytes))
		if err := s.readBlocks(codec, *buf, dst[:n*bv], block); err != nil {
			return err
		}
		dst, first = dst[n*bv:], first+n*bv
	}
	return nil
}

// readBlocks decodes len(dst)/BlockValues whole blocks from number block on.
func (s *Stored) readBlocks(codec *Codec, buf []byte, dst []float32, block int64) error {
	src := buf[:len(dst)/codec.BlockValues*codec.BlockBytes]
	if err := s.ReadLittle(src, block*int64(codec.BlockBytes)); err != nil {
		return err
	}
	if s.DType == Bool {
		if i := bytes.IndexFunc(src, func(r rune) bool { return r > 1 }); i >= 0 {
			return Errorf(ErrFormat, s.File, s.Offset+block+int64(i), "tensor "+escape.Printable(s.Name), "a boolean is 0 or 1, found %d", src[i])
		}
	}
	codec.Decode(dst, src)
	return nil
}

// ReadRaw fills p with the stored bytes from offset on, as they lie in the
// file.
func (s *Stored) ReadRaw(p []byte, offset int64) error {
	if n, err := s.R.ReadAt(p, s.Offset+offset); n < len(p) {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		var known *FormatError
		if errors.As(err, &known) {
			return err
		}
		return Errorf(err, s.File, s.Offset+offset, "tensor "+escape.Printable(s.Name), "reading %d bytes: %v", len(p), err)
	}
	return nil
}

// ReadLittle fills p with whole stored blocks from offset on, in little-endian
// order whatever the file's. offset and len(p) are multiples of the block's
// size.
func (s *Stored) ReadLittle(p []byte, offset int64) error {
	if err := s.ReadRaw(p, offset); err != nil {
		return err
	}
	if codec, ok := s.DType.Codec(); ok && s.BigEndian {
		quant.Swap(p, codec.BlockBytes, codec.Fields)
	}
	return nil
}

// CellsOf tells where codes stand for intervals of values, also behind data that
// keeps accounts.
func CellsOf(d Data) (Cells, bool) {
	for {
		switch x := d.(type) {
		case Cells:
			return x, true
		case interface{ Unwrap() Data }:
			d = x.Unwrap()
		default:
			return nil, false
		}
	}
}
