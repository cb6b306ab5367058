package torch

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"strings"
)

// program assembles a pickle.
type program struct{ b []byte }

func pickle() *program { return &program{[]byte("\x80\x02")} }

func (p *program) op(b ...byte) *program { p.b = append(p.b, b...); return p }
func (p *program) raw(s string) *program { p.b = append(p.b, s...); return p }
func (p *program) many(n int, s string) *program {
	return p.raw(strings.Repeat(s, n))
}

func (p *program) str(s string) *program {
	return p.raw("X").raw(string(binary.LittleEndian.AppendUint32(nil, uint32(len(s))))).raw(s)
}

func (p *program) global(module, name string) *program {
	return p.raw("c" + module + "\n" + name + "\n")
}

// num writes a number as LONG1 of eight bytes.
func (p *program) num(n int64) *program {
	return p.raw("\x8a\x08").raw(string(binary.LittleEndian.AppendUint64(nil, uint64(n))))
}

func (p *program) nums(n ...int64) *program {
	p.raw("(")
	for _, v := range n {
		p.num(v)
	}
	return p.raw("t")
}

// storage writes a reference to a storage.
func (p *program) storage(typ, key string, numel int64) *program {
	return p.raw("(").str("storage").global("torch", typ).str(key).str("cpu").num(numel).raw("tQ")
}

// tensor writes a view of a storage.
func (p *program) tensor(typ, key string, numel, offset int64, shape, strides []int64) *program {
	return p.global("torch._utils", "_rebuild_tensor_v2").raw("(").storage(typ, key, numel).num(offset).nums(shape...).nums(strides...).
		raw("\x89").global("collections", "OrderedDict").raw(")RtR")
}

// model wraps the writing of one value into a dict under the name "w".
func model(value func(*program)) []byte {
	p := pickle().raw("}").str("w")
	value(p)
	return p.raw("s.").b
}

// ones is a tensor that is in order: four values of the storage "0".
func ones(p *program) { p.tensor("FloatStorage", "0", 4, 0, []int64{4}, []int64{1}) }

// member is one entry of an archive as it is written, truthful or not.
type member struct {
	name, localName string
	data            []byte
	method, flags   uint16
	localFlags      uint16
	crc             uint32
	size, disk      uint32
	at              int64 // offset that the directory claims; -1 for the true one
	extra           []byte
	gap             int // bytes before the local header
}

func file(name string, data []byte) member {
	return member{name: name, localName: name, data: data, crc: crc32.ChecksumIEEE(data), size: uint32(len(data)), disk: uint32(len(data)), at: -1}
}

// checkpoint is the members of a good archive with a given pickle and one
// storage of four ones.
func checkpoint(pickle []byte) []member {
	var data []byte
	for range 4 {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(1))
	}
	return []member{file("m/data.pkl", pickle), file("m/byteorder", []byte("little")), file("m/data/0", data), file("m/version", []byte("3\n"))}
}

// zipped writes an archive.
func zipped(members []member) []byte {
	var b, directory []byte
	for _, m := range members {
		b = append(b, make([]byte, m.gap)...)
		at := m.at
		if at < 0 {
			at = int64(len(b))
		}
		b = record(b, localMagic, []uint16{0, m.flags | m.localFlags, m.method, 0, 0}, []uint32{m.crc, m.disk, m.size}, []uint16{uint16(len(m.localName)), 0})
		b = append(append(b, m.localName...), m.data...)
		directory = record(directory, recordMagic, []uint16{0, 0, m.flags, m.method, 0, 0}, []uint32{m.crc, m.disk, m.size}, []uint16{uint16(len(m.name)), uint16(len(m.extra)), 0, 0, 0})
		directory = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(directory, 0), uint32(at))
		directory = append(append(directory, m.name...), m.extra...)
	}
	start := len(b)
	b = append(b, directory...)
	n := uint16(len(members))
	return record(b, endMagic, []uint16{0, 0, n, n}, []uint32{uint32(len(directory)), uint32(start)}, []uint16{0})
}

func record(b []byte, magic uint32, first []uint16, numbers []uint32, last []uint16) []byte {
	b = binary.LittleEndian.AppendUint32(b, magic)
	for _, v := range first {
		b = binary.LittleEndian.AppendUint16(b, v)
	}
	for _, v := range numbers {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	for _, v := range last {
		b = binary.LittleEndian.AppendUint16(b, v)
	}
	return b
}
