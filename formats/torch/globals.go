package torch

import (
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
)

// global is a name that is known here. It stands for an element type,
// a type of storage, or a constructor written here; none reaches anything
// outside this package.
type global struct {
	name      string
	dtype     tensor.DType // of a storage or element type
	isStorage bool
	isDType   bool
	build     func(*machine, tuple) (value, error)
	why       string // of a tensor that is not read
}

// storages are the typed storages; that of no type counts bytes.
var storages = map[string]tensor.DType{
	"DoubleStorage": tensor.F64, "FloatStorage": tensor.F32, "HalfStorage": tensor.F16, "BFloat16Storage": tensor.BF16,
	"ComplexDoubleStorage": tensor.C128, "ComplexFloatStorage": tensor.C64,
	"ByteStorage": tensor.U8, "CharStorage": tensor.I8, "ShortStorage": tensor.I16, "IntStorage": tensor.I32, "LongStorage": tensor.I64,
	"BoolStorage": tensor.Bool,
}

// dtypes are torch's element types that have a reading here.
var dtypes = map[string]tensor.DType{
	"float64": tensor.F64, "float32": tensor.F32, "float16": tensor.F16, "bfloat16": tensor.BF16,
	"complex128": tensor.C128, "complex64": tensor.C64, "complex32": tensor.Named("C32"),
	"uint8": tensor.U8, "int8": tensor.I8, "int16": tensor.I16, "int32": tensor.I32, "int64": tensor.I64,
	"uint16": tensor.U16, "uint32": tensor.U32, "uint64": tensor.U64, "bool": tensor.Bool,
	"float8_e4m3fn": tensor.F8E4M3, "float8_e5m2": tensor.F8E5M2, "float8_e8m0fnu": tensor.F8E8M0,
	"float8_e4m3fnuz": tensor.Named("F8_E4M3FNUZ"), "float8_e5m2fnuz": tensor.Named("F8_E5M2FNUZ"), "float4_e2m1fn_x2": tensor.F4,
}

// dropped are harmless objects that training scripts store beside the
// weights. Their contents are passed over.
var dropped = strings.Fields(`
	torch.device torch.Generator torch.strided torch.torch_version.TorchVersion torch.serialization._get_layout
	builtins.bytearray builtins.complex builtins.slice builtins.range builtins.list builtins.dict builtins.tuple
	builtins.int builtins.float builtins.str builtins.bool
	__builtin__.bytearray __builtin__.complex __builtin__.slice __builtin__.xrange __builtin__.range
	__builtin__.list __builtin__.dict __builtin__.tuple __builtin__.int __builtin__.float __builtin__.str __builtin__.unicode __builtin__.bool
	_codecs.encode argparse.Namespace datetime.timedelta datetime.datetime
	pathlib.PosixPath pathlib.WindowsPath pathlib.PurePosixPath pathlib.PureWindowsPath
	numpy.dtype numpy.ndarray
	numpy.core.multiarray.scalar numpy.core.multiarray._reconstruct numpy._core.multiarray.scalar numpy._core.multiarray._reconstruct`)

// constructors build what a model is made of.
var constructors = map[string]func(*machine, tuple) (value, error){
	"collections.OrderedDict":                    makeDict,
	"collections.Counter":                        makeDict,
	"collections.defaultdict":                    makeDict,
	"builtins.set":                               makeSet,
	"builtins.frozenset":                         makeSet,
	"__builtin__.set":                            makeSet,
	"__builtin__.frozenset":                      makeSet,
	"torch.Size":                                 makeSize,
	"torch._utils._rebuild_tensor":               rebuildTensor,
	"torch._utils._rebuild_tensor_v2":            rebuildTensor2,
	"torch._utils._rebuild_tensor_v3":            rebuildTensor3,
	"torch._utils._rebuild_parameter":            rebuildParameter,
	"torch._utils._rebuild_parameter_with_state": rebuildParameter,
	"torch.nn.parameter.Parameter":               rebuildParameter,
	"torch._tensor._rebuild_from_type_v2":        rebuildFromType,
	"torch.Tensor":                               nil, // named as a type, never called
	"torch.nn.parameter.Buffer":                  nil,
}

// others are names that torch writes for tensors which are not read.
var others = map[string]string{
	"torch._utils._rebuild_sparse_tensor":          "sparse tensors are not read",
	"torch._utils._rebuild_sparse_csr_tensor":      "sparse tensors are not read",
	"torch._utils._rebuild_qtensor":                "quantised tensors of torch's own kind are not read",
	"torch.QInt8Storage":                           "quantised tensors of torch's own kind are not read",
	"torch.QUInt8Storage":                          "quantised tensors of torch's own kind are not read",
	"torch.QInt32Storage":                          "quantised tensors of torch's own kind are not read",
	"torch._utils._rebuild_nested_tensor":          "nested tensors are not read",
	"torch._utils._rebuild_meta_tensor_no_storage": "a tensor without values (device meta)",
	"torch._utils._rebuild_wrapper_subclass":       "tensors of a class of their own are not read",
}

// globals is the whole list.
var globals = func() map[string]*global {
	m := map[string]*global{}
	add := func(g global) { m[g.name] = &g }
	for name, d := range storages {
		add(global{name: "torch." + name, dtype: d, isStorage: true})
		add(global{name: "torch.cuda." + name, dtype: d, isStorage: true})
	}
	add(global{name: "torch.storage.UntypedStorage", isStorage: true})
	for name, d := range dtypes {
		add(global{name: "torch." + name, dtype: d, isDType: true})
	}
	for _, name := range dropped {
		add(global{name: name, build: func(*machine, tuple) (value, error) { return &inert{"an object " + name}, nil }})
	}
	for name, build := range constructors {
		add(global{name: name, build: build})
	}
	for name, why := range others {
		add(global{name: name, why: why})
	}
	return m
}()

// name pushes a listed name, or an object that does nothing for all others.
func (m *machine) name(full string) error {
	if g := globals[full]; g != nil {
		return m.push(g)
	}
	return m.unknown(full)
}

// makeSet makes a set, which is a list here, of a list's items.
func makeSet(m *machine, args tuple) (value, error) {
	out := &list{}
	if len(args) == 1 {
		if l, ok := args[0].(*list); ok {
			items, err := m.kept(l.items)
			return &list{items}, err
		}
	}
	return out, nil
}

// makeSize makes the tuple that a torch.Size is.
func makeSize(m *machine, args tuple) (value, error) {
	if len(args) == 1 {
		if t, ok := args[0].(tuple); ok {
			return t, nil
		}
	}
	return nil, m.broken("a tuple of sizes expected, found %s", describe(args))
}

// makeDict makes a dict, empty or from another or from a list of pairs; the
// function that a defaultdict begins with is passed over.
func makeDict(m *machine, args tuple) (value, error) {
	d := &dict{}
	for _, a := range args {
		switch a := a.(type) {
		case *dict:
			for i := range a.keys {
				if err := m.setItems(d, []value{a.keys[i], a.values[i]}); err != nil {
					return nil, err
				}
			}
		case *list:
			for _, v := range a.items {
				pair, ok := v.(*list)
				if !ok || len(pair.items) != 2 {
					return nil, m.broken("a list of pairs expected, found %s in it", describe(v))
				}
				if err := m.setItems(d, pair.items); err != nil {
					return nil, err
				}
			}
		case *global, nil:
		default:
			return nil, m.broken("a dict is made from a dict or a list of pairs, found %s", describe(a))
		}
	}
	return d, nil
}
