package hdf5

import (
	"github.com/weightprint/weightprint/formats/tensor"
)

// Types of messages of an object's header.
const (
	msgSpace = 0x01
	msgLinks = 0x02
	msgType  = 0x03
	msgFill  = 0x05
	msgLink  = 0x06
	msgOuter = 0x07 // data in other files
	msgPlace = 0x08
	msgPipe  = 0x0b
	msgAttr  = 0x0c
	msgMore  = 0x10
	msgTable = 0x11
)

// Limits of this reader on headers.
const (
	maxMessages = 1 << 16 // of one object
	maxBlocks   = 1 << 12 // of one object
)

// message is one message of an object's header.
type message struct {
	kind   uint16
	shared bool
	*fields
}

// object is an object's header.
type object struct {
	address  uint64
	messages []message
}

// find returns the only message of a kind, nil if there is none.
func (o *object) find(kind uint16) *message {
	for i := range o.messages {
		if o.messages[i].kind == kind {
			return &o.messages[i]
		}
	}
	return nil
}

// span is a stretch of a header.
type span struct{ address, size uint64 }

// object reads the header at an address.
func (f *file) object(address uint64) (*object, error) {
	const field = "object header"
	head, err := f.at(address, 16, field)
	if err != nil {
		return nil, err
	}
	o := &object{address: address}
	if string(head.b[:4]) == "OHDR" {
		err = f.newHeader(o, address)
	} else {
		err = f.oldHeader(o, head)
	}
	return o, err
}

// oldHeader reads version 1, whose blocks have no signatures.
func (f *file) oldHeader(o *object, x *fields) error {
	x.version(1)
	x.skip(1)
	count := int(x.u16())
	x.skip(4)
	blocks := []span{{o.address + 16, uint64(x.u32())}}
	if x.err != nil {
		return x.err
	}
	for i := 0; i < len(blocks); i++ {
		b, err := f.at(blocks[i].address, blocks[i].size, "object header")
		if err != nil {
			return err
		}
		for b.left() >= 8 && len(o.messages) < count {
			m := message{kind: b.u16()}
			size := uint64(b.u16())
			flags := b.u8()
			b.skip(3)
			m.shared, m.fields = flags&2 != 0, b.part(size, "message")
			if b.err != nil {
				return b.err
			}
			if err := f.admit(o, m, &blocks); err != nil {
				return err
			}
		}
	}
	if len(o.messages) != count {
		return f.fail(x.start, "object header", "%d messages, %d declared", len(o.messages), count)
	}
	return nil
}

// admit adds a message and follows those that lead on.
func (f *file) admit(o *object, m message, blocks *[]span) error {
	o.messages = append(o.messages, m)
	if len(o.messages) > maxMessages || len(*blocks) > maxBlocks {
		return tensor.Errorf(tensor.ErrLimit, f.name, m.start, "object header", "more than %d messages or %d blocks", maxMessages, maxBlocks)
	}
	if m.kind == msgMore {
		*blocks = append(*blocks, span{m.u64(), m.u64()})
	}
	return m.err
}

// newHeader reads version 2, whose blocks have checksums.
func (f *file) newHeader(o *object, address uint64) error {
	x, err := f.at(address, min(38, uint64(f.size)-min(uint64(f.size), address)), "object header")
	if err != nil {
		return err
	}
	x.magic("OHDR")
	x.version(2)
	flags := x.u8()
	if flags&0x20 != 0 {
		x.skip(16)
	}
	if flags&0x10 != 0 {
		x.skip(4)
	}
	size := x.number(1 << (flags & 3))
	if x.err != nil {
		return x.err
	}
	if size > maxMetadata {
		return tensor.Errorf(tensor.ErrLimit, f.name, x.start, x.field, "%d bytes, at most %d", size, maxMetadata)
	}
	whole, err := f.at(address, uint64(x.pos)+size+4, "object header")
	if err != nil {
		return err
	}
	whole.skip(uint64(x.pos))
	blocks := []span{}
	if err := f.newMessages(o, whole, flags, &blocks); err != nil {
		return err
	}
	for i := 0; i < len(blocks); i++ {
		b, err := f.at(blocks[i].address, blocks[i].size, "object header continuation")
		if err != nil {
			return err
		}
		b.magic("OCHK")
		if err := f.newMessages(o, b, flags, &blocks); err != nil {
			return err
		}
	}
	return nil
}

// newMessages reads the messages of one block, up to its checksum.
func (f *file) newMessages(o *object, b *fields, flags uint8, blocks *[]span) error {
	b.require(b.left() >= 4, "a checksum expected")
	if b.err != nil {
		return b.err
	}
	body := b.part(uint64(b.left()-4), b.field)
	b.sum()
	if b.err != nil {
		return b.err
	}
	head := 4
	if flags&4 != 0 {
		head = 6
	}
	for body.left() >= head {
		m := message{kind: uint16(body.u8())}
		size := uint64(body.u16())
		m.shared = body.u8()&2 != 0
		if flags&4 != 0 {
			body.skip(2)
		}
		m.fields = body.part(size, "message")
		if body.err != nil {
			return body.err
		}
		if err := f.admit(o, m, blocks); err != nil {
			return err
		}
	}
	return nil
}
