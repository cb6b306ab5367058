package torch

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
)

// hostile is a file that must be refused: with what class of error, and with
// what in its text.
type hostile struct {
	name  string
	b     []byte
	class error
	text  string
}

// pickled puts a pickle into an archive that is in order.
func pickled(p *program) []byte { return zipped(checkpoint(p.b)) }

// dangerous are names that run code, open files or load more when a pickle
// that holds them is loaded in Python.
var dangerous = strings.Fields(`os.system posix.system nt.system os.popen os.execv os.spawnl os.remove builtins.eval builtins.exec builtins.compile builtins.open
	builtins.getattr builtins.__import__ builtins.globals builtins.breakpoint __builtin__.eval __builtin__.execfile __builtin__.apply subprocess.Popen subprocess.call
	subprocess.run subprocess.check_output commands.getoutput runpy._run_code runpy.run_path pty.spawn importlib.import_module imp.load_source webbrowser.open socket.socket
	shutil.rmtree operator.attrgetter operator.methodcaller functools.partial types.CodeType types.FunctionType code.InteractiveInterpreter ctypes.CDLL
	asyncio.create_subprocess_shell pickle.loads _pickle.loads marshal.loads dill.loads cloudpickle.loads joblib.load numpy.load numpy.testing._private.utils.runstring
	sys.modules sys.exit timeit.timeit bdb.Bdb.run pdb.run cProfile.run trace.Trace.run profile.Profile.run doctest.debug_script httplib.HTTPSConnection
	urllib.request.urlopen requests.api.get pip._internal.main torch.load torch.hub.load torch.jit.load torch.storage._load_from_bytes torch.serialization.load
	torch.ops.load_library torch._inductor.codecache.compile_file torch.fx.graph_module.reduce_graph_module torch.utils.cpp_extension.load_inline
	torch.distributed.rpc.rpc_sync torch.package.PackageImporter torch.nn.modules.linear.Linear collections.namedtuple`)

// globalCases asks for each dangerous name in two of the ways that pickles
// have, with arguments that would leave a file behind.
func globalCases(canary string) (out []hostile) {
	for _, full := range dangerous {
		i := strings.LastIndex(full, ".")
		module, name := full[:i], full[i+1:]
		out = append(out,
			hostile{"GLOBAL " + full, pickled(pickle().global(module, name).str("touch " + canary).raw("\x85R.")), ErrGlobal, "the name " + full},
			hostile{"STACK_GLOBAL " + full, pickled(pickle().str(module).str(name).raw("\x93").str("touch " + canary).raw("\x85R.")), ErrGlobal, "the name " + full},
			hostile{"NEWOBJ_EX " + full, pickled(pickle().global(module, name).str("touch " + canary).raw("\x85}\x92.")), ErrGlobal, "the name " + full},
			hostile{"in the model " + full, pickled(pickle().raw("}").str("w").global(module, name).str("touch " + canary).raw("\x85Rs.")), ErrGlobal, "the name " + full},
			hostile{"in a chain " + full, chained(pickle().global(module, name).str("touch "+canary).raw("\x85R.").b, "", nil), ErrGlobal, "the name " + full})
	}
	return out
}

