package torch

import (
	"bytes"
	"errors"

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

// reduce applies a name to a tuple: a constructor written here, or one that is
// not on the list, of which only the name and the tuple are kept. NEWOBJ does
// the same: nothing here tells making from calling.
func (m *machine) reduce() error {
	items, err := m.pop(2)
	if err != nil {
		return err
	}
	args, ok := items[1].(tuple)
	if o, unknown := items[0].(*object); unknown && ok {
		return m.pushNew(&object{class: o.class, args: args}, 2*objectBytes)
	}
	g, ok2 := items[0].(*global)
	if !ok || !ok2 {
		return m.broken("a name applied to a tuple expected, found %s applied to %s", describe(items[0]), describe(items[1]))
	}
	v, err := m.call(g, args)
	if err != nil {
		return err
	}
	return m.pushNew(v, objectBytes)
}

// call applies a listed name. A tensor that is not read is an error only
// where the model holds it.
func (m *machine) call(g *global, args tuple) (value, error) {
	if g.why != "" {
		return &unread{m.fail(tensor.ErrUnsupported, "%s: %s", g.name, g.why)}, nil
	}
	if g.build == nil {
		return nil, m.fail(ErrGlobal, "%s is not for calling; nothing was run", g.name)
	}
	v, err := g.build(m, args)
	if errors.Is(err, tensor.ErrUnsupported) {
		return &unread{err}, nil
	}
	return v, err
}

// reduceWith is reduce with arguments by name, which no listed name takes.
func (m *machine) reduceWith() error {
	items, err := m.pop(3)
	if err != nil {
		return err
	}
	o, ok := items[0].(*object)
	args, ok2 := items[1].(tuple)
	if !ok || !ok2 {
		return m.broken("a name applied to a tuple and a dict expected, found %s applied to %s", describe(items[0]), describe(items[1]))
	}
	return m.pushNew(&object{class: o.class, args: args, items: []value{items[2]}}, 3*objectBytes)
}

// build sets attributes. Those of dicts (a state dict's _metadata) and of
// objects that are dropped anyway do not matter; those of objects of other
// classes are kept; nothing else has any.
func (m *machine) build() error {
	items, onto, err := m.popTop(1)
	if err != nil {
		return err
	}
	switch o := onto.(type) {
	case *dict, *inert, *unread:
		return nil
	case *object:
		o.state = items[0]
		return nil
	}
	return m.fail(tensor.ErrUnsupported, "attributes set on %s", describe(onto))
}

// persistent asks the file's layout what an identifier stands for.
func (m *machine) persistent() error {
	v, err := m.pop1()
	if err != nil {
		return err
	}
	if v, err = m.open(m, v); err != nil {
		return err
	}
	return m.push(v)
}

// storageID is what a pickle says of a storage.
type storageID struct {
	typ   *global
	key   string
	numel int64
}

// storageID takes ("storage", type, key, location, count) apart, behind which
// older layouts have one item more. A storage of a type that is not read has
// an unread in place of it.
func (m *machine) storageID(v value, most int) (id storageID, missed *unread, err error) {
	t, ok := v.(tuple)
	if !ok || len(t) < 5 || len(t) > most || t[0] != "storage" {
		return id, nil, m.broken(`("storage", type, key, location, count) expected, found %s`, describe(v))
	}
	if o, unknown := t[1].(*object); unknown {
		return id, &unread{o.refused(m.file, m.what)}, nil
	}
	var ok1, ok2, ok3, ok4 bool
	id.typ, ok1 = t[1].(*global)
	if ok1 && id.typ.why != "" {
		return id, &unread{m.fail(tensor.ErrUnsupported, "%s: %s", id.typ.name, id.typ.why)}, nil
	}
	id.key, ok2 = t[2].(string)
	_, ok3 = t[3].(string)
	id.numel, ok4 = t[4].(int64)
	if !ok1 || !id.typ.isStorage || !ok2 || !ok3 || !ok4 || id.numel < 0 {
		return id, nil, m.broken("a storage has a storage type, a key, a location and a count, found %s, %s, %s, %s", describe(t[1]), describe(t[2]), describe(t[3]), describe(t[4]))
	}
	return id, nil, nil
}
