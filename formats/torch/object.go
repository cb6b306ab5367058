package torch

import (
	"slices"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
)

// object is what a pickle makes of a class or function that is not on the
// list. The name was not looked up and nothing was run: only what the file
// hands to it is kept, so that the tensors within can be found or missed.
type object struct {
	class string
	args  tuple   // of the call that would have made it
	items []value // appended to it, or set as pairs
	state value   // its attributes
	bare  bool    // the class or function itself, not called
}

// unread is a tensor that this package cannot read. It is an error only where
// the model holds it.
type unread struct{ err error }

// maxUnknown bounds the names that are kept for the warning.
const maxUnknown = 256

// unknown notes a name that is not on the list.
func (m *machine) unknown(full string) error {
	if len(m.names) < maxUnknown && !slices.Contains(m.names, full) {
		m.names = append(m.names, full)
	}
	return m.pushNew(&object{class: full, bare: true}, objectBytes+slotBytes)
}

// refused is the error for a model that depends on an object.
func (o *object) refused(file, field string) error {
	return tensor.Errorf(ErrGlobal, file, -1, field, "the name %s is none of those a checkpoint of weights needs; it was not looked up and nothing was run", escape.Printable(o.class))
}

// attributes returns the dict of an object's attributes. A state may be a
// pair of that and of slots. A traced module (torch.fx) is made from its
// attributes by a function of two arguments, the other being its source.
func (o *object) attributes() *dict {
	state := o.state
	if o.class == "torch.fx.graph_module.reduce_graph_module" && len(o.args) > 0 {
		state = o.args[0]
	}
	if pair, ok := state.(tuple); ok && len(pair) == 2 {
		state = pair[0]
	}
	d, _ := state.(*dict)
	return d
}

// get returns the value under a key, nil if there is none.
func (d *dict) get(key string) value {
	if d == nil {
		return nil
	}
	for i, k := range d.keys {
		if s, ok := k.(string); ok && s == key {
			return d.values[i]
		}
	}
	return nil
}

// module returns what the state dict of a pickled torch.nn.Module holds: its
// parameters, its buffers but for those it does not save, and its parts, as a
// dict. It is nil for objects of other kinds.
func (o *object) module() *dict {
	a := o.attributes()
	parts, ok := a.get("_modules").(*dict)
	own, ok2 := a.get("_parameters").(*dict)
	if !ok || !ok2 {
		return nil
	}
	out := &dict{}
	out.add(own, nil)
	if buffers, ok := a.get("_buffers").(*dict); ok {
		passing, _ := a.get("_non_persistent_buffers_set").(*list)
		out.add(buffers, passing)
	}
	out.add(parts, nil)
	return out
}

// add takes over the pairs of another dict except those with a key on a list.
func (d *dict) add(from *dict, but *list) {
	for i, k := range from.keys {
		name, _ := k.(string)
		if but.lists(name) || from.values[i] == nil {
			continue
		}
		d.keys, d.values = append(d.keys, k), append(d.values, from.values[i])
	}
}

// lists tells whether a text stands on a list.
func (l *list) lists(s string) bool {
	return l != nil && slices.ContainsFunc(l.items, func(v value) bool { t, ok := v.(string); return ok && t == s })
}

// holds lists the values within an object.
func (o *object) holds() []value {
	return append(append(slices.Clone(o.args), o.items...), o.state)
}