// instructionCases are instructions that no checkpoint has, broken uses of
// those it has, and bombs.
func instructionCases() (out []hostile) {
	for b, o := range instructions {
		if o.do == nil && o.name != "" {
			out = append(out, hostile{"instruction " + o.name, pickled(pickle().raw("N" + string([]byte{byte(b)}))), tensor.ErrUnsupported, o.name + ": the instruction"})
		}
	}
	add := func(name string, p *program, class error, text string) {
		out = append(out, hostile{name, pickled(p), class, text})
	}
	add("instruction 0xff", pickle().op(0xff), tensor.ErrUnsupported, "instruction 0xff")
	add("os.system by INST", pickle().raw("(").str("x").raw("ios\nsystem\n."), tensor.ErrUnsupported, "INST")
	for _, s := range []string{"R", "NR", "\x85", "N\x86", "NN\x87", "s", "Ns", "a", "]a", "b", "Q", "\x93", "N\x93", ".", "q\x00", "\x94", "(q\x00", "(R", "]((e", "(N\x85\x85"} {
		add(fmt.Sprintf("underflow %q", s), pickle().raw(s+"."), tensor.ErrFormat, "")
	}
	for _, s := range []string{"t", "Nt", "]e", "}u", "\x91", "\x90"} {
		add(fmt.Sprintf("no mark %q", s), pickle().raw(s+"."), tensor.ErrFormat, "no mark")
	}
	for _, s := range []string{"h\x07", "j\xff\xff\xff\xff", "Nq\x01h\x02"} {
		add(fmt.Sprintf("memo %q", s), pickle().raw(s+"."), tensor.ErrFormat, "nothing was kept")
	}
	for s, words := range map[string]string{"N(\x85.": "holds 0 values, 1 are", "NN(N\x86.": "holds 1 values, 2 are", "]N(a.": "holds 0 values, 1 are"} {
		add(fmt.Sprintf("below a mark %q", s), pickle().raw(s), tensor.ErrFormat, words)
	}
	for _, s := range []string{"NN.", "N(.", "(.", "}(NNu(."} {
		add(fmt.Sprintf("left over %q", s), pickle().raw(s), tensor.ErrFormat, "one value is left")
	}
	for _, s := range []string{"", "N", "X\xff\xff\xff\xff", "X\xff\xff\xff\x7fabc", "U\xffa", "B\xff\xff\xff\xff", "C\x09a", "\x8a\xff1", "J\x01", "G\x00", "M\x00", "K", "r\x00", "\x8c\x05a", "\x95\xff\xff\xff\xff\xff\xff\xff\xff",
		"\x95\x00\x00\x00\x00\x00\x00\x00\x7f", "\x96\xff\xff\xff\xff\xff\xff\xff\xff", "\x96\x00\x00\x00\x00\x00\x00\x00\x80", "cos", "cos\nsystem"} {
		add(fmt.Sprintf("cut %q", s), pickle().raw(s), io.ErrUnexpectedEOF, "")
	}
	add("NEWOBJ_EX of a listed name", pickle().global("collections", "OrderedDict").raw(")}\x92."), tensor.ErrFormat, "a name applied to a tuple and a dict")
	add("LONG4 of 2^31", pickle().raw("\x8b\xff\xff\xff\x7f."), tensor.ErrUnsupported, "LONG4")
	add("long name", pickle().raw("c").many(100_000, "a"), tensor.ErrLimit, "a name of more than 256 bytes")
	add("text not UTF-8", pickle().raw("X\x01\x00\x00\x00\xff."), tensor.ErrFormat, "not UTF-8")
	for _, v := range []byte{0, 1, 6, 255} {
		out = append(out, hostile{fmt.Sprint("protocol ", v), zipped(checkpoint([]byte{0x80, v, 'N', '.'})), tensor.ErrUnsupported, "protocol"})
	}
	out = append(out, hostile{"protocol 0 text", zipped(checkpoint([]byte("cos\nsystem\n(S'x'\ntR."))), tensor.ErrUnsupported, "STRING"},
		hostile{"empty pickle", zipped(checkpoint(nil)), io.ErrUnexpectedEOF, ""})
	add("protocol again", pickle().raw("\x80\x02N."), tensor.ErrUnsupported, "protocol")
	add("called type", pickle().global("torch", "Tensor").raw(")R."), ErrGlobal, "not for calling")
	add("called storage type", pickle().global("torch", "FloatStorage").raw(")R."), ErrGlobal, "not for calling")
	add("called text", pickle().str("x").raw(")R."), tensor.ErrFormat, "a name applied")
	add("arguments no tuple", pickle().global("collections", "OrderedDict").raw("]R."), tensor.ErrFormat, "a name applied")
	add("name of numbers", pickle().raw("K\x01K\x02\x93."), tensor.ErrFormat, "module and name are texts")
	add("odd items", pickle().raw("}(Nu."), tensor.ErrFormat, "pairs")
	add("items of a list", pickle().raw("](NNu."), tensor.ErrFormat, "a dict")
	add("append to a dict", pickle().raw("}Na."), tensor.ErrFormat, "a list")
	add("attributes of a tuple", pickle().raw(")}b."), tensor.ErrUnsupported, "attributes set on a tuple")
	return out
}

