package flax

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/internal/saferio"
)

// Limits of this reader.
const (
	maxDepth = 64
	maxNodes = 1 << 18
	maxKeys  = 32 << 20 // bytes of all keys together
	maxKey   = 4096
	maxRank  = 32
)

// Types of extensions (flax.serialization._MsgpackExtType).
const (
	extArray  = 1
	extScalar = 3
)

// node is a value of the tree: a map, an array, a number, or something of no
// concern.
type node struct {
	keys     []string
	children []*node
	isMap    bool
	array    *array
	number   int64
	isNumber bool
	what     string // for errors
}

// get returns the value under a key, nil if there is none.
func (n *node) get(key string) *node {
	for i, k := range n.keys {
		if k == key {
			return n.children[i]
		}
	}
	return nil
}

// decoder reads msgpack from front to back.
type decoder struct {
	file  string
	c     *saferio.Cursor
	at    int64 // of the value under way
	nodes int
	keys  int
}

func (d *decoder) fail(class error, field, rule string, args ...any) error {
	return tensor.Errorf(class, d.file, d.at, field, rule, args...)
}

// take returns the next bytes, valid until the next call.
func (d *decoder) take(n uint64, field string) ([]byte, error) {
	b, err := d.c.Next(n)
	if err != nil {
		return nil, d.cut(err, field)
	}
	return b, nil
}

func (d *decoder) skip(n uint64, field string) error {
	if err := d.c.Skip(n); err != nil {
		return d.cut(err, field)
	}
	return nil
}

func (d *decoder) cut(err error, field string) error {
	var known *tensor.FormatError
	if errors.As(err, &known) {
		return err
	}
	return d.fail(err, field, "%v", err)
}

// number reads a big-endian number of n bytes.
func (d *decoder) number(n uint64) (uint64, error) {
	b, err := d.take(n, "number")
	if err != nil {
		return 0, err
	}
	v := uint64(0)
	for _, x := range b {
		v = v<<8 | uint64(x)
	}
	return v, nil
}

// kind is what a value's first byte says.
type kind uint8

const (
	kindOther kind = iota
	kindNumber
	kindText
	kindBytes
	kindList
	kindMap
	kindExt
)

// header is a value's beginning: its kind and the number that goes with it, a
// length or the value itself.
type header struct {
	kind kind
	n    uint64
	ext  uint8
}

// forms lists the first bytes with a number behind them: its kind and how many
// bytes the number has.
var forms = map[byte]struct {
	kind  kind
	bytes uint64
}{
	0xc4: {kindBytes, 1}, 0xc5: {kindBytes, 2}, 0xc6: {kindBytes, 4},
	0xc7: {kindExt, 1}, 0xc8: {kindExt, 2}, 0xc9: {kindExt, 4},
	0xcc: {kindNumber, 1}, 0xcd: {kindNumber, 2}, 0xce: {kindNumber, 4}, 0xcf: {kindNumber, 8},
	0xd0: {kindNumber, 1}, 0xd1: {kindNumber, 2}, 0xd2: {kindNumber, 4}, 0xd3: {kindNumber, 8},
	0xd9: {kindText, 1}, 0xda: {kindText, 2}, 0xdb: {kindText, 4},
	0xdc: {kindList, 2}, 0xdd: {kindList, 4}, 0xde: {kindMap, 2}, 0xdf: {kindMap, 4},
}

