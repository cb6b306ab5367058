package hostile

import (
	"fmt"
	"strings"
)

// Value types of GGUF.
const (
	tString = 8
	tArray  = 9
	tBool   = 7
	tFloat  = 6
	tUint32 = 4
)

// gguf begins a file with so many tensors and pairs.
func gguf(dir string, tensors, pairs uint64) *layer {
	return create(dir, "model.gguf").text("GGUF").u32(3).u64(tensors).u64(pairs)
}

// array begins an array of metadata.
func (l *layer) array(key string, elem uint32, n uint64) *layer {
	return l.str(key).u32(tArray).u32(elem).u64(n)
}

// named is the entry of a tensor without values.
func (l *layer) named(name string) *layer { return l.str(name).u32(1).u64(0).u32(0).u64(0) }

// end pads the file as the format asks for behind tensors.
func (l *layer) end() error {
	l.flush()
	return l.hole((32 - l.at%32) % 32).close()
}

func ggufInputs() []Input {
	many := func(n int, pair func(l *layer, i int)) func(dir string) error {
		return func(dir string) error {
			l := gguf(dir, 0, uint64(n))
			for i := range n {
				pair(l, i)
			}
			return l.close()
		}
	}
	return []Input{
		{"gguf/an alignment of 2 GiB", inspect, func(dir string) error {
			return gguf(dir, 1, 1).str("general.alignment").u32(tUint32).u32(1 << 31).named("w").hole(1 << 10).close()
		}},
		{"gguf/dimensions whose product wraps", inspect, func(dir string) error {
			l := gguf(dir, 2, 0)
			for _, name := range []string{"a", "b"} {
				l.str(name).u32(4)
				for range 4 {
					l.u64(1 << 16)
				}
				l.u32(0).u64(0)
			}
			return l.end()
		}},
		{"gguf/heads by layer, four thousand million each", on("compare {dir} {dir} --json"), func(dir string) error {
			l := gguf(dir, 1, 3).str("general.architecture").u32(tString).str("llama").str("llama.block_count").u32(tUint32).u32(0xffffffff)
			l.array("llama.attention.head_count", tUint32, 1<<20)
			for range 1 << 20 {
				l.u32(0xffffffff)
			}
			l.str("blk.4294967295.attn_q.weight").u32(2).u64(32).u64(32).u32(0).u64(0)
			l.flush()
			return l.hole((32-l.at%32)%32 + 4096).close()
		}},
		{"gguf/a string of 4.1 GiB", inspect, func(dir string) error {
			return gguf(dir, 0, 1).str("general.name").u32(tString).u64(4198 << 20).hole(4198 << 20).close()
		}},
		{"gguf/a string of 900 MiB", inspect, func(dir string) error {
			return gguf(dir, 0, 1).str("general.name").u32(tString).u64(900 << 20).hole(900 << 20).close()
		}},
		{"gguf/300 strings of 1 MiB", inspect, many(300, func(l *layer, i int) { l.str(fmt.Sprint("k", i)).u32(tString).u64(1 << 20).hole(1 << 20) })},
		{"gguf/a million pairs", inspect, many(1_000_000, func(l *layer, i int) { l.str(fmt.Sprint(i)).u32(tBool).bytes([]byte{1}) })},
		{"gguf/4,000 keys of 64 KiB", inspect, many(4000, func(l *layer, i int) { l.str(fmt.Sprintf("%065535d", i)).u32(tBool).bytes([]byte{1}) })},
		{"gguf/1.5 million tensors", inspect, func(dir string) error {
			l := gguf(dir, 1_500_000, 0)
			for i := range 1_500_000 {
				l.named(fmt.Sprint("t", i))
			}
			return l.end()
		}},
		{"gguf/149,000 tensors of long names", inspect, func(dir string) error {
			l := gguf(dir, 149_000, 0)
			for i := range 149_000 {
				l.named(fmt.Sprintf("%064d", i))
			}
			return l.end()
		}},
		{"gguf/30 million empty strings", inspect, func(dir string) error {
			return gguf(dir, 0, 1).array("tokenizer.ggml.tokens", tString, 30_000_000).hole(8 * 30_000_000).close()
		}},
		{"gguf/30 million tokens, compared", on("compare {dir} {dir} --json"), func(dir string) error {
			l := gguf(dir, 1, 1).array("tokenizer.ggml.tokens", tString, 30_000_000).hole(8 * 30_000_000)
			return l.named("token_embd.weight").end()
		}},
		{"gguf/a million tokens of 1 KiB, compared", on("compare {dir} {dir} --json"), func(dir string) error {
			l := gguf(dir, 1, 1).array("tokenizer.ggml.tokens", tString, 1_000_000)
			for range 1_000_000 {
				l.u64(1 << 10).hole(1 << 10)
			}
			return l.named("token_embd.weight").end()
		}},
		{"gguf/arrays within arrays", inspect, func(dir string) error {
			l := gguf(dir, 0, 1).array("a", tArray, 2_000_000)
			for range 2_000_000 {
				l.u32(tFloat).u64(0)
			}
			return l.close()
		}},
		{"gguf/500 MB of booleans", inspect, func(dir string) error {
			return gguf(dir, 0, 1).array("b", tBool, 500_000_000).hole(500_000_000).close()
		}},
		{"gguf/400 MB of scores", inspect, func(dir string) error {
			return gguf(dir, 0, 1).array("tokenizer.ggml.scores", tFloat, 100_000_000).hole(400_000_000).close()
		}},
		{"gguf/counts beyond the file", inspect, func(dir string) error { return gguf(dir, 1<<40, 1<<40).hole(1 << 20).close() }},
		{"gguf/300 shards", inspect, func(dir string) error {
			for i := range 300 {
				l := create(dir, fmt.Sprintf("model-%05d-of-00300.gguf", i+1)).text("GGUF").u32(3).u64(1).u64(3)
				l.str("split.no").u32(2).bytes(le.AppendUint16(nil, uint16(i))).str("split.count").u32(2).bytes(le.AppendUint16(nil, 300))
				l.str("split.tensors.count").u32(5).u32(300).named(fmt.Sprint("t", i))
				if err := l.end(); err != nil {
					return err
				}
			}
			return nil
		}},
		{"gguf/half a gigabyte behind the last tensor", inspect, func(dir string) error {
			return gguf(dir, 1, 0).named(strings.Repeat("n", 64)).hole(512 << 20).end()
		}},
	}
}
