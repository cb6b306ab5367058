package torch

import (
	"encoding/binary"
	"io"
	"math"

	"github.com/weightprint/weightprint/formats/tensor"
)

// instruction is one operation of the pickle machine. Those without do are
// known by name only: they import by number, or are written by no version of
// torch.
type instruction struct {
	name string
	do   func(*machine) error
}

// instructions is the list of what a checkpoint's pickle may contain, after
// Python's pickletools: what Python writes in protocols 2 to 5 for objects of
// any kind.
var instructions = [256]instruction{
	0x80: {"PROTO", (*machine).proto},
	0x95: {"FRAME", (*machine).frame},
	'.':  {"STOP", func(m *machine) error { m.done = true; return nil }},

	'N':  {"NONE", func(m *machine) error { return m.push(nil) }},
	0x88: {"NEWTRUE", func(m *machine) error { return m.push(true) }},
	0x89: {"NEWFALSE", func(m *machine) error { return m.push(false) }},
	'J':  {"BININT", func(m *machine) error { return m.integer(4) }},
	'K':  {"BININT1", func(m *machine) error { return m.integer(1) }},
	'M':  {"BININT2", func(m *machine) error { return m.integer(2) }},
	0x8a: {"LONG1", (*machine).long},
	'G':  {"BINFLOAT", (*machine).float},
	'X':  {"BINUNICODE", func(m *machine) error { return m.sized(4, (*machine).text) }},
	0x8c: {"SHORT_BINUNICODE", func(m *machine) error { return m.sized(1, (*machine).text) }},
	'U':  {"SHORT_BINSTRING", func(m *machine) error { return m.sized(1, (*machine).text) }},
	'C':  {"SHORT_BINBYTES", func(m *machine) error { return m.sized(1, (*machine).bytes) }},
	'B':  {"BINBYTES", func(m *machine) error { return m.sized(4, (*machine).bytes) }},
	0x96: {"BYTEARRAY8", func(m *machine) error { return m.sized(8, (*machine).bytes) }},

	'(':  {"MARK", (*machine).mark},
	')':  {"EMPTY_TUPLE", func(m *machine) error { return m.push(tuple(nil)) }},
	't':  {"TUPLE", func(m *machine) error { return m.tuple(-1) }},
	0x85: {"TUPLE1", func(m *machine) error { return m.tuple(1) }},
	0x86: {"TUPLE2", func(m *machine) error { return m.tuple(2) }},
	0x87: {"TUPLE3", func(m *machine) error { return m.tuple(3) }},
	']':  {"EMPTY_LIST", func(m *machine) error { return m.pushNew(&list{}, objectBytes) }},
	0x8f: {"EMPTY_SET", func(m *machine) error { return m.pushNew(&list{}, objectBytes) }},
	'}':  {"EMPTY_DICT", func(m *machine) error { return m.pushNew(&dict{}, objectBytes) }},
	0x91: {"FROZENSET", (*machine).frozen},
	'a':  {"APPEND", func(m *machine) error { return m.append(1) }},
	'e':  {"APPENDS", func(m *machine) error { return m.append(-1) }},
	0x90: {"ADDITEMS", func(m *machine) error { return m.append(-1) }},
	's':  {"SETITEM", func(m *machine) error { return m.set(2) }},
	'u':  {"SETITEMS", func(m *machine) error { return m.set(-1) }},

	'q':  {"BINPUT", func(m *machine) error { return m.put(1) }},
	'r':  {"LONG_BINPUT", func(m *machine) error { return m.put(4) }},
	0x94: {"MEMOIZE", func(m *machine) error { return m.remember(uint64(m.kepts)) }},
	'h':  {"BINGET", func(m *machine) error { return m.get(1) }},
	'j':  {"LONG_BINGET", func(m *machine) error { return m.get(4) }},

	'c':  {"GLOBAL", (*machine).global},
	0x93: {"STACK_GLOBAL", (*machine).stackGlobal},
	'R':  {"REDUCE", (*machine).reduce},
	0x81: {"NEWOBJ", (*machine).reduce},
	'b':  {"BUILD", (*machine).build},
	'Q':  {"BINPERSID", (*machine).persistent},

	0x92: {"NEWOBJ_EX", (*machine).reduceWith},
	'0':  {"POP", (*machine).drop},
	'1':  {"POP_MARK", func(m *machine) error { _, err := m.popMark(); return err }},
	'T':  {"BINSTRING", func(m *machine) error { return m.sized(4, (*machine).text) }},
	0x8e: {"BINBYTES8", func(m *machine) error { return m.sized(8, (*machine).bytes) }},

	'i': {name: "INST"}, 'o': {name: "OBJ"}, 'P': {name: "PERSID"},
	0x82: {name: "EXT1"}, 0x83: {name: "EXT2"}, 0x84: {name: "EXT4"},
	'2': {name: "DUP"},
	'I': {name: "INT"}, 'L': {name: "LONG"}, 0x8b: {name: "LONG4"}, 'F': {name: "FLOAT"},
	'S': {name: "STRING"}, 'V': {name: "UNICODE"}, 0x8d: {name: "BINUNICODE8"},
	'l': {name: "LIST"}, 'd': {name: "DICT"}, 'g': {name: "GET"}, 'p': {name: "PUT"},
	0x97: {name: "NEXT_BUFFER"}, 0x98: {name: "READONLY_BUFFER"},
}

func (m *machine) proto() error {
	n, err := m.number(1)
	if err == nil && (n < 2 || n > 5 || m.at != 0) {
		return m.fail(tensor.ErrUnsupported, "protocol %d at offset %d of the pickle: protocols 2 to 5 begin it", n, m.at)
	}
	return err
}

// frame only says how much a reader may fetch ahead.
func (m *machine) frame() error {
	n, err := m.number(8)
	if err == nil && n > uint64(m.c.Remaining()) {
		return m.fail(io.ErrUnexpectedEOF, "a frame of %d bytes, %d are left", n, m.c.Remaining())
	}
	return err
}

// sized reads a length and what it measures.
func (m *machine) sized(n int, read func(*machine, uint64) error) error {
	length, err := m.number(n)
	if err != nil {
		return err
	}
	return read(m, length)
}

// integer reads a number of n bytes; that of four is signed.
func (m *machine) integer(n int) error {
	v, err := m.number(n)
	if err != nil {
		return err
	}
	if n == 4 {
		return m.pushNew(int64(int32(v)), slotBytes)
	}
	return m.pushNew(int64(v), slotBytes)
}

// long reads a signed number of any length up to 255 bytes; what 64 bits do
// not hold is no size.
func (m *machine) long() error {
	n, err := m.number(1)
	if err != nil {
		return err
	}
	b, err := m.take(n)
	if err != nil {
		return err
	}
	if n > 8 {
		return m.pushNew(&inert{"a number of more than 64 bits"}, objectBytes)
	}
	var wide [8]byte
	if n > 0 && b[n-1] >= 0x80 {
		binary.LittleEndian.PutUint64(wide[:], math.MaxUint64)
	}
	copy(wide[:], b)
	return m.pushNew(int64(binary.LittleEndian.Uint64(wide[:])), slotBytes)
}

func (m *machine) float() error {
	b, err := m.take(8)
	if err != nil {
		return err
	}
	return m.pushNew(math.Float64frombits(binary.BigEndian.Uint64(b)), slotBytes)
}
