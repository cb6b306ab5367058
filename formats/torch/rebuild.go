package torch

import (
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
)

// arguments checks how many there are.
func (m *machine) arguments(args tuple, least, most int) error {
	if len(args) < least || len(args) > most {
		return m.broken("%d arguments, from %d to %d expected", len(args), least, most)
	}
	return nil
}

// rebuildTensor is _rebuild_tensor(storage, offset, size, stride).
func rebuildTensor(m *machine, args tuple) (value, error) {
	if err := m.arguments(args, 4, 4); err != nil {
		return nil, err
	}
	return m.tensor(args, nil)
}

// rebuildTensor2 is _rebuild_tensor_v2(storage, offset, size, stride,
// requires_grad, hooks[, metadata]).
func rebuildTensor2(m *machine, args tuple) (value, error) {
	if err := m.arguments(args, 6, 7); err != nil {
		return nil, err
	}
	if err := m.extras(args[4:6], args[6:]); err != nil {
		return nil, err
	}
	return m.tensor(args[:4], nil)
}

// rebuildTensor3 is _rebuild_tensor_v3(storage, offset, size, stride,
// requires_grad, hooks, dtype[, metadata]).
func rebuildTensor3(m *machine, args tuple) (value, error) {
	if err := m.arguments(args, 7, 8); err != nil {
		return nil, err
	}
	if err := m.extras(args[4:6], args[7:]); err != nil {
		return nil, err
	}
	g, ok := args[6].(*global)
	if !ok || !g.isDType {
		return nil, m.fail(tensor.ErrUnsupported, "an element type expected, found %s", describe(args[6]))
	}
	return m.tensor(args[:4], g)
}

// extras checks requires_grad and hooks, which do not matter to values, and
// metadata, which does: a conjugated or negated view stores other values than
// it has.
func (m *machine) extras(flags, metadata tuple) error {
	_, ok := flags[0].(bool)
	_, ok2 := flags[1].(*dict)
	if !ok || !ok2 && flags[1] != nil {
		return m.broken("a truth value and a dict of hooks expected, found %s and %s", describe(flags[0]), describe(flags[1]))
	}
	for _, v := range metadata {
		if d, ok := v.(*dict); v != nil && (!ok || len(d.keys) > 0) {
			return m.fail(tensor.ErrUnsupported, "conjugated and negated views are not read")
		}
	}
	return nil
}

// rebuildParameter is _rebuild_parameter(data, requires_grad, hooks[, state]):
// the tensor itself.
func rebuildParameter(m *machine, args tuple) (value, error) {
	if err := m.arguments(args, 1, 4); err != nil {
		return nil, err
	}
	switch v := args[0].(type) {
	case *view, *unread:
		return v, nil
	case *object:
		return nil, v.refused(m.file, m.what)
	}
	return nil, m.broken("a tensor expected, found %s", describe(args[0]))
}

// rebuildFromType is _rebuild_from_type_v2(function, type, arguments, state),
// written for tensors with attributes.
func rebuildFromType(m *machine, args tuple) (value, error) {
	if err := m.arguments(args, 4, 4); err != nil {
		return nil, err
	}
	for _, a := range args[:2] {
		if o, unknown := a.(*object); unknown {
			return nil, m.fail(ErrGlobal, "a tensor made by or of %s, which was not looked up", escape.Printable(o.class))
		}
	}
	f, ok := args[0].(*global)
	typ, ok2 := args[1].(*global)
	inner, ok3 := args[2].(tuple)
	if !ok || !ok2 || !ok3 {
		return nil, m.broken("a function, a type and a tuple expected, found %s, %s and %s", describe(args[0]), describe(args[1]), describe(args[2]))
	}
	switch f.name {
	case "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor_v3", "torch._utils._rebuild_parameter":
	default:
		return nil, m.fail(tensor.ErrUnsupported, "a tensor made by %s", f.name)
	}
	switch typ.name {
	case "torch.Tensor", "torch.nn.parameter.Parameter", "torch.nn.parameter.Buffer":
		return f.build(m, inner)
	}
	return nil, m.fail(tensor.ErrUnsupported, "a tensor of the type %s", typ.name)
}
