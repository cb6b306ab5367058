package hdf5

import "strings"

// text returns the text that an attribute of a given name holds in itself, ""
// for attributes of other names and kinds.
func (m *message) text(name string) string {
	x := *m.fields // the message may be asked again
	x.pos = 0
	v := x.version(1, 2, 3)
	x.skip(1)
	names, typ, space := uint64(x.u16()), uint64(x.u16()), uint64(x.u16())
	if v == 3 {
		x.skip(1)
	}
	if v == 1 {
		names, typ, space = pad(names), pad(typ), pad(space)
	}
	got := strings.TrimRight(string(x.bytes(names)), "\x00")
	head := x.part(typ, "attribute type")
	x.skip(space)
	class, size := head.u32()&15, uint64(head.u32())
	if x.err != nil || head.err != nil || got != name {
		return ""
	}
	switch class {
	case classString:
		return strings.TrimRight(string(x.bytes(size)), "\x00 ")
	case classList:
		n := uint64(x.u32())
		return x.f.global(x.u64(), x.u32(), n)
	}
	return ""
}

// global returns n bytes of an object of a global heap, "" if it is not there.
func (f *file) global(address uint64, index uint32, n uint64) string {
	head, err := f.at(address, 16, "global heap")
	if err != nil || string(head.b[:4]) != "GCOL" {
		return ""
	}
	head.skip(8)
	x, err := f.at(address, head.u64(), "global heap")
	if err != nil {
		return ""
	}
	x.skip(16)
	for x.err == nil && x.left() >= 16 {
		got := uint32(x.u16())
		x.skip(6)
		size := x.u64()
		b := x.bytes(size)
		if got == index && n <= uint64(len(b)) {
			return string(b[:n])
		}
		x.skip(pad(size) - size)
	}
	return ""
}

func pad(n uint64) uint64 { return (n + 7) &^ 7 }
