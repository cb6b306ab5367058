package formats_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/hostile"
)

// Small files that ask for endless work, each by the means of its format, are refused with
// what is wrong and where; the one that only states heads that it has not is opened.
func TestEndlessFiles(t *testing.T) {
	wants := map[string]string{
		"gguf/an alignment of 2 GiB":                            "general.alignment",
		"gguf/dimensions whose product wraps":                   "more values",
		"gguf/heads by layer, four thousand million each":       "",
		"torch/dictionaries of which each holds the next twice": "one value is",
		"torch/a dictionary that holds itself":                  "no tensor",
		"torch/a tensor of a million million values on one":     "a tensor of",
		"numpy/a header of 60 MB":                               "at most 65536",
		"hdf5/a tree that is its own branch":                    "a node of level 1 where 0 is",
		"hdf5/objects that continue in one another":             "more than 65536 messages",
		"whispercpp/filters of 2^62 values":                     "",
		"ctranslate2/a variable of 255 dimensions":              "255 dimensions",
		"tflite/a table that is its own layout":                 "a list of",
		"openvino/entities of entities":                         "",
		"safetensors/a length beyond the file":                  "header length",
		"openvino/a million edges in a circle":                  "openvino_model.bin",
	}
	tried := 0
	for _, in := range hostile.Inputs() {
		want, ok := wants[in.Name]
		if !ok {
			continue
		}
		tried++
		t.Run(in.Name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, in.Make(dir))
			c, err := formats.Open(t.Context(), dir, nil)
			if in.Name == "gguf/heads by layer, four thousand million each" {
				require.NoError(t, err)
				require.NoError(t, c.Close())
				return
			}
			var typed *tensor.FormatError
			require.True(t, errors.As(err, &typed), "%v", err)
			require.ErrorContains(t, err, want)
		})
	}
	require.Equal(t, len(wants), tried)
}
