package onnx

import (
	"slices"
	"strconv"

	"github.com/weightprint/weightprint/formats/tensor"
)

// run is a run of bytes of a file.
type run struct{ at, n int64 }

// constant is a TensorProto: where its values are, none of them read.
type constant struct {
	name   string
	at     int64 // of the message
	typ    int64 // number in TensorProto.DataType
	elem   elem
	dims   []int64
	field  int // that holds the values: rawData or a typed one; 0 if none
	where  run
	scalar []uint64          // values that stand one by one in the message
	beside map[string]string // external_data; nil if the values are in the file
	node   bool              // it is an operator's own, no initialiser
	list   bool              // it is an operator's list of floats
	apart  bool              // where counts floats that stand one by one, each behind a tag
	fill   bool              // it is the number that an operator fills tensors with
	sparse bool              // stored as indices and values, which are not read
	values valuesAt
}

const (
	maxRank    = 64
	maxScalars = 64 // values that stand one by one rather than packed
)

// elements is the product of the dimensions; they were checked.
func (c *constant) elements() int64 {
	n, _ := tensor.Elements(c.dims)
	return n
}

// tensor reads a TensorProto.
func (d *decoder) tensor(x field, what string) (*constant, error) {
	if err := d.bytes(x, what); err != nil {
		return nil, err
	}
	if err := d.spend(8); err != nil {
		return nil, err
	}
	c := &constant{at: x.at}
	var location int64
	once := map[int]bool{}
	err := d.message(what, x.hi, func(x field) (err error) {
		switch x.number {
		case 2, 8, rawData, 14:
			if once[x.number] {
				return d.fail(tensor.ErrFormat, x.at, what+" "+quote(c.name), "field %d stands twice", x.number)
			}
			once[x.number] = true
		}
		switch x.number {
		case 1:
			c.dims, err = d.numbers(x, what+" dims", c.dims, maxRank)
		case 2:
			c.typ, err = d.number(x, what+" data_type")
		case 3:
			err = d.fail(tensor.ErrUnsupported, x.at, what+" "+quote(c.name), "tensors in segments are not read")
		case 8:
			c.name, err = d.text(x, what+" name")
		case floatData, int32Data, stringData, int64Data, rawData, doubleData, uint64Data:
			err = d.data(x, c, what)
		case 13:
			var kv [2]string
			if kv, err = d.entry(x, what+" external_data"); err != nil {
				return err
			}
			if c.beside == nil {
				c.beside = map[string]string{}
			}
			if _, twice := c.beside[kv[0]]; twice || len(c.beside) >= 16 {
				return d.fail(tensor.ErrFormat, x.at, what+" "+quote(c.name), "external_data %s stands twice", quote(kv[0]))
			}
			c.beside[kv[0]] = kv[1]
		case 14:
			location, err = d.number(x, what+" data_location")
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return c, d.settle(c, location, what)
}

// data notes where values are.
func (d *decoder) data(x field, c *constant, what string) error {
	if x.wire != wireBytes { // one of several that stand one by one
		if c.field != 0 && c.field != x.number || len(c.scalar) >= maxScalars {
			return d.fail(tensor.ErrUnsupported, x.at, what+" "+quote(c.name), "values that stand one by one, more than %d of them", maxScalars)
		}
		v := x.value
		if x.wire != wireVarint {
			b, err := d.take(uint64(x.hi-x.lo), what)
			if err != nil {
				return err
			}
			for i := len(b) - 1; i >= 0; i-- {
				v = v<<8 | uint64(b[i])
			}
		}
		c.field, c.scalar = x.number, append(c.scalar, v)
		return nil
	}
	if c.field == stringData && x.number == stringData {
		return nil // strings are no numbers; how many is not asked
	}
	if x.hi == x.lo && x.number != rawData {
		return nil
	}
	if c.field != 0 {
		return d.fail(tensor.ErrFormat, x.at, what+" "+quote(c.name), "values stand both in field %d and in field %d, or in parts", c.field, x.number)
	}
	c.field, c.where = x.number, run{x.lo, x.hi - x.lo}
	return nil
}

// settle checks what a tensor says of itself, and where its values are.
func (d *decoder) settle(c *constant, location int64, what string) error {
	label := what + " " + quote(c.name)
	if c.typ == typeString {
		c.elem = elem{name: "STRING"}
		return nil
	}
	e, ok := elems[c.typ]
	if !ok {
		return d.fail(tensor.ErrUnsupported, c.at, label, "data_type %d is unknown", c.typ)
	}
	c.elem = e
	n, ok := tensor.Elements(c.dims)
	span := int64(1)
	for _, k := range c.dims {
		if k > 0 && span > (1<<62)/16/k {
			ok = false
			break
		}
		span *= max(k, 1)
	}
	if !ok {
		return d.fail(tensor.ErrFormat, c.at, label, "shape %v: a dimension is negative or the product too large", c.dims)
	}
	switch {
	case location == 1 || location == 0 && c.field == 0 && c.beside != nil:
		if c.beside == nil || c.field != 0 {
			return d.fail(tensor.ErrFormat, c.at, label, "the values are said to lie in another file: external_data and no other field expected")
		}
		return nil
	case location != 0:
		return d.fail(tensor.ErrUnsupported, c.at, label, "data_location %d is unknown", location)
	case c.beside != nil:
		return d.fail(tensor.ErrFormat, c.at, label, "external_data of a tensor whose values lie in the file")
	case c.field == rawData:
		if c.where.n != e.bytes(n) {
			return d.fail(tensor.ErrFormat, c.at, label, "raw_data has %d bytes, %s of shape %v asks for %d", c.where.n, e.name, c.dims, e.bytes(n))
		}
		return nil
	case c.field == 0 && n > 0:
		return d.fail(tensor.ErrFormat, c.at, label, "no values for shape %v", c.dims)
	case c.field != 0 && c.field != e.typed:
		return d.fail(tensor.ErrFormat, c.at, label, "%s values in field %d, expected field %d", e.name, c.field, e.typed)
	}
	return d.typed(c, n, label)
}

// typed checks the count of values in a typed field where the size shows it;
// that of varints shows when they are read.
func (d *decoder) typed(c *constant, n int64, label string) error {
	want := c.elem.bytes(n)
	have := c.where.n
	switch {
	case len(c.scalar) > 0:
		have, want = int64(len(c.scalar)), c.stored(n)
	case c.field != floatData && c.field != doubleData:
		if have < c.stored(n) || have > 10*c.stored(n) {
			return d.fail(tensor.ErrFormat, c.at, label, "%d bytes of numbers for %s of shape %v", have, c.elem.name, c.dims)
		}
		return nil
	}
	if have != want {
		return d.fail(tensor.ErrFormat, c.at, label, "%d bytes or values, %s of shape %v asks for %d", have, c.elem.name, c.dims, want)
	}
	return nil
}

// stored is how many numbers a typed field holds for n elements.
func (c *constant) stored(n int64) int64 {
	switch {
	case c.elem.bits < 8:
		return c.elem.bytes(n)
	case c.elem.dtype == tensor.C64 || c.elem.dtype == tensor.C128:
		return 2 * n
	}
	return n
}

// sparse notes a SparseTensorProto by the name of its values.
func (d *decoder) sparse(x field) (*constant, error) {
	c := &constant{at: x.at, sparse: true}
	if err := d.bytes(x, "sparse_initializer"); err != nil {
		return nil, err
	}
	return c, d.message("sparse_initializer", x.hi, func(x field) error {
		switch x.number {
		case 1:
			v, err := d.tensor(x, "sparse_initializer values")
			if err == nil {
				c.name, c.elem, c.typ = v.name, v.elem, v.typ
			}
			return err
		case 3:
			var err error
			c.dims, err = d.numbers(x, "sparse_initializer dims", c.dims, maxRank)
			return err
		}
		return nil
	})
}

// floating tells tensors of numbers that may be weights as they are.
func (c *constant) floating() bool {
	return !c.sparse && c.elem.dtype.Kind() == tensor.KindFloat || c.elem.dtype == tensor.C64
}

// single tells a tensor of one element.
func (c *constant) single() bool {
	return !slices.ContainsFunc(c.dims, func(n int64) bool { return n != 1 })
}

func quote(s string) string { return strconv.QuoteToASCII(s) }
