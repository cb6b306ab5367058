package torch

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
)

// manyOf is a pickled mapping of n tensors, all of one storage.
func manyOf(n int) []byte {
	p := pickle().raw("}")
	for i := range n {
		p.str(fmt.Sprint(i))
		ones(p)
		p.raw("s")
	}
	return p.raw(".").b
}

// The tensors of all programs of one archive are counted together: one more than may be is refused,
// although none of the programs has too many.
func TestExportedCounts(t *testing.T) {
	const half = maxTensors / 2
	of := func(second int) error {
		_, err := read(zipped([]member{
			file("m/data/weights/a.pt", zipped(checkpoint(manyOf(half)))), file("m/data/weights/b.pt", zipped(checkpoint(manyOf(second)))),
			file("m/models/a.json", []byte("{}")), file("m/models/b.json", []byte("{}")),
			file("m/archive_format", []byte("pt2")), file("m/archive_version", []byte("0")), file("m/byteorder", []byte("little")),
		}))
		return err
	}
	require.NoError(t, of(half))
	err := of(half + 1)
	require.ErrorIs(t, err, tensor.ErrLimit)
	require.ErrorContains(t, err, fmt.Sprintf("more than %d tensors", maxTensors))
}

// What lies in checkpoints within an archive is ordered by where it lies in the archive, not within
// them, and an instruction of theirs is found in the archive, too.
func TestExportedNestedOffsets(t *testing.T) {
	deep, shallow := checkpoint(model(ones)), checkpoint(model(ones))
	deep = append([]member{file("m/.data/serialization_id", make([]byte, 4096))}, deep...)
	b := zipped([]member{
		file("m/data/weights/z.pt", zipped(deep)), file("m/data/weights/a.pt", zipped(shallow)),
		file("m/models/a.json", []byte("{}")), file("m/models/z.json", []byte("{}")),
		file("m/archive_format", []byte("pt2")), file("m/archive_version", []byte("0")), file("m/byteorder", []byte("little")),
	})
	f, err := read(b)
	require.NoError(t, err)
	require.Len(t, f.Tensors(), 2)
	require.Equal(t, "z.w", f.Tensors()[0].Name)
	require.Equal(t, "a.w", f.Tensors()[1].Name)
	broken := pickle().raw("}").str("w").raw("\xfe.").b
	inner := zipped(checkpoint(broken))
	m := exportedAs(oneDescribed)
	m[1] = file("m/data/weights/model.pt", inner)
	_, err = read(zipped(m))
	var fe *tensor.FormatError
	require.ErrorAs(t, err, &fe) // of a file of its own, in which it is counted
	require.Equal(t, "test.pt/m/data/weights/model.pt", fe.File)
	require.Equal(t, int64(bytes.Index(inner, broken)+len(broken)-2), fe.Offset)
	p := pickle().raw("}")
	for i := range 80 { // each allowed, and too many together
		p.str(fmt.Sprint(i)).tensor("FloatStorage", "0", 4, 0, []int64{1 << 18}, []int64{0})
		p.raw("s")
	}
	spread := zipped(checkpoint(p.raw(".").b))
	m[0], m[1] = file("m/data/weights/weight_0", make([]byte, 1<<14)), file("m/data/weights/model.pt", spread)
	b = zipped(m)
	_, err = read(b)
	require.ErrorAs(t, err, &fe) // of the archive, in which it is counted
	require.Equal(t, tensor.ErrLimit, fe.Err)
	require.Equal(t, "test.pt", fe.File)
	begin := int64(bytes.Index(b, spread))
	require.Greater(t, fe.Offset, begin)
	require.Less(t, fe.Offset, begin+int64(len(spread)))
}