// bombCases are small or repetitive files that ask for much.
func bombCases() (out []hostile) {
	add := func(name string, p *program, class error, text string) {
		out = append(out, hostile{name, pickled(p), class, text})
	}
	const many = 20_000_000
	for _, s := range []string{"(", "]", "}", "N", "(t", "K\x01", "G12345678"} {
		add(fmt.Sprintf("2·10^7 of %q", s), pickle().many(many/len(s), s), tensor.ErrLimit, "more than 96 MiB")
	}
	memo := pickle().raw("NN")
	for i := range 1_000_000 {
		memo.raw("r" + string(binary.LittleEndian.AppendUint32(nil, uint32(i))))
	}
	add("memo of 10^6", memo.raw("."), tensor.ErrFormat, "one value is left")
	add("memo numbers apart", pickle().raw("Nr\xff\xff\x0f\x00r\xff\xff\xff\xff."), tensor.ErrLimit, "a value kept under the number 4294967295")
	add("lists within lists", pickle().raw("}").str("w").raw("]").many(100_000, "]").many(100_000, "a").raw("s."), tensor.ErrLimit, "more than 64 deep")
	deep := pickle().raw("}").str("w").many(100, "](")
	ones(deep)
	add("a tensor 100 lists deep", deep.many(100, "e").raw("s."), tensor.ErrLimit, "more than 64 deep")
	out = append(out, hostile{"ten to the twelve names", pickled(nested("](", "e")), tensor.ErrLimit, "more than 65536 tensors"},
		hostile{"ten to the twelve tuples", pickled(nested("(", "t")), tensor.ErrLimit, "more than 65536 tensors"},
		hostile{"one storage under many names", sharedStorage(), tensor.ErrLimit, "their storages 4194304"})
	return out
}

// nested is a model whose one entry holds ten times what holds ten times what
// holds a tensor, twelve times over.
func nested(begin, end string) *program {
	p := pickle().raw("}(").str("w0")
	ones(p)
	p.raw("q\x00")
	for i := range 12 {
		p.str(fmt.Sprint("x", i)).raw(begin).many(10, "h\x00").raw(end + "q\x00")
	}
	return p.raw("u.")
}

func sharedStorage() []byte {
	p := pickle().raw("}(")
	for i := range 200 {
		p.str(fmt.Sprint(i)).tensor("FloatStorage", "0", 1<<20, 0, []int64{1 << 20}, []int64{1})
	}
	members := checkpoint(p.raw("u.").b)
	members[2] = file("m/data/0", make([]byte, 4<<20))
	return zipped(members)
}

