package torch

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
)

// Packages that hold nothing, or do not hold what they name, are refused.
func TestPackageHostile(t *testing.T) {
	mark := file("m/.data/extern_modules", []byte("torch\n"))
	values := make([]byte, 16)
	good := []member{mark, file("m/models/net", model(ones)), file("m/.data/0.storage", values)}
	f, err := read(zipped(good))
	require.NoError(t, err)
	require.Len(t, f.Tensors(), 1)
	for name, c := range map[string]struct {
		members []member
		class   error
	}{
		"nothing":               {[]member{mark}, tensor.ErrNotModel},
		"source only":           {[]member{mark, file("m/net.py", []byte("\x80\x02"))}, tensor.ErrNotModel},
		"a text":                {[]member{mark, file("m/net", []byte("no pickle"))}, tensor.ErrNotModel},
		"no storage":            {good[:2], tensor.ErrFormat},
		"a storage elsewhere":   {append(good[:2:2], file("m/0.storage", values)), tensor.ErrFormat},
		"a short storage":       {append(good[:2:2], file("m/.data/0.storage", values[:8])), tensor.ErrFormat},
		"a damaged pickle":      {[]member{mark, file("m/net", []byte("\x80\x02\xff")), good[2]}, nil},
		"a checkpoint beside":   {append(good[:3:3], file("m/data.pkl", model(ones))), tensor.ErrFormat},
		"an unfinished program": {append(good[:3:3], file("m/.data/ts_code/0/data.pkl", []byte("\x80\x02"))), nil},
	} {
		_, err := read(zipped(c.members))
		require.Error(t, err, name)
		if c.class != nil {
			require.ErrorIs(t, err, c.class, name)
		}
	}
}