// header reads a value's beginning.
func (d *decoder) header() (h header, err error) {
	d.at = d.c.Offset()
	b, err := d.take(1, "value")
	if err != nil {
		return h, err
	}
	switch c := b[0]; {
	case c < 0x80:
		return header{kind: kindNumber, n: uint64(c)}, nil
	case c < 0x90:
		return header{kind: kindMap, n: uint64(c & 15)}, nil
	case c < 0xa0:
		return header{kind: kindList, n: uint64(c & 15)}, nil
	case c < 0xc0:
		return header{kind: kindText, n: uint64(c & 31)}, nil
	case c == 0xc0, c == 0xc2, c == 0xc3: // nil, false, true
		return header{kind: kindOther}, nil
	case c == 0xc1:
		return h, d.fail(tensor.ErrFormat, "value", "a value cannot begin with 0xc1")
	case c == 0xca, c == 0xcb: // floats
		return header{kind: kindOther}, d.skip(4<<(c-0xca), "number")
	case c >= 0xe0:
		return header{kind: kindNumber, n: 1 << 63}, nil
	case c >= 0xd4 && c <= 0xd8:
		return d.extension(header{kind: kindExt, n: 1 << (c - 0xd4)})
	default:
		f := forms[c]
		if h.n, err = d.number(f.bytes); err != nil {
			return h, err
		}
		if h.kind = f.kind; h.kind == kindExt {
			return d.extension(h)
		}
		if c >= 0xd0 && c <= 0xd3 && h.n>>(8*f.bytes-1) != 0 {
			h.n = 1 << 63 // negative: no size
		}
		return h, nil
	}
}

func (d *decoder) extension(h header) (header, error) {
	b, err := d.take(1, "extension")
	if err == nil {
		h.ext = b[0]
	}
	return h, err
}

// value reads a value and all within it.
func (d *decoder) value(depth int) (*node, error) {
	h, err := d.header()
	if err != nil {
		return nil, err
	}
	if d.nodes++; d.nodes > maxNodes || depth > maxDepth {
		return nil, d.fail(tensor.ErrLimit, "value", "more than %d values, or more than %d deep", maxNodes, maxDepth)
	}
	switch h.kind {
	case kindNumber:
		return &node{isNumber: h.n < 1<<63, number: int64(h.n & (1<<63 - 1)), what: "a number"}, nil
	case kindText:
		return &node{what: "a text"}, d.skip(h.n, "text")
	case kindBytes:
		return &node{what: "bytes"}, d.skip(h.n, "bytes")
	case kindList:
		return d.list(h.n, depth)
	case kindMap:
		return d.pairs(h.n, depth)
	case kindExt:
		return d.ext(h)
	}
	return &node{what: "a value that is no number"}, nil
}

// list reads a list, which arrays stand in under their numbers.
func (d *decoder) list(n uint64, depth int) (*node, error) {
	out := &node{what: "a list"}
	for i := range n {
		child, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		out.keys, out.children = append(out.keys, fmt.Sprint(i)), append(out.children, child)
	}
	return out, nil
}

// pairs reads a map. Keys are texts or numbers, each once.
func (d *decoder) pairs(n uint64, depth int) (*node, error) {
	out := &node{what: "a map", isMap: true}
	seen := map[string]bool{}
	for range n {
		key, err := d.key()
		if err != nil {
			return nil, err
		}
		if seen[key] {
			return nil, d.fail(tensor.ErrFormat, "key "+escape.Printable(key), "the key stands twice")
		}
		seen[key] = true
		child, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		out.keys, out.children = append(out.keys, key), append(out.children, child)
	}
	return out, nil
}

func (d *decoder) key() (string, error) {
	h, err := d.header()
	if err != nil {
		return "", err
	}
	if h.kind == kindNumber && h.n < 1<<63 {
		return fmt.Sprint(h.n), nil
	}
	if h.kind != kindText && h.kind != kindBytes || h.n > maxKey {
		return "", d.fail(tensor.ErrUnsupported, "key", "a text of at most %d bytes expected", maxKey)
	}
	b, err := d.take(h.n, "key")
	if err != nil {
		return "", err
	}
	if d.keys += len(b); d.keys > maxKeys {
		return "", d.fail(tensor.ErrLimit, "key", "more than %d bytes of keys", maxKeys)
	}
	if !utf8.Valid(b) {
		return "", d.fail(tensor.ErrFormat, "key", "the key is not UTF-8")
	}
	return string(b), nil
}
