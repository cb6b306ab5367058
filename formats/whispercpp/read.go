package whispercpp

import (
	"context"
	"encoding/binary"
	"io"
	"slices"
	"strconv"

	"github.com/weightprint/weightprint/formats/gguf"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/walk"
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
	*walk.Reader

	names int64 // bytes of all so far
}

// Read finds the tensors of a model of size bytes. name is used in errors. No values
// are read.
func Read(ctx context.Context, name string, r io.ReaderAt, size int64) (*File, error) {
	x := &reader{Reader: walk.New(name, r, size, 16<<10)}
	head, err := x.Take(headBytes, "header")
	if err != nil {
		return nil, err
	}
	if !Recognises(head) {
		return nil, x.Fail(tensor.ErrNotModel, 0, "header", "no Whisper model of whisper.cpp")
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
	if err := x.Skip(4*mels*fft, "mel filters"); err != nil {
		return nil, err
	}
	if err := x.vocabulary(ctx); err != nil {
		return nil, err
	}
	for x.At < x.Size {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := x.tensor(f, ftype/1000); err != nil {
			return nil, err
		}
	}
	if len(f.tensors) == 0 {
		return nil, x.Fail(tensor.ErrFormat, x.At, "tensors", "there are none")
	}
	return f, nil
}

// vocabulary passes over the tokens: they are bytes, where other files of the model
// have them in the letters of GPT-2.
func (x *reader) vocabulary(ctx context.Context) error {
	n, err := x.Number("vocabulary")
	if err != nil {
		return err
	}
	if n > maxTokens {
		return x.Fail(tensor.ErrLimit, x.At-4, "vocabulary", "%d tokens, at most %d", n, maxTokens)
	}
	for range n {
		if err := ctx.Err(); err != nil {
			return err
		}
		size, err := x.Number("token")
		if err != nil {
			return err
		}
		if size > maxToken {
			return x.Fail(tensor.ErrLimit, x.At-4, "token", "%d bytes, at most %d", size, maxToken)
		}
		if err := x.Skip(int64(size), "token"); err != nil {
			return err
		}
	}
	return nil
}

// tensor reads one description and steps over the values.
func (x *reader) tensor(f *File, version uint32) error {
	begin := x.At
	head, err := x.Take(12, "tensor")
	if err != nil {
		return err
	}
	rank, length, kind := binary.LittleEndian.Uint32(head), binary.LittleEndian.Uint32(head[4:]), binary.LittleEndian.Uint32(head[8:])
	switch {
	case rank < 1 || rank > maxRank:
		return x.Fail(tensor.ErrFormat, begin, "tensor dimensions", "%d, at least 1 and at most %d", int32(rank), maxRank)
	case length < 1 || length > maxName:
		return x.Fail(tensor.ErrFormat, begin+4, "tensor name", "%d bytes, at least 1 and at most %d", int32(length), maxName)
	case len(f.tensors) == maxTensors || x.names > maxNames:
		return x.Fail(tensor.ErrLimit, begin, "tensors", "more than %d, or names of more than %d bytes", maxTensors, maxNames)
	}
	x.names += int64(length)
	rest, err := x.Take(int64(4*rank+length), "tensor")
	if err != nil {
		return err
	}
	t := &tensor.Tensor{Name: string(rest[4*rank:])}
	for i := range rank { // innermost first
		t.Shape = append(t.Shape, int64(int32(binary.LittleEndian.Uint32(rest[4*i:]))))
	}
	slices.Reverse(t.Shape)
	if f.byName[t.Name] != nil {
		return x.Fail(tensor.ErrFormat, begin, "tensor "+strconv.QuoteToASCII(t.Name), "the name stands twice")
	}
	bytes, err := x.bytes(t, begin, kind, version)
	if err != nil {
		return err
	}
	t.Data = &tensor.Stored{File: x.File, Name: t.Name, R: x.From, Offset: x.At, Bytes: bytes, DType: t.DType}
	if n := len(t.Shape); n == 2 && t.Shape[1] == 1 {
		t.Shape = t.Shape[:1] // the converter gives biases of convolutions a second axis
	}
	f.tensors, f.byName[t.Name] = append(f.tensors, t), t
	return x.Skip(bytes, "tensor "+strconv.QuoteToASCII(t.Name))
}

// bytes sets the type, and is how many bytes the values take.
func (x *reader) bytes(t *tensor.Tensor, begin int64, kind, version uint32) (int64, error) {
	field := "tensor " + strconv.QuoteToASCII(t.Name)
	dtype, ok := gguf.DTypeOf(kind)
	if !ok {
		return 0, x.Fail(tensor.ErrUnsupported, begin+8, field, "the type %d of ggml is unknown", kind)
	}
	t.DType = dtype
	codec, _ := dtype.Codec()
	n, fits := tensor.Elements(t.Shape)
	per := int64(codec.BlockValues)
	switch {
	case per > 1 && version != quantVersion:
		return 0, x.Fail(tensor.ErrUnsupported, begin+8, field, "the blocks are of version %d, version %d is read; whisper.cpp's quantize makes them anew from a file of 16 bits", version, quantVersion)
	case !fits || n > x.Size*per:
		return 0, x.Fail(tensor.ErrFormat, begin, field, "the shape %v has more values than the file can hold", t.Shape)
	case t.Shape[len(t.Shape)-1]%per != 0:
		return 0, x.Fail(tensor.ErrFormat, begin, field, "rows of %d values are no whole blocks of %d", t.Shape[len(t.Shape)-1], per)
	}
	return n / per * int64(codec.BlockBytes), nil
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