// tensorCases describe storages and tensors that are not there.
func tensorCases() (out []hostile) {
	add := func(name string, value func(*program), class error, text string) {
		out = append(out, hostile{name, zipped(checkpoint(model(value))), class, text})
	}
	persistent := func(name, id string) {
		add(name, func(p *program) { p.raw(id + "Q") }, tensor.ErrFormat, "BINPERSID")
	}
	persistent("persistent id no tuple", "N")
	persistent("persistent id empty", ")")
	persistent("persistent id module", "("+string(pickle().str("module").b[2:])+"NNNNt")
	persistent("persistent id of four", "("+string(pickle().str("storage").b[2:])+"NNNt")
	persistent("persistent id of nothing", "("+string(pickle().str("storage").b[2:])+"NNNNt")
	storage := func(name, typ, key string, n int64, text string) {
		add(name, func(p *program) { p.tensor(typ, key, n, 0, []int64{4}, []int64{1}) }, tensor.ErrFormat, text)
	}
	storage("count -1", "FloatStorage", "0", -1, "count")
	storage("count 2^62", "FloatStorage", "0", 1<<62, "the entry has 16 bytes")
	storage("count too small", "FloatStorage", "0", 3, "the entry has 16 bytes")
	storage("count too large", "FloatStorage", "0", 5, "the entry has 16 bytes")
	storage("other size", "HalfStorage", "0", 4, "the entry has 16 bytes")
	storage("key of a path", "FloatStorage", "../data/0", 4, "no entry")
	storage("key outside", "FloatStorage", "../../x", 4, "no entry")
	storage("key absent", "FloatStorage", "1", 4, "no entry")
	storage("key empty", "FloatStorage", "", 4, "no entry")
	storage("type no storage", "float32", "0", 4, "a storage type")
	view := func(name string, offset int64, shape, strides []int64, class error, text string) {
		add(name, func(p *program) { p.tensor("FloatStorage", "0", 4, offset, shape, strides) }, class, text)
	}
	view("shape beyond", 0, []int64{5}, []int64{1}, tensor.ErrFormat, "reach element 4 of a storage of 4")
	view("offset beyond", 1, []int64{4}, []int64{1}, tensor.ErrFormat, "reach element 4")
	view("offset negative", -1, []int64{1}, []int64{1}, tensor.ErrFormat, "do not fit together")
	view("offset 2^63-1", math.MaxInt64, []int64{2}, []int64{1}, tensor.ErrFormat, "reach")
	view("stride beyond", 0, []int64{2}, []int64{4}, tensor.ErrFormat, "reach element 4")
	view("stride negative", 3, []int64{4}, []int64{-1}, tensor.ErrFormat, "from 0")
	view("stride 2^62", 0, []int64{4}, []int64{1 << 62}, tensor.ErrFormat, "beyond 2^63-1")
	view("shape negative", 0, []int64{-4}, []int64{1}, tensor.ErrFormat, "from 0")
	view("shape product", 0, []int64{1 << 32, 1 << 32}, []int64{0, 0}, tensor.ErrLimit, "span more than")
	view("shape product and zero", 0, []int64{1 << 62, 1 << 62, 0}, []int64{0, 0, 0}, tensor.ErrLimit, "span more than")
	view("expanded to exabytes", 0, []int64{1 << 30, 1 << 30}, []int64{0, 0}, tensor.ErrLimit, "elements in a storage of 4")
	view("windows without end", 0, []int64{1 << 20, 4}, []int64{0, 1}, tensor.ErrLimit, "elements in a storage of 4")
	view("rank 65", 0, make([]int64, 65), make([]int64, 65), tensor.ErrLimit, "65 dimensions")
	view("rank without strides", 0, []int64{4}, nil, tensor.ErrFormat, "do not fit together")
	add("empty tensors alone", func(p *program) { p.tensor("FloatStorage", "0", 4, 0, []int64{0}, []int64{1}) }, tensor.ErrUnsupported, "all tensors are empty")
	add("two types of a storage", func(p *program) {
		p.raw("}(").str("a")
		ones(p)
		p.str("b").tensor("IntStorage", "0", 4, 0, []int64{4}, []int64{1}).raw("u")
	}, tensor.ErrFormat, `storage "0" is torch.IntStorage of 4 elements, but was torch.FloatStorage of 4`)
	add("untyped by version 2", func(p *program) {
		p.global("torch._utils", "_rebuild_tensor_v2").raw("((").str("storage").global("torch.storage", "UntypedStorage").str("0").str("cpu").num(16).raw("tQK\x00))\x89}tR")
	}, tensor.ErrFormat, "the type stands either")
	add("arguments missing", func(p *program) { p.global("torch._utils", "_rebuild_tensor_v2").raw(")R") }, tensor.ErrFormat, "0 arguments")
	add("parameter of nothing", func(p *program) { p.global("torch._utils", "_rebuild_parameter").raw("N\x85R") }, tensor.ErrFormat, "a tensor expected")
	add("any function by type", func(p *program) {
		p.global("torch._tensor", "_rebuild_from_type_v2").raw("(").global("_codecs", "encode").global("torch", "Tensor").raw(")}tR")
	}, tensor.ErrUnsupported, "a tensor made by _codecs.encode")
	add("storage of an unknown type", func(p *program) { p.tensor("EvilStorage", "0", 4, 0, []int64{4}, []int64{1}) }, ErrGlobal, "torch.EvilStorage")
	add("tensor of an unknown object", func(p *program) {
		p.global("torch._utils", "_rebuild_tensor_v2").raw("(").global("os", "system").raw(")RK\x00))\x89}tR")
	}, ErrGlobal, "os.system")
	add("parameter of an unknown object", func(p *program) {
		p.global("torch._utils", "_rebuild_parameter").raw("(").global("os", "system").raw(")R\x89}tR")
	}, ErrGlobal, "os.system")
	add("tensor in an object", func(p *program) { p.global("a", "B").raw("("); ones(p); p.raw("tR") }, ErrGlobal, "a.B")
	add("tensor in attributes", func(p *program) { p.global("a", "B").raw(")R}").str("x"); ones(p); p.raw("sb") }, ErrGlobal, "a.B")
	add("tensor appended", func(p *program) { p.global("a", "B").raw(")R"); ones(p); p.raw("a") }, ErrGlobal, "a.B")
	add("tensor set", func(p *program) { p.global("a", "B").raw(")R").str("x"); ones(p); p.raw("s") }, ErrGlobal, "a.B")
	names := func(name, s string, text string) {
		add(name, func(p *program) {
			p.raw("}(").str("a")
			ones(p)
			p.raw("q\x00").raw(s).raw("u")
		}, tensor.ErrFormat, text)
	}
	names("a key twice", string(pickle().str("a").b[2:])+"h\x00", "the key stands twice")
	names("a number and its text", "K\x01h\x00"+string(pickle().str("1").b[2:])+"h\x00", "the key stands twice")
	names("a dot and a dict", string(pickle().str("b.c").b[2:])+"h\x00"+string(pickle().str("b").b[2:])+"}"+string(pickle().str("c").b[2:])+"h\x00s", "two entries make this name")
	out = append(out, hostile{"a tensor under a tuple", pickled(pickle().raw(string(model(ones)[2 : len(model(ones))-1])).raw(")h\x00s.")), tensor.ErrFormat, "nothing was kept"})
	return out
}

