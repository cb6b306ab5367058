package whispercpp

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"slices"
	"strconv"

	"github.com/weightprint/weightprint/formats/gguf"
	"github.com/weightprint/weightprint/formats/tensor"
)

const (
	magic      = 0x67676d6c // "ggml"
	numbers    = 11         // of a model, behind the magic
	headBytes  = 4 * (1 + numbers + 2)
	maxFFT     = 1 << 13
	maxMels    = 1 << 10
	maxTokens  = 1 << 20
	maxToken   = 1 << 16
	maxTensors = 1 << 16
	maxName    = 1 << 10
	maxNames   = 8 << 20 // bytes of all names; a large model has 60 KB
	maxRank    = 4

	// quantVersion is that of the blocks of quantised types as they are today; files
	// say it in thousands beside their type.
	quantVersion = 2
)

// fields are the numbers of a model, in stored order, and the keys of a config.json
// that declare the same.
var fields = [numbers]string{
	"vocab_size", "max_source_positions", "d_model", "encoder_attention_heads", "encoder_layers",
	"max_target_positions", "decoder_d_model", "decoder_attention_heads", "decoder_layers", "num_mel_bins", "ftype",
}

// File is the description of a model. It implements tensor.Model and is safe for
// concurrent use.
type File struct {
	meta    tensor.Metadata
	tensors []*tensor.Tensor
	byName  map[string]*tensor.Tensor
}

// Recognises tells from a file's beginning whether it is a Whisper model of
// whisper.cpp: the magic is that of many, the numbers behind it agree with the mel
// filters that follow.
func Recognises(head []byte) bool {
	if len(head) < headBytes || binary.LittleEndian.Uint32(head) != magic {
		return false
	}
	at := func(i int) uint32 { return binary.LittleEndian.Uint32(head[4+4*i:]) }
	mels, fft := at(9), at(numbers+1)
	return mels > 0 && mels <= maxMels && at(numbers) == mels && fft > 0 && fft <= maxFFT && at(2) > 0 && at(2) == at(6)
}

// reader walks through a file. Everything but the tensors' values is read in order.
type reader struct {
	file string
	b    *bufio.Reader
	r    io.ReaderAt
	at   int64
	size int64

	names int64 // bytes of all so far
}

// Read finds the tensors of a model of size bytes. name is used in errors. No values
// are read.
func Read(ctx context.Context, name string, r io.ReaderAt, size int64) (*File, error) {
	x := &reader{file: name, r: r, size: size}
	x.seek(0)
	head, err := x.take(headBytes, "header")
	if err != nil {
		return nil, err
	}
	if !Recognises(head) {
		return nil, x.fail(tensor.ErrNotModel, 0, "header", "no Whisper model of whisper.cpp")
	}
	f := &File{meta: tensor.Metadata{"config.model_type": "whisper"}, byName: map[string]*tensor.Tensor{}}
	ftype := uint32(0)
	for i, key := range fields {
		v := binary.LittleEndian.Uint32(head[4+4*i:])
		if ftype = v; key != "ftype" {
			f.meta["config."+key] = int64(int32(v))
		}
	}
	f.meta["whispercpp.ftype"] = int64(ftype)
	mels, fft := int64(binary.LittleEndian.Uint32(head[4+4*numbers:])), int64(binary.LittleEndian.Uint32(head[8+4*numbers:]))
	if err := x.skip(4*mels*fft, "mel filters"); err != nil {
		return nil, err
	}
	if err := x.vocabulary(ctx); err != nil {
		return nil, err
	}
	for x.at < x.size {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := x.tensor(f, ftype/1000); err != nil {
			return nil, err
		}
	}
	if len(f.tensors) == 0 {
		return nil, x.fail(tensor.ErrFormat, x.at, "tensors", "there are none")
	}
	return f, nil
}

// vocabulary passes over the tokens: they are bytes, where other files of the model
// have them in the letters of GPT-2.
func (x *reader) vocabulary(ctx context.Context) error {
	n, err := x.number("vocabulary")
	if err != nil {
		return err
	}
	if n > maxTokens {
		return x.fail(tensor.ErrLimit, x.at-4, "vocabulary", "%d tokens, at most %d", n, maxTokens)
	}
	for range n {
		if err := ctx.Err(); err != nil {
			return err
		}
		size, err := x.number("token")
		if err != nil {
			return err
		}
		if size > maxToken {
			return x.fail(tensor.ErrLimit, x.at-4, "token", "%d bytes, at most %d", size, maxToken)
		}
		if err := x.skip(int64(size), "token"); err != nil {
			return err
		}
	}
	return nil
}

