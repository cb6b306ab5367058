package torch

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
)

const littleSystem = "\x80\x02}X\x0d\x00\x00\x00little_endian\x88s."

// chained writes a chain of pickles: the checkpoint, the list of storages, and
// what lies behind them.
func chained(checkpoint []byte, keys string, storages []byte) []byte {
	b := []byte("\x80\x02" + chainMagic + "\x80\x02M\xe9\x03." + littleSystem)
	b = append(b, checkpoint...)
	b = append(b, "\x80\x02]("+keys+"e."...)
	return append(b, storages...)
}

func text(s string) string { return string(pickle().str(s).b[2:]) }

func counted(n uint64, b []byte) []byte {
	return append(binary.LittleEndian.AppendUint64(nil, n), b...)
}

// chainCases are chains that lie about what follows.
func chainCases() (out []hostile) {
	four := counted(4, make([]byte, 16))
	add := func(name string, b []byte, class error, text string) {
		out = append(out, hostile{"chain " + name, b, class, text})
	}
	good := model(ones)
	add("other version", bytes.Replace(chained(good, text("0"), four), []byte("M\xe9\x03"), []byte("M\xea\x03"), 1), tensor.ErrUnsupported, "protocol version")
	add("no version", bytes.Replace(chained(good, text("0"), four), []byte("M\xe9\x03"), []byte("NN0"), 1), tensor.ErrUnsupported, "protocol version: None")
	add("big-endian", bytes.Replace(chained(good, text("0"), four), []byte("\x88s."), []byte("\x89s."), 1), tensor.ErrUnsupported, "little-endian")
	add("system no dict", bytes.Replace(chained(good, text("0"), four), []byte(littleSystem), []byte("\x80\x02N."), 1), tensor.ErrUnsupported, "little-endian")
	add("magic alone", []byte("\x80\x02"+chainMagic), io.ErrUnexpectedEOF, "")
	add("no storages", chained(good, text("0"), nil), io.ErrUnexpectedEOF, `storage "0"`)
	add("storage cut", chained(good, text("0"), four[:20]), io.ErrUnexpectedEOF, "16 bytes, 12 are left")
	add("other count", chained(good, text("0"), counted(3, make([]byte, 16))), tensor.ErrFormat, "3 elements here, but 4")
	add("count of 2^64-1", chained(good, text("0"), counted(math.MaxUint64, make([]byte, 16))), tensor.ErrFormat, "but 4")
	add("bytes behind", chained(good, text("0"), append(bytes.Clone(four), 1)), tensor.ErrFormat, "follow the last storage")
	add("no key", chained(good, "", four), tensor.ErrFormat, "a list of the 1 storages")
	add("other key", chained(good, text("1"), four), tensor.ErrFormat, "no storage of the checkpoint")
	add("key twice", chained(good, text("0")+text("0"), append(bytes.Clone(four), four...)), tensor.ErrFormat, "a list of the 1 storages")
	add("key no text", chained(good, "K\x00", four), tensor.ErrFormat, "no storage of the checkpoint")
	add("keys no list", bytes.Replace(chained(good, text("0"), four), []byte("\x80\x02]("+text("0")+"e."), []byte("\x80\x02N."), 1), tensor.ErrFormat, "a list of the 1 storages")
	add("storage in the keys", chained(good, "("+text("storage")+"NNNNtQ", four), tensor.ErrFormat, "no storage is described here")
	storage := func(name string, n int64, rest string, text string) {
		p := pickle().raw("}").str("w").global("torch._utils", "_rebuild_tensor_v2").raw("((").str("storage").global("torch", "FloatStorage").str("0").str("cpu").num(n).raw(rest + "tQ")
		p.num(0).nums(4).nums(1).raw("\x89}tRs.")
		add(name, chained(p.b, "X\x01\x00\x00\x000", four), tensor.ErrFormat, text)
	}
	storage("2^62 elements", 1<<62, "N", "in a file of")
	storage("-1 elements", -1, "N", "a count")
	storage("part beyond", 4, "("+text("1")+"K\x02K\x03t", "a part of a storage of 4")
	storage("part before", 4, "("+text("1")+"J\xff\xff\xff\xffK\x03t", "a part of a storage of 4")
	storage("part of two", 4, "("+text("1")+"K\x02t", "(key, offset, count)")
	storage("part of 2^63-1", 4, "("+text("1")+"K\x01\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7ft", "a part of a storage of 4")
	storage("part too short", 4, "("+text("1")+"K\x00K\x03t", "of a storage of 3")
	return out
}

