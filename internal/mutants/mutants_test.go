package mutants

import (
	"encoding/binary"
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// Formats that have one way to be written come together again as they were.
func TestTogetherAgain(t *testing.T) {
	header := `{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`
	safetensors := string(binary.LittleEndian.AppendUint64(nil, uint64(len(header)))) + header + "12345678"
	pickle := "\x80\x02}q\x00(X\x01\x00\x00\x00aK\x01X\x01\x00\x00\x00bctorch\nfloat32\nu."
	proto := "\x08\x07\x12\x03abc\x3a\x06\x0a\x02\x08\x01\x20\x05"
	for kind, text := range map[string]string{"safetensors": safetensors, "torch": "\x80\x02." + pickle + "data", "onnx": proto, "json": `{"a":[1,{"b":null}],"c":"d"}`, "tflite": "\x10\x00\x00\x00TFL3\x00\x00\x00\x00\x04\x00\x00\x00\x08\x00\x00\x00", "openvino": `<?xml version="1.0"?><net a="b"><c/><d>e</d></net>`} {
		k, ok := Named(kind)
		require.True(t, ok)
		s := k.Seed([]byte(text))
		require.Equal(t, text, string(s.Whole()), kind)
		require.Greater(t, s.Parts(), 2, kind)
	}
	_, ok := Named("none")
	require.False(t, ok)
}

// Most mutants of a header are headers still: lengths agree, and JSON is JSON.
func TestLengthsAgree(t *testing.T) {
	header := `{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F16","shape":[2,1],"data_offsets":[8,12]}}`
	k, _ := Named("safetensors")
	s := k.Seed([]byte(string(binary.LittleEndian.AppendUint64(nil, uint64(len(header)))) + header + "12345678abcd"))
	agree, valid, same := 0, 0, 0
	for i := range uint64(2000) {
		b := s.Mutate(rand.New(rand.NewPCG(1, i)))
		require.Equal(t, b, s.Mutate(rand.New(rand.NewPCG(1, i))))
		if string(b) == string(s.Whole()) {
			same++
		}
		if len(b) < 8 {
			continue
		}
		if n := le.Uint64(b); n <= uint64(len(b)-8) {
			agree++
			if json.Valid(b[8:][:n]) {
				valid++
			}
		}
	}
	require.Greater(t, agree, 1400)
	require.Greater(t, valid, 250)
	require.Less(t, valid, 1900)
	require.Less(t, same, 200)
}

// Checksums that mutants carry are those of their formats.
func TestSums(t *testing.T) {
	require.Equal(t, uint32(0x17770551), lookup3([]byte("Four score and seven years ago"))) // lookup3.c
	require.Equal(t, uint32(0xdeadbeef), lookup3(nil))
	b := append([]byte("WPCOMMIT"), make([]byte, 60)...)
	sealed(b)
	c := append([]byte("WPCOMMIT"), make([]byte, 60)...)
	require.NotEqual(t, c, b)
	require.NotPanics(t, func() { sealed(nil); tarSums(make([]byte, 700)); hdf5Sums([]byte("OHDR\x02\x00\xff\xff\xff")) })
}
