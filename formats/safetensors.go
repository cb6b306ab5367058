package formats

import (
	"context"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats/safetensors"
	"github.com/weightprint/weightprint/formats/tensor"
)

var safetensorsFormat = Format{
	Name: "safetensors", Endings: []string{".safetensors"},
	Recognise: func(in *Input) bool { return isSafetensors(in.Head) },
	Read:      readSafetensors,
	Choose:    safetensorsFiles,
}

// isSafetensors tells the length of a header that may be, and the brace behind
// it, perhaps after a space that is forgiven.
func isSafetensors(head []byte) bool {
	return len(head) > 8 && binary.LittleEndian.Uint64(head) <= safetensors.MaxHeader && (head[8] == '{' || head[8] == ' ')
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

// safetensorsFiles chooses a single file before an index before numbered
// shards, and weights before adapters.
func safetensorsFiles(names []string) []string {
	var singles, indexes, shards []string
	for _, name := range names {
		m := numbered.FindStringSubmatch(name)
		switch {
		case strings.HasSuffix(name, ".safetensors.index.json"):
			indexes = append(indexes, name)
		case m != nil && m[2] == "00001" && m[4] == "safetensors":
			shards = append(shards, name)
		case m != nil: // another shard of a set
		case strings.HasSuffix(name, ".safetensors"):
			singles = append(singles, name)
		}
	}
	if len(singles) > 1 {
		singles = slices.DeleteFunc(singles, func(n string) bool { return n == "adapter_model.safetensors" })
	}
	for _, sure := range []string{"model.safetensors", "model.safetensors.index.json"} {
		if slices.Contains(singles, sure) || len(singles) == 0 && slices.Contains(indexes, sure) {
			return []string{sure}
		}
	}
	for _, found := range [][]string{singles, indexes} {
		if len(found) > 0 {
			return found
		}
	}
	return shards
}
