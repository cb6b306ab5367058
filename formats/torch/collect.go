package torch

import (
	"slices"
	"strconv"

	"github.com/weightprint/weightprint/formats/tensor"
)

// any tells whether a tensor stands in a value, at any depth. Each list and
// dict is looked into once.
func (f *finder) any(v value, depth int) bool {
	if depth > maxDepth {
		return true // collect then finds the limit exceeded
	}
	switch v := v.(type) {
	case *view, *unread:
		return true
	case tuple:
		return f.anyOf(v, depth)
	case *list:
		return f.once(v, v.items, depth)
	case *dict:
		return f.once(v, v.values, depth)
	case *object:
		if d := f.mapping(v); d != nil {
			return f.once(v, d.values, depth)
		}
		return f.once(v, v.holds(), depth)
	}
	return false
}

// mapping returns the mapping from names to tensors and parts that a value is:
// a dict, a pickled module, or a module of a TorchScript program; else nil.
func (f *finder) mapping(v value) *dict {
	switch v := v.(type) {
	case *dict:
		return v
	case *object:
		if d, known := f.modules[v]; known {
			return d
		}
		d := v.module()
		if f.script {
			d = v.attributes()
		}
		if f.modules == nil {
			f.modules = map[*object]*dict{}
		}
		f.modules[v] = d
		return d
	}
	return nil
}

func (f *finder) once(key value, items []value, depth int) bool {
	if known, ok := f.holds[key]; ok {
		return known
	}
	f.holds[key] = false // for what holds itself
	f.holds[key] = f.anyOf(items, depth)
	return f.holds[key]
}

func (f *finder) anyOf(items []value, depth int) bool {
	if f.visits += len(items); f.visits > maxVisits {
		return true // collect then finds the limit exceeded
	}
	return slices.ContainsFunc(items, func(v value) bool { return f.any(v, depth+1) })
}

// collect adds the tensors of a value under dotted names.
func (f *finder) collect(v value, name string, depth int) error {
	if f.visits++; f.visits > maxVisits || depth > maxDepth || len(name) > maxName {
		return f.fail(tensor.ErrLimit, f.what+" "+quoteKey(name[:min(len(name), 80)]), "dicts and lists within one another: more than %d deep or %d in all", maxDepth, maxVisits)
	}
	switch v := v.(type) {
	case *view:
		if f.seen[name] {
			return f.fail(tensor.ErrFormat, "tensor "+quoteKey(name), "two entries make this name")
		}
		if f.seen[name] = true; len(f.seen) > maxTensors {
			return f.fail(tensor.ErrLimit, f.what+" "+quoteKey(name), "more than %d tensors", maxTensors)
		}
		f.found = append(f.found, named{name, v})
	case tuple:
		return f.items(v, name, depth)
	case *list:
		return f.items(v.items, name, depth)
	case *dict:
		return f.pairs(v, name, depth)
	case *unread:
		return v.err
	case *object:
		return f.object(v, name, depth)
	}
	return nil
}

// object collects the tensors of a module. Those within an object of another
// class are not read: what its class makes of them is unknown.
func (f *finder) object(o *object, name string, depth int) error {
	d := f.mapping(o)
	if d == nil {
		return o.refused(f.file, f.what+" "+quoteKey(name))
	}
	if !f.script && !f.pickled {
		f.pickled = true
		f.note("the model is a pickled module; its parameters and buffers were read and nothing was run")
	}
	return f.pairs(d, name, depth)
}

func (f *finder) items(items []value, name string, depth int) error {
	for i, v := range items {
		if err := f.collect(v, join(name, strconv.Itoa(i)), depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (f *finder) pairs(d *dict, name string, depth int) error {
	keys, err := f.keys(d, join(name, ""))
	if err != nil {
		return err
	}
	for i, k := range keys {
		if !f.any(d.values[i], depth) {
			if depth == 0 {
				f.others = append(f.others, k)
				f.remember(k, d.values[i])
			}
			continue
		}
		if err := f.collect(d.values[i], join(name, k), depth+1); err != nil {
			return err
		}
	}
	return nil
}

// join puts a dot between two names.
func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + "." + b
}
