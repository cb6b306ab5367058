package torch

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
)

// Limits on what is walked through after the pickle has run. Values can hold
// one another and themselves.
const (
	maxDepth   = 64
	maxVisits  = 1 << 22
	maxTensors = 1 << 16
	maxName    = 64 << 10
	mostNamed  = 6 // entries that a note lists
)

// wrappers are keys under which training scripts store the model's tensors,
// the first of them that is there counts.
var wrappers = []string{"state_dict", "model_state_dict", "model", "module", "net", "params", "weights"}

// aside are beginnings of keys beside a model's parts whose tensors are none
// of its own.
var aside = []string{"optim", "opt_", "ema", "model_ema", "lr_scheduler", "scheduler", "scaler", "rng", "random"}

// prefixes are put before every name by wrappers around the model in memory.
var prefixes = []string{"module.", "_orig_mod."}

// named is a tensor of the model.
type named struct {
	name string
	v    *view
}

// finder looks for the one mapping from names to tensors.
type finder struct {
	file    string
	what    string // the pickle, for errors
	script  bool   // objects are modules of a program
	pickled bool   // a pickled module was found
	modules map[*object]*dict
	names   []string       // of classes and functions that were not looked up
	holds   map[value]bool // lists and dicts that were looked into
	visits  int
	found   []named
	seen    map[string]bool
	notes   []string
	others  []string // entries that hold no tensor
	meta    tensor.Metadata
}

func (f *finder) fail(class error, field, rule string, args ...any) error {
	return tensor.Errorf(class, f.file, -1, field, rule, args...)
}

func (f *finder) note(format string, args ...any) {
	f.notes = append(f.notes, fmt.Sprintf(format, args...))
}

// model returns the tensors of the checkpoint's model by name.
func (f *finder) model(root value) ([]named, error) {
	f.holds, f.seen = map[value]bool{}, map[string]bool{}
	if o, ok := root.(*object); ok && f.mapping(o) == nil {
		return nil, o.refused(f.file, f.what)
	}
	d, err := f.unwrap(root)
	if err != nil {
		return nil, err
	}
	if err := f.collect(d, "", 0); err != nil {
		return nil, err
	}
	if len(f.found) == 0 {
		return nil, f.none()
	}
	if !slices.ContainsFunc(f.found, func(n named) bool { return !slices.Contains(n.v.shape, 0) }) {
		return nil, f.fail(tensor.ErrUnsupported, f.what, "all tensors are empty: their values lie in the other files of a run that ZeRO or FSDP divided; zero_to_fp32.py, or saving the whole state, writes them in one")
	}
	if len(f.names) > 0 {
		f.note("classes and functions that the file names, but that no tensor of the model needs, were not looked up (loading the file in Python runs them): %s", some(f.names))
	}
	if len(f.others) > 0 {
		f.note("entries of the checkpoint that hold no tensor are left out: %s", some(f.others))
	}
	f.strip()
	return f.found, nil
}

// none is the error for a checkpoint without tensors: where it has objects,
// they may stand for them.
func (f *finder) none() error {
	if len(f.names) > 0 {
		return f.fail(ErrGlobal, f.what, "no tensor under any name, but the name %s; it is none of those a checkpoint of weights needs and was not looked up", some(f.names))
	}
	return f.fail(tensor.ErrNotModel, f.what, "no tensor under any name")
}

// unwrap descends through the wrappers, noting what stays outside. What is
// left is a dict, or a module.
func (f *finder) unwrap(v value) (value, error) {
	for range maxDepth {
		d, ok := v.(*dict)
		if !ok && f.mapping(v) != nil {
			return v, nil
		}
		if !ok {
			var err error
			if v, err = f.unnamed(v); err != nil {
				return nil, err
			}
			continue
		}
		keys, err := f.keys(d, "")
		if err != nil {
			return nil, err
		}
		in, key := f.wrapped(d, keys)
		if in == nil {
			return f.partition(d, keys)
		}
		var out []string
		for i, k := range keys {
			if k == key {
				continue
			}
			if f.any(d.values[i], 0) {
				out = append(out, k)
			} else {
				f.remember(k, d.values[i])
			}
		}
		f.note("the model is what stands under %s%s", escape.Printable(key), beside(out))
		v = in
	}
	return v, nil
}

func quoteKey(s string) string { return strconv.QuoteToASCII(s) }

func beside(out []string) string {
	if len(out) == 0 {
		return ""
	}
	return "; tensors outside it are left out: " + some(out)
}

// some lists the first names.
func some(names []string) string {
	var quoted []string
	for _, n := range names[:min(len(names), mostNamed)] {
		quoted = append(quoted, escape.Printable(n))
	}
	s := strings.Join(quoted, ", ")
	if more := len(names) - len(quoted); more > 0 {
		s += fmt.Sprintf(" and %d more", more)
	}
	return s
}

// wrapped finds a wrapper key whose value holds tensors.
func (f *finder) wrapped(d *dict, keys []string) (value, string) {
	for _, w := range wrappers {
		if i := slices.Index(keys, w); i >= 0 {
			if in := d.values[i]; f.mapping(in) != nil && f.any(in, 0) {
				return in, w
			}
		}
	}
	return nil, ""
}

// partition returns a dict without the entries of training that stand beside
// the parts of a model. A dict with tensors of its own is a model as it is.
func (f *finder) partition(d *dict, keys []string) (*dict, error) {
	if slices.ContainsFunc(d.values, func(v value) bool { _, ok := v.(*view); return ok }) {
		return d, nil
	}
	parts, out := &dict{}, []string{}
	for i, k := range keys {
		if slices.ContainsFunc(aside, func(p string) bool { return strings.HasPrefix(k, p) }) && f.any(d.values[i], 0) {
			out = append(out, k)
			continue
		}
		parts.keys, parts.values = append(parts.keys, d.keys[i]), append(parts.values, d.values[i])
	}
	if len(out) > 0 {
		f.note("tensors of training are left out: %s", some(out))
	}
	return parts, nil
}

// remember keeps declared facts: numbers and short texts.
func (f *finder) remember(key string, v value) {
	switch v := v.(type) {
	case string, bool, int64, float64:
		f.meta["torch."+key] = v
	}
}

// keys returns the keys of a dict as text. None may stand twice: a loader
// would keep one of them only. Keys that are neither text nor number have the
// name "", and no tensor may stand under them.
func (f *finder) keys(d *dict, path string) ([]string, error) {
	seen := make(map[string]bool, len(d.keys))
	keys := make([]string, len(d.keys))
	for i, k := range d.keys {
		switch k := k.(type) {
		case string:
			keys[i] = k
		case int64:
			keys[i] = strconv.FormatInt(k, 10)
		default:
			if f.any(d.values[i], 0) {
				return nil, f.fail(tensor.ErrUnsupported, f.what+" "+quoteKey(path), "a tensor under %s: names are texts or numbers", describe(k))
			}
			continue
		}
		if seen[keys[i]] {
			return nil, f.fail(tensor.ErrFormat, f.what+" "+quoteKey(path+keys[i]), "the key stands twice")
		}
		seen[keys[i]] = true
	}
	return keys, nil
}

// strip takes off what wrappers around the model put before every name.
func (f *finder) strip() {
	for again := true; again; {
		again = false
		for _, p := range prefixes {
			if !slices.ContainsFunc(f.found, func(n named) bool { return !strings.HasPrefix(n.name, p) || n.name == p }) {
				for i := range f.found {
					f.found[i].name = f.found[i].name[len(p):]
				}
				f.note("the prefix %s before every name is taken off", p)
				again = true
			}
		}
	}
}
