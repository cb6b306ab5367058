package report

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Names of long references tell the subjects apart.
func TestShortNamesDiffer(t *testing.T) {
	for _, c := range [][4]string{
		{"base/", "suspect.gguf", "base/", "suspect.gguf"},
		{"models/of/somebody/release-2024-05/checkpoint.pth", "models/of/somebody/release-2024-07/checkpoint.pth", "…5/checkpoint.pth", "…7/checkpoint.pth"},
		{"a/very/long/folder/of/models/first/weights-00001.bin", "a/very/long/folder/of/models/second/weights-00001.bin", "…first/weights-00001.bin", "…second/weig…s-00001.bin"},
		{"one/and/the/same/very/long/reference/model.bin", "one/and/the/same/very/long/reference/model.bin", "one/and/the/…e/model.bin", "one/and/the/…e/model.bin"},
	} {
		r := &Report{}
		r.Subjects[0].Ref, r.Subjects[1].Ref = c[0], c[1]
		got := r.shortNames()
		require.Equal(t, [2]string{c[2], c[3]}, got)
	}
}
