package onnx

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/formatstest"
	"github.com/weightprint/weightprint/formats/tensor"
)

// The wire format, written by hand.

func num(field int, v uint64) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(nil, uint64(field)<<3), v)
}

func msg(field int, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	return append(binary.AppendUvarint(binary.AppendUvarint(nil, uint64(field)<<3|wireBytes), uint64(len(body))), body...)
}

func str(field int, s string) []byte { return msg(field, []byte(s)) }

// dims, type and name of a tensor.
func head(typ uint64, name string, dims ...uint64) []byte {
	out := append(num(2, typ), str(8, name)...)
	for _, d := range dims {
		out = append(out, num(1, d)...)
	}
	return out
}

// whole is a model of one graph.
func whole(graph ...[]byte) []byte {
	return bytes.Join([][]byte{num(1, 8), str(2, "test"), msg(7, graph...), msg(8, str(1, ""), num(2, 17))}, nil)
}

// one is a model of one initialiser.
func one(parts ...[]byte) []byte { return whole(msg(5, parts...)) }

func external(kv ...string) []byte {
	var out []byte
	for i := 0; i < len(kv); i += 2 {
		out = append(out, msg(13, str(1, kv[i]), str(2, kv[i+1]))...)
	}
	return append(out, num(14, 1)...)
}

func operator(op string, in, out string, more ...[]byte) []byte {
	parts := [][]byte{}
	for _, s := range strings.Fields(in) {
		parts = append(parts, str(1, s))
	}
	for _, s := range strings.Fields(out) {
		parts = append(parts, str(2, s))
	}
	return msg(1, append(append(parts, str(4, op)), more...)...)
}

func integer(name string, v uint64) []byte { return msg(5, str(1, name), num(3, v), num(20, 2)) }

func nested(depth int) []byte {
	g := operator("If", "c", "y")
	for range depth {
		g = operator("If", "c", "y", msg(5, str(1, "then_branch"), msg(6, g)))
	}
	return whole(g)
}

var eight = make([]byte, 8)

