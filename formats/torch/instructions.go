package torch

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"

	"github.com/weightprint/weightprint/formats/tensor"
)

// instruction is one operation of the pickle machine. Those without do are
// known by name only: they call, import by number, or are written by no
// version of torch.
type instruction struct {
	name string
	do   func(*machine) error
}

// instructions is the list of what a checkpoint's pickle may contain, after
// Python's pickletools. It is that of torch's own restricted loader and the
// few of protocols 4 and 5 that say the same in fewer bytes.
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

	'i': {name: "INST"}, 'o': {name: "OBJ"}, 'P': {name: "PERSID"}, 0x92: {name: "NEWOBJ_EX"},
	0x82: {name: "EXT1"}, 0x83: {name: "EXT2"}, 0x84: {name: "EXT4"},
	'0': {name: "POP"}, '1': {name: "POP_MARK"}, '2': {name: "DUP"},
	'I': {name: "INT"}, 'L': {name: "LONG"}, 0x8b: {name: "LONG4"}, 'F': {name: "FLOAT"},
	'S': {name: "STRING"}, 'T': {name: "BINSTRING"}, 'V': {name: "UNICODE"}, 0x8d: {name: "BINUNICODE8"}, 0x8e: {name: "BINBYTES8"},
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

func (m *machine) mark() error {
	s, err := grown(m, m.marks, 1, slotBytes)
	if err != nil {
		return err
	}
	m.marks = append(s, len(m.stack))
	return nil
}

// kept copies values off the stack.
func (m *machine) kept(items []value) ([]value, error) {
	if err := m.charge(objectBytes + slotBytes*int64(len(items))); err != nil {
		return nil, err
	}
	return append(make([]value, 0, len(items)), items...), nil
}

func (m *machine) tuple(n int) (err error) {
	var items []value
	if n < 0 {
		items, err = m.popMark()
	} else {
		items, err = m.pop(n)
	}
	if err != nil {
		return err
	}
	if items, err = m.kept(items); err != nil {
		return err
	}
	return m.push(tuple(items))
}

func (m *machine) frozen() error {
	items, err := m.popMark()
	if err != nil {
		return err
	}
	if items, err = m.kept(items); err != nil {
		return err
	}
	return m.pushNew(&list{items}, objectBytes)
}

// append adds to a list or set.
func (m *machine) append(n int) error {
	items, onto, err := m.popTop(n)
	if err != nil {
		return err
	}
	switch l := onto.(type) {
	case *list:
		if l.items, err = grown(m, l.items, len(items), slotBytes); err != nil {
			return err
		}
		l.items = append(l.items, items...)
		return nil
	case *inert:
		return nil
	}
	return m.broken("a list to add to expected, found %s", describe(onto))
}

// set adds pairs to a dict.
func (m *machine) set(n int) error {
	items, onto, err := m.popTop(n)
	if err != nil {
		return err
	}
	if len(items)%2 != 0 {
		return m.broken("keys and values come in pairs, found %d", len(items))
	}
	switch d := onto.(type) {
	case *dict:
		return m.setItems(d, items)
	case *inert:
		return nil
	}
	return m.broken("a dict to set items of expected, found %s", describe(onto))
}

func (m *machine) setItems(d *dict, items []value) (err error) {
	if d.keys, err = grown(m, d.keys, len(items)/2, slotBytes); err != nil {
		return err
	}
	if d.values, err = grown(m, d.values, len(items)/2, slotBytes); err != nil {
		return err
	}
	for i := 0; i < len(items); i += 2 {
		d.keys, d.values = append(d.keys, items[i]), append(d.values, items[i+1])
	}
	return nil
}

func (m *machine) put(n int) error {
	i, err := m.number(n)
	if err != nil {
		return err
	}
	return m.remember(i)
}