// tensor reads one description and steps over the values.
func (x *reader) tensor(f *File, version uint32) error {
	begin := x.at
	head, err := x.take(12, "tensor")
	if err != nil {
		return err
	}
	rank, length, kind := binary.LittleEndian.Uint32(head), binary.LittleEndian.Uint32(head[4:]), binary.LittleEndian.Uint32(head[8:])
	switch {
	case rank < 1 || rank > maxRank:
		return x.fail(tensor.ErrFormat, begin, "tensor dimensions", "%d, at least 1 and at most %d", int32(rank), maxRank)
	case length < 1 || length > maxName:
		return x.fail(tensor.ErrFormat, begin+4, "tensor name", "%d bytes, at least 1 and at most %d", int32(length), maxName)
	case len(f.tensors) == maxTensors || x.names > maxNames:
		return x.fail(tensor.ErrLimit, begin, "tensors", "more than %d, or names of more than %d bytes", maxTensors, maxNames)
	}
	x.names += int64(length)
	rest, err := x.take(int64(4*rank+length), "tensor")
	if err != nil {
		return err
	}
	t := &tensor.Tensor{Name: string(rest[4*rank:])}
	for i := range rank { // innermost first
		t.Shape = append(t.Shape, int64(int32(binary.LittleEndian.Uint32(rest[4*i:]))))
	}
	slices.Reverse(t.Shape)
	if f.byName[t.Name] != nil {
		return x.fail(tensor.ErrFormat, begin, "tensor "+strconv.QuoteToASCII(t.Name), "the name stands twice")
	}
	bytes, err := x.bytes(t, begin, kind, version)
	if err != nil {
		return err
	}
	t.Data = &tensor.Stored{File: x.file, Name: t.Name, R: x.r, Offset: x.at, Bytes: bytes, DType: t.DType}
	if n := len(t.Shape); n == 2 && t.Shape[1] == 1 {
		t.Shape = t.Shape[:1] // the converter gives biases of convolutions a second axis
	}
	f.tensors, f.byName[t.Name] = append(f.tensors, t), t
	return x.skip(bytes, "tensor "+strconv.QuoteToASCII(t.Name))
}

// bytes sets the type, and is how many bytes the values take.
func (x *reader) bytes(t *tensor.Tensor, begin int64, kind, version uint32) (int64, error) {
	field := "tensor " + strconv.QuoteToASCII(t.Name)
	dtype, ok := gguf.DTypeOf(kind)
	if !ok {
		return 0, x.fail(tensor.ErrUnsupported, begin+8, field, "the type %d of ggml is unknown", kind)
	}
	t.DType = dtype
	codec, _ := dtype.Codec()
	n, fits := tensor.Elements(t.Shape)
	per := int64(codec.BlockValues)
	switch {
	case per > 1 && version != quantVersion:
		return 0, x.fail(tensor.ErrUnsupported, begin+8, field, "the blocks are of version %d, version %d is read; whisper.cpp's quantize makes them anew from a file of 16 bits", version, quantVersion)
	case !fits || n > x.size*per:
		return 0, x.fail(tensor.ErrFormat, begin, field, "the shape %v has more values than the file can hold", t.Shape)
	case t.Shape[len(t.Shape)-1]%per != 0:
		return 0, x.fail(tensor.ErrFormat, begin, field, "rows of %d values are no whole blocks of %d", t.Shape[len(t.Shape)-1], per)
	}
	return n / per * int64(codec.BlockBytes), nil
}

func (x *reader) fail(class error, at int64, field, rule string, args ...any) error {
	return tensor.Errorf(class, x.file, at, field, rule, args...)
}

// seek goes on at another place.
func (x *reader) seek(at int64) {
	x.at = at
	x.b = bufio.NewReaderSize(io.NewSectionReader(x.r, at, x.size-at), 16<<10)
}

// take reads n bytes, which are few.
func (x *reader) take(n int64, field string) ([]byte, error) {
	if n > x.size-x.at {
		return nil, x.fail(io.ErrUnexpectedEOF, x.at, field, "%d bytes, but the file ends after %d", n, x.size-x.at)
	}
	p := make([]byte, n)
	if _, err := io.ReadFull(x.b, p); err != nil {
		return nil, x.fail(err, x.at, field, "reading: %v", err)
	}
	x.at += n
	return p, nil
}

func (x *reader) number(field string) (uint32, error) {
	p, err := x.take(4, field)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(p), nil
}

// skip steps over bytes without reading more of them than are at hand.
func (x *reader) skip(n int64, field string) error {
	switch {
	case n > x.size-x.at:
		return x.fail(io.ErrUnexpectedEOF, x.at, field, "%d bytes, but the file ends after %d", n, x.size-x.at)
	case n <= int64(x.b.Buffered()):
		x.b.Discard(int(n)) // it is at hand
		x.at += n
	default:
		x.seek(x.at + n)
	}
	return nil
}

// Tensors lists the tensors in stored order.
func (f *File) Tensors() []*tensor.Tensor { return f.tensors }

// Tensor returns the tensor of that name.
func (f *File) Tensor(name string) (*tensor.Tensor, bool) {
	t, ok := f.byName[name]
	return t, ok
}

// Metadata returns the numbers of the model under the keys of a config.json.
func (f *File) Metadata() tensor.Metadata { return f.meta }