func hostile() map[string][]byte {
	good := one(head(1, "w", 2), msg(rawData, eight))
	q := func(scale []byte, node []byte) []byte {
		return whole(msg(5, head(3, "q", 4, 2), msg(rawData, eight)), scale, node)
	}
	floats := func(name string, n int) []byte {
		return msg(5, head(1, name, uint64(n)), msg(rawData, make([]byte, 4*n)))
	}
	nbits := func(k, n, bits, size uint64) []byte {
		return whole(msg(5, head(2, "b", 8), msg(rawData, eight)), floats("s", 1),
			operator("MatMulNBits", "a b s", "y", integer("K", k), integer("N", n), integer("bits", bits), integer("block_size", size)))
	}
	return map[string][]byte{
		"no graph":                              num(1, 8),
		"empty":                                 {},
		"cut short":                             good[:len(good)-9],
		"a length beyond the file":              append(num(1, 8), msg(7, []byte{5<<3 | 2, 0xff, 0xff, 0xff, 0xff, 0x0f})...),
		"a length beyond its message":           whole([]byte{5<<3 | 2, 40, 1, 2}),
		"a number without end":                  append(num(1, 8), bytes.Repeat([]byte{0xff}, 12)...),
		"a number of 65 bits":                   append(num(1, 8), append([]byte{5 << 3}, append(bytes.Repeat([]byte{0xff}, 9), 2)...)...),
		"field number 0":                        append(num(1, 8), 0, 1),
		"a group":                               append(num(1, 8), 7<<3|3),
		"two graphs":                            append(good, msg(7)...),
		"graphs without end":                    nested(40),
		"a negative dimension":                  one(head(1, "w", math.MaxUint64), msg(rawData, eight)),
		"a product that overflows":              one(head(1, "w", 1<<40, 1<<40), msg(rawData, eight)),
		"a product that overflows beside a 0":   one(head(1, "w", 0, 1<<40, 1<<40), msg(rawData)),
		"a hundred dimensions":                  one(append(head(1, "w"), msg(1, bytes.Repeat([]byte{1}, 100))...), msg(rawData, eight)),
		"too few bytes":                         one(head(1, "w", 3), msg(rawData, eight)),
		"too many bytes":                        one(head(1, "w", 1), msg(rawData, eight)),
		"no values":                             one(head(1, "w", 2)),
		"values twice":                          one(head(1, "w", 2), msg(rawData, eight), msg(rawData, eight)),
		"raw and typed values":                  one(head(1, "w", 2), msg(rawData, eight), msg(floatData, eight)),
		"values in another type's field":        one(head(1, "w", 2), msg(doubleData, make([]byte, 16))),
		"an unknown type":                       one(head(99, "w", 2), msg(rawData, eight)),
		"a type twice":                          one(head(1, "w", 2), num(2, 1), msg(rawData, eight)),
		"a name twice in a tensor":              one(head(1, "w", 2), str(8, "v"), msg(rawData, eight)),
		"a segment":                             one(head(1, "w", 2), msg(3), msg(rawData, eight)),
		"a name that is no text":                one(head(1, "\xff", 2), msg(rawData, eight)),
		"a name of 100 KB":                      one(head(1, strings.Repeat("n", 100_000), 2), msg(rawData, eight)),
		"two tensors of one name":               whole(msg(5, head(1, "w", 2), msg(rawData, eight)), msg(5, head(1, "w", 2), msg(rawData, eight))),
		"too few varints":                       one(head(10, "w", 2), msg(int32Data, []byte{0x80, 0x80, 1})),
		"too many varints":                      one(head(10, "w", 2), msg(int32Data, []byte{1, 2, 3})),
		"a varint cut short":                    one(head(10, "w", 2), msg(int32Data, []byte{1, 0x80})),
		"values elsewhere and here":             one(head(1, "w", 2), external("location", "d"), msg(rawData, eight)),
		"values elsewhere, nowhere":             one(head(1, "w", 2), num(14, 1)),
		"values elsewhere, beyond the end":      one(head(1, "w", 2), external("location", "d", "offset", "1")),
		"values elsewhere, a huge offset":       one(head(1, "w", 2), external("location", "d", "offset", "9223372036854775807")),
		"values elsewhere, a negative offset":   one(head(1, "w", 2), external("location", "d", "offset", "-1")),
		"values elsewhere, another length":      one(head(1, "w", 2), external("location", "d", "length", "7")),
		"values elsewhere, a place twice":       one(head(1, "w", 2), external("location", "d", "location", "e")),
		"values elsewhere, no such file":        one(head(1, "w", 2), external("location", "e")),
		"values in an unknown place":            one(head(1, "w", 2), num(14, 7), msg(rawData, eight)),
		"scales that do not fit":                q(floats("s", 3), operator("DequantizeLinear", "q s", "y", integer("axis", 0))),
		"scales along no dimension":             q(floats("s", 4), operator("DequantizeLinear", "q s", "y", integer("axis", 5))),
		"blocks that do not fit":                q(floats("s", 3), operator("DequantizeLinear", "q s", "y", integer("axis", 0), integer("block_size", 3))),
		"a block of 2^62":                       q(floats("s", 4), operator("DequantizeLinear", "q s", "y", integer("axis", 0), integer("block_size", 1<<62))),
		"MatMulNBits of another size":           nbits(32, 1, 4, 32),
		"MatMulNBits of no size":                nbits(0, 1, 4, 16),
		"MatMulNBits of a huge size":            nbits(1<<31, 1<<31, 4, 16),
		"MatMulNBits of 3 bits":                 nbits(16, 1, 3, 16),
		"floats of an odd length":               whole(operator("Constant", "", "c", msg(5, str(1, "value_floats"), msg(7, []byte{1, 2, 3})))),
		"a wire type that a field has not":      append(num(1, 8), num(7, 1)...),
		"an initialiser that is a number":       whole(num(5, 3)),
		"a tensor of a node that gives nothing": whole(msg(1, str(4, "Constant"), msg(5, str(1, "value"), msg(5, head(1, "", 2), msg(rawData, eight))))),
	}
}

func TestHostile(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "d"), eight, 0o600))
	for what, b := range hostile() {
		path := filepath.Join(dir, "model.onnx")
		require.NoError(t, os.WriteFile(path, b, 0o600))
		formatstest.Refused(t, path, what, func(string) error { _, err := read(b, dir); return err })
	}
	_, err := read(one(head(1, "w", 2), external("location", "d", "offset", "0", "length", "8", "checksum", "x")), dir)
	require.NoError(t, err)
}

