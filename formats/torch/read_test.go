package torch

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/formatstest"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/vectors"
)

// What torch writes and this package does not read is named.
func TestRefused(t *testing.T) {
	for name, want := range map[string]string{
		"sparse":                "sparse tensors are not read",
		"sparse-csr":            "sparse tensors are not read",
		"quantised":             "quantised tensors of torch's own kind are not read",
		"conjugated":            "conjugated and negated views are not read",
		"negated":               "conjugated and negated views are not read",
		"meta":                  "a tensor without values (device meta)",
		"several-models":        "a list of which several items hold tensors (0, 1)",
		"no-tensors":            "no tensor under any name",
		"object-in-model":       `data.pkl "x": the name __main__.Setting is none of those a checkpoint of weights needs; it was not looked up and nothing was run`,
		"dict-of-unknown-class": `data.pkl "state_dict": the name __main__.Settings is none of those`,
		"subclass":              "a tensor made by or of __main__.Own, which was not looked up",
		"wide-expansion":        "a tensor of 4294967296 elements in a storage of 1",
	} {
		path := filepath.Join("testdata/refused", name+".pt")
		b := load(t, path)
		_, err := Read(context.Background(), "refused/"+name+".pt", bytes.NewReader(b), int64(len(b)), nil)
		require.ErrorContains(t, err, want)
		formatstest.Refused(t, path, name, func(string) error { _, err := read(b); return err })
	}
}

// A whole training checkpoint yields its model, says so, and declares what
// stands beside it.
func TestWrappedModels(t *testing.T) {
	for name, want := range map[string][]string{
		"training":       {`the model is what stands under model; tensors outside it are left out: optimizer, rng_state`},
		"lightning":      {`the model is what stands under state_dict; tensors outside it are left out: optimizer_states`},
		"wrapped":        {`the model is what stands under module`, `the prefix _orig_mod. before every name is taken off`, `the prefix module. before every name is taken off`},
		"tree":           {`the model is what stands under model; tensors outside it are left out: optimizer`},
		"no-crc":         {"the archive was written without checksums"},
		"several":        nil,
		"state-dict":     nil,
		"chain":          nil,
		"tar":            nil,
		"nemo":           nil,
		"listed":         nil,
		"with-optimiser": {"the model is item 0 of the list that the checkpoint is"},
		"exported-2.9":   {"this is a program of torch.export; its tensors were read and nothing of it was run"},
		"module":         {"the model is a pickled module; its parameters and buffers were read and nothing was run", "classes and functions that the file names, but that no tensor of the model needs, were not looked up (loading the file in Python runs them): __main__.Scripted, torch.nn.modules.conv.Conv1d, torch.nn.modules.batchnorm.BatchNorm1d, torch.nn.modules.linear.Linear"},
		"script":         {"this is a TorchScript program; its tensors were read and nothing of it was run", "entries of the checkpoint that hold no tensor are left out: training, sizes"},
		"objects":        {"the model is what stands under state_dict; tensors outside it are left out: settings", "classes and functions that the file names, but that no tensor of the model needs, were not looked up (loading the file in Python runs them): __main__.Setting, __main__.Settings, torch.nn.modules.activation.ReLU"},
	} {
		f, err := read(load(t, "testdata/"+name+".pt"))
		require.NoError(t, err)
		require.Equal(t, want, f.Warnings, name)
	}
	f, err := read(load(t, "testdata/training.pt"))
	require.NoError(t, err)
	epoch, ok := f.Metadata().Int("torch.epoch")
	require.True(t, ok)
	require.Equal(t, 3, epoch)
	arch, _ := f.Metadata().String("torch.arch")
	require.Equal(t, "tiny", arch)
}

// Tensors of training beside the parts of a model are left out; entries
// without tensors are named.
func TestParts(t *testing.T) {
	p := pickle().raw("}(")
	for _, key := range []string{"encoder", "optimizer_state", "decoder"} {
		p.str(key).raw("}").str("w")
		ones(p)
		p.raw("s")
	}
	f, err := read(pickled(p.str("epoch").raw("K\x03u.")))
	require.NoError(t, err)
	require.Equal(t, []string{`tensors of training are left out: optimizer_state`, `entries of the checkpoint that hold no tensor are left out: epoch`}, f.Warnings)
	require.Len(t, f.Tensors(), 2)
	_, ok := f.Tensor("decoder.w")
	require.True(t, ok)
}

// Values that hold themselves are no trouble; tensors that do so have names
// without end and are refused.
func TestCycles(t *testing.T) {
	p := pickle().raw("}q\x00(").str("w")
	ones(p)
	f, err := read(pickled(p.str("self").raw("]q\x01h\x01au.")))
	require.NoError(t, err)
	require.Len(t, f.Tensors(), 1)
	p = pickle().raw("}q\x00(").str("w")
	ones(p)
	_, err = read(pickled(p.str("root").raw("h\x00u.")))
	require.ErrorIs(t, err, tensor.ErrLimit)
}

