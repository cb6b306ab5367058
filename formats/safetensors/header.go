package safetensors

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
)

// Limits of this reader beside the format's own.
const (
	maxRank      = 64
	maxNameBytes = 64 << 10
	maxTensors   = 1 << 18 // the largest published mixtures have some 140,000, over all shards
	maxDims      = 1 << 21 // of all shapes together
	maxNames     = 16 << 20
	maxPairs     = 1 << 16 // of __metadata__
	maxUnknown   = 64      // fields of an entry that are not the format's

	// Of __metadata__ so much is kept; longer strings stay in the file.
	heldString = 1 << 20
	heldBytes  = 16 << 20
)

// dtypes maps the format's names of element types.
var dtypes = func() map[string]tensor.DType {
	m := map[string]tensor.DType{}
	for d := tensor.Bool; d <= tensor.F4; d++ {
		m[d.String()] = d
	}
	return m
}()

// entry is one tensor as the header describes it.
type entry struct {
	name       string
	at         int // of the name, in the header
	dtype      tensor.DType
	shape      []int64
	begin, end int64
}

// header reads the JSON object.
func (s *scanner) header() (entries []entry, meta map[string]string, err error) {
	if s.byte(0) != '{' {
		if err := s.forgive(s.unexpected("header", "'{' as the first byte")); err != nil {
			return nil, nil, err
		}
	}
	seen := map[string]bool{}
	names := 0
	err = s.members("header", func(name string, at int) error {
		if seen[name] {
			return s.fail(at, quoted(name), "the name stands twice in the header")
		}
		name = s.packed(name)
		seen[name] = true
		names += len(name)
		switch {
		case len(entries) == maxTensors:
			return tensor.Errorf(tensor.ErrLimit, s.file, int64(at)+8, "header", "more than %d tensors", maxTensors)
		case names > maxNames || s.dims > maxDims:
			return tensor.Errorf(tensor.ErrLimit, s.file, int64(at)+8, "header", "names of more than %d bytes, or shapes of more than %d dimensions together", maxNames, maxDims)
		}
		if name == "__metadata__" {
			meta, err = s.metadata()
			return err
		}
		e, err := s.entry(name, at)
		entries = append(entries, e)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return entries, meta, s.rest()
}

// rest requires spaces up to the end of the header.
func (s *scanner) rest() error {
	for ; s.i < s.n; s.i++ {
		switch c := s.byte(s.i); c {
		case ' ':
		case '\t', '\n', '\r':
			if err := s.forgive(s.fail(s.i, "header", "only spaces may follow the object, found byte 0x%02x", c)); err != nil {
				return err
			}
			s.space()
			s.i--
		default:
			return s.fail(s.i, "header", "only spaces may follow the object, found byte 0x%02x", c)
		}
	}
	return nil
}

func quoted(name string) string { return "tensor " + strconv.QuoteToASCII(name) }

// metadata reads the map of strings that a header may hold.
func (s *scanner) metadata() (map[string]string, error) {
	meta := map[string]string{}
	held := 0
	err := s.members("__metadata__", func(key string, at int) error {
		field := "__metadata__ " + strconv.QuoteToASCII(key)
		if _, twice := meta[key]; twice {
			return s.fail(at, field, "the key stands twice")
		}
		v, whole, err := s.str(field, heldString)
		if err == nil && !whole {
			s.warnings = append(s.warnings, fmt.Sprintf("%s: %s: a string of more than %d bytes stays in the file", escape.Printable(s.file), field, heldString))
		}
		meta[key] = v
		if held += len(key) + len(v); len(meta) > maxPairs || held > heldBytes {
			return tensor.Errorf(tensor.ErrLimit, s.file, int64(at)+8, "__metadata__", "more than %d pairs, or more than %d bytes together", maxPairs, heldBytes)
		}
		return err
	})
	return meta, err
}

// entry reads the description of one tensor: dtype, shape and data_offsets,
// each once and nothing else.
func (s *scanner) entry(name string, at int) (entry, error) {
	e := entry{name: name, at: at}
	field := quoted(name)
	var seen []string
	err := s.members(field, func(key string, at int) error {
		if slices.Contains(seen, key) {
			return s.fail(at, field+" "+strconv.QuoteToASCII(key), "the field stands twice")
		}
		if seen = append(seen, key); len(seen) > maxUnknown+3 {
			return tensor.Errorf(tensor.ErrLimit, s.file, int64(at)+8, field, "more than %d unknown fields", maxUnknown)
		}
		switch key {
		case "dtype":
			return s.dtype(&e, field)
		case "shape":
			shape, err := s.numbers(field+" shape", maxRank)
			e.shape = s.kept(shape)
			return err
		case "data_offsets":
			return s.offsets(&e, field)
		}
		if err := s.forgive(s.fail(at, field+" "+strconv.QuoteToASCII(key), "an entry has the fields dtype, shape and data_offsets only")); err != nil {
			return err
		}
		return s.skip(field, 4)
	})
	if err != nil {
		return e, err
	}
	for _, want := range []string{"dtype", "shape", "data_offsets"} {
		if !slices.Contains(seen, want) {
			return e, s.fail(at, field+" "+want, "the field is missing")
		}
	}
	return e, s.size(e, field)
}

func (s *scanner) dtype(e *entry, field string) error {
	at := s.i
	name, whole, err := s.str(field+" dtype", 256)
	if err != nil {
		return err
	}
	d, ok := dtypes[name]
	if !ok || !whole {
		return tensor.Errorf(tensor.ErrUnsupported, s.file, int64(at)+8, field+" dtype", "%s is no type of the format", strconv.QuoteToASCII(name))
	}
	e.dtype = d
	return nil
}

func (s *scanner) offsets(e *entry, field string) error {
	at := s.i
	v, err := s.numbers(field+" data_offsets", 2)
	if err != nil {
		return err
	}
	if len(v) != 2 || v[1] < v[0] {
		return s.fail(at, field+" data_offsets", "two offsets, the second not below the first, found %v", v)
	}
	e.begin, e.end = v[0], v[1]
	return nil
}

// size checks that the range is as long as shape and type make the data. No
// product may overflow, also where an empty dimension makes it zero.
func (s *scanner) size(e entry, field string) error {
	codec, _ := e.dtype.Codec()
	bits := int64(codec.BlockBytes) * 8 / int64(codec.BlockValues)
	if e.dtype == tensor.C64 {
		bits = 64
	}
	n, span := int64(1), bits
	for _, d := range e.shape {
		if d != 0 && span > math.MaxInt64/d {
			return tensor.Errorf(tensor.ErrLimit, s.file, int64(e.at)+8, field+" shape", "the dimensions span more than 2^63-1 bits")
		}
		n *= d
		span *= max(d, 1)
	}
	if n*bits%8 != 0 {
		return s.fail(e.at, field+" shape", "%d values of %v are no whole number of bytes", n, e.dtype)
	}
	if want := n * bits / 8; e.end-e.begin != want {
		return s.fail(e.at, field+" data_offsets", "%d bytes, but shape and type make %d", e.end-e.begin, want)
	}
	return nil
}