// Many small objects cost bounded memory.
func TestObjectsAreCounted(t *testing.T) {
	_, err := read(whole(bytes.Repeat(msg(1), maxObjects/4+1)), "")
	require.ErrorIs(t, err, tensor.ErrLimit)
	// One value asked for by very many nodes, forwards and in circles.
	var nodes []byte
	for range 20_000 {
		nodes = append(nodes, operator("Identity", "w", "w2")...)
		nodes = append(nodes, operator("Identity", "w2", "w3")...)
		nodes = append(nodes, operator("MatMul", "x w3", "w2")...)
	}
	m, err := read(whole(msg(5, head(1, "onnx::w", 2), msg(rawData, eight)), nodes), "")
	require.NoError(t, err)
	require.Len(t, m.Tensors(), 1)
	circle := operator("Identity", "a", "b")
	circle = append(circle, operator("Identity", "b", "a")...)
	_, err = read(whole(circle, operator("MatMulInteger", "x a", "y"), operator("Add", "a b", "z")), "")
	require.NoError(t, err)
}

// One file of values cannot be named so often that it looks like a large model.
func TestSharedBytesAreBounded(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "d"), make([]byte, 4<<20), 0o600))
	var parts [][]byte
	for i := range 400 {
		parts = append(parts, msg(5, head(1, "w"+string(rune('a'+i%26))+string(rune('a'+i/26)), 1<<20), external("location", "d")))
	}
	_, err := read(whole(parts...), dir)
	require.ErrorIs(t, err, tensor.ErrLimit)
}

// No cut of a good file and no changed byte is a panic, and what is opened can
// be read or says why not.
func TestCutsAndFlips(t *testing.T) {
	for _, name := range []string{"types", "nbits4-zeros", "qdq", "recurrent"} {
		good, err := os.ReadFile("testdata/" + name + ".onnx")
		require.NoError(t, err)
		for i := 0; i < len(good); i += 29 {
			_, err := read(good[:i], "testdata")
			if err == nil {
				continue // whole fields were cut off the end, behind the graph
			}
			var fe *tensor.FormatError
			require.True(t, errors.As(err, &fe), "%s cut at %d: %v", name, i, err)
			b := bytes.Clone(good)
			b[i] ^= 1 << (i % 8)
			drain(t, b)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, name := range []string{"types", "linear", "nbits4", "nbits4-zeros", "qdq", "qoperator", "dynamic-channels", "recurrent", "vision"} {
		b, err := os.ReadFile("testdata/" + name + ".onnx")
		require.NoError(f, err)
		f.Add(b)
	}
	for _, b := range hostile() {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) { drain(t, b) })
}

// drain opens what may be a model and reads a little of each tensor.
func drain(t *testing.T, b []byte) {
	m, err := read(b, "testdata")
	if err != nil {
		var fe *tensor.FormatError
		require.True(t, errors.As(err, &fe), "%v", err)
		return
	}
	seen := map[string]bool{}
	for _, x := range m.Tensors() {
		require.False(t, seen[x.Name], "two tensors are called %q", x.Name)
		seen[x.Name] = true
		n := min(x.Len(), 300)
		values := make([]float32, n)
		for _, first := range []int64{0, x.Len() - n} {
			if err := x.Data.ReadValues(t.Context(), values, first); err != nil {
				var fe *tensor.FormatError
				require.True(t, errors.As(err, &fe), "%v", err)
			}
		}
		if l, ok := x.Data.(tensor.Lattice); ok {
			_ = l.ReadSteps(t.Context(), values, 0)
		}
	}
}

func TestRecognises(t *testing.T) {
	for _, name := range []string{"types", "script", "dynamo", "qdq", "nbits4"} {
		b, err := os.ReadFile("testdata/" + name + ".onnx")
		require.NoError(t, err)
		require.True(t, Recognises(b[:min(1024, len(b))]), name)
	}
	for what, b := range map[string][]byte{
		"nothing": {}, "a version": num(1, 8), "text": []byte("# README\n"), "GGUF": []byte("GGUF\x03\x00\x00\x00"),
		"a message of another kind": append(num(1, 4), msg(2, num(1, 2), msg(300))[:8]...)[:3], "field 500 behind": bytes.Join([][]byte{num(1, 4), str(2, "d"), msg(500, eight)}, nil),
		"zeros": make([]byte, 100),
	} {
		require.False(t, Recognises(b), what)
	}
}