func TestBytesBehindThePickle(t *testing.T) {
	f, err := read(zipped(checkpoint(append(model(ones), "cos\nsystem\n"...))))
	require.NoError(t, err)
	require.Equal(t, []string{"11 bytes follow the end of the pickle and are not read"}, f.Warnings)
}

// What packers add is forgiven on request and reported.
func TestLenient(t *testing.T) {
	extra := append(checkpoint(model(ones)), file("__MACOSX/m/data.pkl", nil), file("m/data/", nil))
	extra[2].gap = 5
	b := zipped(extra)
	_, err := read(b)
	require.ErrorIs(t, err, tensor.ErrFormat)
	f, err := Read(context.Background(), "test.pt", bytes.NewReader(b), int64(len(b)), &Options{Lenient: true})
	require.NoError(t, err)
	require.Len(t, f.Warnings, 2)
	formatstest.Model(t, f)
}

// No cut of a good file is accepted, and no changed byte makes the reader
// panic or give out what it cannot read.
func TestCutsAndFlips(t *testing.T) {
	for _, good := range [][]byte{zipped(checkpoint(model(ones))), load(t, "testdata/wrapped.pt"), load(t, "testdata/deflated.pt"), load(t, "testdata/chain-objects.pt")} {
		step := 1
		if testing.Short() {
			step = 7
		}
		for n := 0; n < len(good); n += step {
			_, err := read(good[:n])
			var fe *tensor.FormatError
			require.ErrorAs(t, err, &fe, "cut to %d bytes", n)
		}
		for i := 0; i < len(good); i += step {
			b := bytes.Clone(good)
			b[i] ^= 1 << (i % 8)
			accepted(t, b)
		}
	}
}

// Tensors are read where they lie: opening reads no tensor, reading a row
// reads that row.
func TestReadsInPlace(t *testing.T) {
	members := checkpoint(model(func(p *program) {
		p.tensor("FloatStorage", "0", 1<<20, 0, []int64{1 << 10, 1 << 10}, []int64{1 << 10, 1})
	}))
	members[2] = file("m/data/0", make([]byte, 4<<20))
	b := zipped(members)
	r := &counting{Reader: bytes.NewReader(b)}
	f, err := Read(context.Background(), "test.pt", r, int64(len(b)), nil)
	require.NoError(t, err)
	require.Less(t, r.n, 8<<10)
	r.n = 0
	require.NoError(t, f.Tensors()[0].ReadRows(context.Background(), make([]float32, 2<<10), 7, 2))
	require.Equal(t, 8<<10, r.n)
}

type counting struct {
	*bytes.Reader
	n int
}

func (c *counting) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.Reader.ReadAt(p, off)
	c.n += n
	return n, err
}

// A deflated entry is read forwards and backwards, by several at once.
func TestInflatedByPosition(t *testing.T) {
	want, err := read(load(t, "testdata/state-dict.pt"))
	require.NoError(t, err)
	got, err := read(load(t, "testdata/deflated.pt"))
	require.NoError(t, err)
	for _, x := range got.Tensors() {
		y, _ := want.Tensor(x.Name)
		for row := x.Rows() - 1; row >= 0; row-- {
			a, b := make([]float32, x.Cols()), make([]float32, x.Cols())
			require.NoError(t, x.ReadRows(context.Background(), a, row, 1))
			require.NoError(t, y.ReadRows(context.Background(), b, row, 1))
			vectors.Equal(t, b, a, fmt.Sprint(x.Name, row))
		}
	}
}

// A damaged deflated storage is an error when its values are read.
func TestDamagedStorage(t *testing.T) {
	members := checkpoint(model(ones))
	data := members[2].data
	members[2].method, members[2].data = methodDeflated, deflated(append(data, 1))
	members[2].disk = uint32(len(members[2].data))
	f, err := read(zipped(members))
	require.NoError(t, err)
	err = f.Tensors()[0].ReadRows(context.Background(), make([]float32, 4), 0, 1)
	require.ErrorIs(t, err, tensor.ErrFormat)
	require.ErrorContains(t, err, "inflates to more than the 16 bytes")
}

func TestRecognises(t *testing.T) {
	for head, want := range map[string]bool{
		"PK\x03\x04\x00\x00\x08\x08\x00\x00":     true,
		"PK\x03\x04\x00\x00\x00\x00{\"a\":":      false, // a safetensors header of 67 MB
		"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9":   true,  // a chain that is cut, or a bare pickle
		"\x80\x02\x00\x00\x00\x00\x00\x00{\"":    false,
		"GGUF\x03\x00\x00\x00\x00\x00\x00\x00":   false,
		"\x10\x00\x00\x00\x00\x00\x00\x00{    }": false,
	} {
		require.Equal(t, want, Recognises([]byte(head)), "%q", head)
	}
}