// remember keeps the top of the stack under a number.
func (m *machine) remember(i uint64) error {
	v, err := m.top()
	if err != nil {
		return err
	}
	if i >= maxMemo {
		return m.fail(tensor.ErrLimit, "a value kept under the number %d, at most %d", i, maxMemo-1)
	}
	if n := int(i) + 1 - len(m.memo); n > 0 {
		if m.memo, err = grown(m, m.memo, n, slotBytes); err != nil {
			return err
		}
		for range n {
			m.memo = append(m.memo, unset{})
		}
	}
	if m.memo[i] == (unset{}) {
		m.kepts++
	}
	m.memo[i] = v
	return nil
}

func (m *machine) get(n int) error {
	i, err := m.number(n)
	if err != nil {
		return err
	}
	if i >= uint64(len(m.memo)) || m.memo[i] == (unset{}) {
		return m.broken("nothing was kept under the number %d", i)
	}
	return m.push(m.memo[i])
}

// line reads up to a line feed.
func (m *machine) line() (string, error) {
	var b []byte
	for len(b) <= maxLine {
		c, err := m.take(1)
		if err != nil {
			return "", err
		}
		if c[0] == '\n' {
			return string(b), m.charge(slotBytes + int64(len(b)))
		}
		b = append(b, c[0])
	}
	return "", m.fail(tensor.ErrLimit, "a name of more than %d bytes, beginning with %q", maxLine, bytes.ToValidUTF8(b[:40], []byte("?")))
}

func (m *machine) global() error {
	module, err := m.line()
	if err != nil {
		return err
	}
	name, err := m.line()
	if err != nil {
		return err
	}
	return m.name(module + "." + name)
}

func (m *machine) stackGlobal() error {
	items, err := m.pop(2)
	if err != nil {
		return err
	}
	module, ok := items[0].(string)
	name, ok2 := items[1].(string)
	if !ok || !ok2 || len(module) > maxLine || len(name) > maxLine {
		return m.broken("module and name are texts, found %s and %s", describe(items[0]), describe(items[1]))
	}
	return m.name(module + "." + name)
}

// reduce applies one of the listed constructors to a tuple. NEWOBJ does the
// same: no listed name tells making from calling.
func (m *machine) reduce() error {
	items, err := m.pop(2)
	if err != nil {
		return err
	}
	g, ok := items[0].(*global)
	args, ok2 := items[1].(tuple)
	if !ok || !ok2 {
		return m.broken("a listed name applied to a tuple expected, found %s applied to %s", describe(items[0]), describe(items[1]))
	}
	if g.build == nil {
		return m.fail(ErrGlobal, "%s is not for calling; nothing was run", g.name)
	}
	v, err := g.build(m, args)
	if err != nil {
		return err
	}
	return m.pushNew(v, objectBytes)
}

// build sets attributes. Those of dicts (a state dict's _metadata) and of
// objects that are dropped anyway do not matter; nothing else has any.
func (m *machine) build() error {
	_, onto, err := m.popTop(1)
	if err != nil {
		return err
	}
	switch onto.(type) {
	case *dict, *inert:
		return nil
	}
	return m.fail(tensor.ErrUnsupported, "attributes set on %s", describe(onto))
}

// persistent turns the description of a storage into one.
func (m *machine) persistent() error {
	v, err := m.pop1()
	if err != nil {
		return err
	}
	id, ok := v.(tuple)
	if !ok || len(id) != 5 || id[0] != "storage" {
		return m.broken(`("storage", type, key, location, count) expected, found %s`, describe(v))
	}
	typ, ok1 := id[1].(*global)
	key, ok2 := id[2].(string)
	_, ok3 := id[3].(string)
	numel, ok4 := id[4].(int64)
	if !ok1 || !typ.isStorage || !ok2 || !ok3 || !ok4 || numel < 0 {
		return m.broken("a storage has a storage type, a key, a location and a count, found %s, %s, %s, %s", describe(id[1]), describe(id[2]), describe(id[3]), describe(id[4]))
	}
	s, err := m.open(m, typ, key, numel)
	if err != nil {
		return err
	}
	return m.push(s)
}
