package torch

import (
	"bytes"

	"github.com/weightprint/weightprint/formats/tensor"
)

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