// tarred writes a tar archive of entries in turn.
func tarred(t testing.TB, entries ...string) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i := 0; i < len(entries); i += 2 {
		require.NoError(t, w.WriteHeader(&tar.Header{Name: entries[i], Size: int64(len(entries[i+1])), Mode: 0o600, Format: tar.FormatUSTAR}))
		_, err := w.Write([]byte(entries[i+1]))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

// tarCases are archives of torch 0.1 and NeMo that do not hold what they say.
func tarCases(t testing.TB) (out []hostile) {
	storages := "\x80\x02K\x01." + "\x80\x02(K\x00" + text("cpu") + "ctorch\nFloatStorage\nt." + string(counted(4, make([]byte, 16))) + "\x80\x02]."
	number := func(n ...int64) (s string) {
		for _, v := range n {
			s += string(binary.LittleEndian.AppendUint64(nil, uint64(v)))
		}
		return s
	}
	tensors := "\x80\x02K\x01.\x80\x02(K\x01K\x00Nt." + number(2, 2, 2, 2, 1, 0)
	pickled := "\x80\x02}" + text("w") + "K\x01Qs."
	add := func(name string, class error, want string, system, storages, tensors, pickle string) {
		out = append(out, hostile{"tar " + name, tarred(t, "sys_info", system, "storages", storages, "tensors", tensors, "pickle", pickle), class, want})
	}
	with := func(s, old, new string) string {
		require.Contains(t, s, old)
		return strings.Replace(s, old, new, 1)
	}
	_, err := read(tarred(t, "sys_info", littleSystem, "storages", storages, "tensors", tensors, "pickle", pickled))
	require.NoError(t, err)
	add("big-endian", tensor.ErrUnsupported, "little-endian", "\x80\x02}.", storages, tensors, pickled)
	add("storages without count", tensor.ErrFormat, "as the number of storages", littleSystem, with(storages, "K\x01.", "N."), tensors, pickled)
	add("2^31 storages", tensor.ErrFormat, "as the number of storages", littleSystem, with(storages, "K\x01.", "J\xff\xff\xff\x7f."), tensors, pickled)
	add("storage of two", tensor.ErrFormat, "a tuple of three", littleSystem, with(storages, "(K\x00", "("), tensors, pickled)
	add("storage of no type", tensor.ErrUnsupported, "a storage of the type", littleSystem, with(storages, "FloatStorage", "FloatTensor"), tensors, pickled)
	add("storage of 2^61", io.ErrUnexpectedEOF, "elements in the", littleSystem, with(storages, number(4), number(1<<61)), tensors, pickled)
	add("parts no list", tensor.ErrFormat, "a list expected", littleSystem, with(storages, "].", "N."), tensors, pickled)
	add("part of nothing", tensor.ErrFormat, "part 5 of storage 9", littleSystem, with(storages, "].", "](K\x05K\x09K\x00K\x01ta."), tensors, pickled)
	add("part beyond", tensor.ErrFormat, "part 5 of storage 0", littleSystem, with(storages, "].", "](K\x05K\x00K\x02K\x03ta."), tensors, pickled)
	add("tensor of nothing", tensor.ErrFormat, "no storage has the key 7", littleSystem, storages, with(tensors, "(K\x01K\x00", "(K\x01K\x07"), pickled)
	add("tensor twice", tensor.ErrFormat, "stands twice", littleSystem, storages, with(tensors, "(K\x01K\x00", "(K\x00K\x00"), pickled)
	add("rank 65", tensor.ErrLimit, "65 dimensions", littleSystem, storages, with(tensors, number(2, 2, 2), number(65, 2, 2)), pickled)
	add("rank 60", io.ErrUnexpectedEOF, "tensor shape", littleSystem, storages, with(tensors, number(2, 2, 2), number(60, 2, 2)), pickled)
	add("shape beyond", tensor.ErrFormat, "reach element", littleSystem, storages, with(tensors, number(2, 2, 2), number(2, 3, 2)), pickled)
	add("stride -1", tensor.ErrFormat, "from 0", littleSystem, storages, with(tensors, number(2, 1, 0), number(-1, 1, 0)), pickled)
	add("offset 2^62", tensor.ErrFormat, "reach element", littleSystem, storages, with(tensors, number(2, 1, 0), number(2, 1, 1<<62)), pickled)
	add("tensors cut", io.ErrUnexpectedEOF, "", littleSystem, storages, tensors[:20], pickled)
	add("bytes behind tensors", tensor.ErrFormat, "follow what is read", littleSystem, storages, tensors+"x", pickled)
	add("reference to nothing", tensor.ErrFormat, "no storage or tensor has the key", littleSystem, storages, tensors, with(pickled, "K\x01Q", "K\x02Q"))
	add("reference by a dict", tensor.ErrFormat, "a number as key", littleSystem, storages, tensors, with(pickled, "K\x01Q", "}Q"))
	add("os.system", ErrGlobal, "os.system", littleSystem, storages, tensors, "\x80\x02cos\nsystem\n"+text("x")+"\x85R.")
	file := func(name string, class error, want string, b []byte) {
		out = append(out, hostile{"tar " + name, b, class, want})
	}
	file("without tensors", tensor.ErrFormat, "the entry tensors is missing", tarred(t, "sys_info", littleSystem, "storages", storages, "pickle", pickled))
	file("of anything", tensor.ErrNotModel, "this archive holds README", tarred(t, "README", "x"))
	file("of NeMo in parts", tensor.ErrUnsupported, "mp_rank_00/model_weights.ckpt", tarred(t, "model_config.yaml", "", "mp_rank_00/model_weights.ckpt", "x"))
	file("within a tar", tensor.ErrUnsupported, "a tar archive within one", nestedTar(t, 5))
	file("name twice", tensor.ErrFormat, "stands twice", tarred(t, "pickle", "", "./pickle", ""))
	file("name outside", tensor.ErrUnsupported, "no plain file within", tarred(t, "../pickle", ""))
	good := tarred(t, "pickle", pickled)
	for _, c := range []struct {
		name string
		at   int
		b    string
		want error
	}{{"checksum", 148, "0000000", tensor.ErrFormat}, {"link", 156, "2", tensor.ErrFormat}, {"size", 124, "77777777777", tensor.ErrFormat}} {
		b := bytes.Clone(good)
		copy(b[c.at:], c.b)
		file(c.name, c.want, "", b)
	}
	file("cut", io.ErrUnexpectedEOF, "", good[:514])
	return out
}

// nestedTar is a NeMo archive whose weights are one again, and so on.
func nestedTar(t testing.TB, depth int) []byte {
	b := tarred(t, "model_weights.ckpt", "x")
	for range depth {
		b = tarred(t, "model_weights.ckpt", string(b))
	}
	return b
}

// scriptCases are programs whose modules or constants are broken.
func scriptCases() (out []hostile) {
	add := func(name string, data, constants []byte, class error, text string) {
		members := append(checkpoint(data), file("m/constants.pkl", constants), file("m/code/__torch__.py", []byte("import os")))
		out = append(out, hostile{"script " + name, zipped(members), class, text})
	}
	object := func(state func(*program)) []byte {
		p := pickle().global("__torch__", "M").raw(")\x81}")
		state(p)
		return p.raw("b.").b
	}
	none := []byte("\x80\x02).")
	add("without tensors", object(func(p *program) { p.str("training").raw("\x88s") }), none, tensor.ErrNotModel, "no tensor under any name")
	add("no module", []byte("\x80\x02N."), none, tensor.ErrNotModel, "no tensor")
	add("no constants", object(func(*program) {}), nil, io.ErrUnexpectedEOF, "constants.pkl")
	add("constants of nothing", object(func(*program) {}), model(ones)[2:], tensor.ErrFormat, "no entry \"m/constants/0\"")
	add("an entry in a module twice", object(func(p *program) {
		p.raw("(")
		p.str("a")
		ones(p)
		p.str("a")
		ones(p)
		p.raw("u")
	}), none, tensor.ErrFormat, "the key stands twice")
	add("a sparse tensor", object(func(p *program) { p.str("a").global("torch._utils", "_rebuild_sparse_tensor").raw(")Rs") }), none, tensor.ErrUnsupported, "sparse")
	add("a view beyond", object(func(p *program) {
		p.str("a").tensor("FloatStorage", "0", 4, 0, []int64{5}, []int64{1}).raw("s")
	}), none, tensor.ErrFormat, "reach element")
	add("a module that holds itself", object(func(p *program) { p.raw("h\x00").raw("0").str("a"); ones(p); p.raw("s") }), none, tensor.ErrFormat, "nothing was kept")
	self := pickle().global("__torch__", "M").raw(")\x81q\x00}(").str("a")
	ones(self)
	add("a module within itself", self.str("b").raw("h\x00ub.").b, none, tensor.ErrLimit, "deep")
	for i := range 12 {
		add(fmt.Sprint("cut ", i), object(ones)[:4*i+2], none, io.ErrUnexpectedEOF, "")
	}
	return out
}
