package formats

import (
	"context"
	"encoding/binary"
	"strings"

	"github.com/weightprint/weightprint/formats/safetensors"
	"github.com/weightprint/weightprint/formats/tensor"
)

var safetensorsFormat = Format{
	Name: "safetensors", Endings: []string{".safetensors"},
	Recognise: func(in *Input) bool { return isSafetensors(in.Head) },
	Read:      readSafetensors,
}

// isSafetensors tells the length of a header that may be, and the brace behind
// it, perhaps after white space that is forgiven.
func isSafetensors(head []byte) bool {
	return len(head) > 8 && binary.LittleEndian.Uint64(head) <= safetensors.MaxHeader && strings.IndexByte("{ \t\r\n", head[8]) >= 0
}

func readSafetensors(ctx context.Context, in *Input) (tensor.Model, error) {
	s, err := safetensors.Read(ctx, in.Label, in, in.Size, &safetensors.Options{Lenient: in.Options.Lenient})
	if err != nil {
		return nil, err
	}
	for _, w := range s.Warnings {
		in.Warn(w)
	}
	return s, nil
}