// foreignCases are files of other kinds under a checkpoint's name.
func foreignCases() []hostile {
	return []hostile{
		{"7z", []byte("7z\xbc\xaf\x27\x1c\x00\x04aaaaaaaaaaaaaaaa"), tensor.ErrUnsupported, "7z"},
		{"rar", []byte("Rar!\x1a\x07\x01\x00aaaaaaaaaaaaaaaaaaaa"), tensor.ErrUnsupported, "RAR"},
		{"gzip", []byte("\x1f\x8b\x08\x00aaaaaaaaaaaaaaaaaaaaaaa"), tensor.ErrUnsupported, "gzip"},
		{"pickle alone", []byte("\x80\x04\x95aaaaaaaaaaaaaaaaaaaaaaa"), tensor.ErrUnsupported, "bare pickle"},
		{"a pickle of scikit-learn", []byte("\x80\x04\x95aaaaaaaa}\x94(\x8c\x05model\x94\x8c\x14sklearn.svm._classes"), tensor.ErrUnsupported, "a model of scikit-learn); skl2onnx"},
		{"a pickle of arrays", []byte("\x80\x02}q\x00X\x01\x00\x00\x00acnumpy.core.multiarray\n_reconstruct"), tensor.ErrUnsupported, "of NumPy's arrays); numpy.savez"},
		{"os.system alone", []byte("cos\nsystem\n(S'touch x'\ntR."), tensor.ErrNotModel, "no archive"},
		{"empty file", nil, tensor.ErrNotModel, "no archive"},
		{"zip of four bytes", []byte("PK\x03\x04"), tensor.ErrNotModel, "no archive"},
		{"HTML", []byte("<!DOCTYPE html><html>not found</html>"), tensor.ErrNotModel, "no archive"},
	}
}

// Every hostile file is refused with a typed error, nothing is run, no more
// than 112 MiB are allocated, and none goes on for long: a second on a quiet
// machine, with room for the race detector and for others' work.
func TestHostile(t *testing.T) {
	canary := filepath.Join(t.TempDir(), "executed")
	var cases []hostile
	for _, group := range [][]hostile{globalCases(canary), instructionCases(), bombCases(), tensorCases(), archiveCases(t), chainCases(), tarCases(t), scriptCases(), exportedCases(), foreignCases()} {
		cases = append(cases, group...)
	}
	require.Greater(t, len(cases), 500)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { c.check(t) })
	}
	_, err := os.Stat(canary)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func (c hostile) check(t *testing.T) {
	var err error
	took, allocated := cost(func() { _, err = read(c.b) })
	require.Error(t, err)
	var fe *tensor.FormatError
	require.ErrorAs(t, err, &fe)
	require.NotEmpty(t, fe.Field)
	require.ErrorIs(t, err, c.class, "%v", err)
	require.ErrorContains(t, err, c.text)
	require.Less(t, took, 20*time.Second)
	require.LessOrEqual(t, allocated, uint64(112<<20))
}

// cost is the processor time and the bytes allocated; other work on the
// machine does not count.
func cost(f func()) (took time.Duration, allocated uint64) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := processor()
	f()
	took = processor() - start
	runtime.ReadMemStats(&after)
	return took, after.TotalAlloc - before.TotalAlloc
}

func processor() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
