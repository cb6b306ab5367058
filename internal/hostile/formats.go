package hostile

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// formatInputs are files of the formats that few models come in.
func formatInputs() []Input {
	text := func(name string, b func() string) func(string) error {
		return func(dir string) error { return create(dir, name).text(b()).close() }
	}
	return []Input{
		{"numpy/an array that inflates to 2 GB", inspect, func(dir string) error {
			return deflated(dir, "model.npz", "a.npy", io.MultiReader(strings.NewReader(array(500_000_000)), io.LimitReader(zeros{}, 2_000_000_000)))
		}},
		{"numpy/half a million arrays", inspect, func(dir string) error { return members(dir, "model.npz", 500_000, array(0)) }},
		{"numpy/a header of 60 MB", inspect, func(dir string) error {
			return zipped(dir, "model.npz", func(z *zip.Writer) error {
				w, err := z.CreateHeader(&zip.FileHeader{Name: "a.npy"})
				if err == nil {
					_, err = io.WriteString(w, "\x93NUMPY\x02\x00\x87\x93\x03\x00"+repeated(" ", 234_375))
				}
				return err
			})
		}},
		{"numpy/a shape of 20 million axes", inspect, text("a.npy", func() string {
			head := "{'descr': '<f4', 'fortran_order': False, 'shape': (" + repeated("1, ", 60_000_000) + "), }\n"
			return "\x93NUMPY\x02\x00" + string(le.AppendUint32(nil, uint32(len(head)))) + head + "\x00\x00\x80\x3f"
		})},
		{"numpy/fields within fields", inspect, text("a.npy", func() string {
			head := "{'descr': " + repeated("[('a', ", 7_000_000) + "'<f4'" + repeated(")]", 2_000_000) + ", 'fortran_order': False, 'shape': (1,), }\n"
			return "\x93NUMPY\x02\x00" + string(le.AppendUint32(nil, uint32(len(head)))) + head
		})},
		{"keras/a configuration that inflates to 2 GB", inspect, func(dir string) error {
			return deflated(dir, "model.keras", "config.json", io.MultiReader(strings.NewReader(`{"a":"`), io.LimitReader(letters{}, 2_000_000_000)))
		}},
		{"hdf5/a tree that is its own branch", inspect, ownBranch},
		{"hdf5/objects that continue in one another", inspect, continued},
		{"openvino/entities of entities", inspect, text("openvino_model.xml", func() string {
			b := `<?xml version="1.0"?><!DOCTYPE net [<!ENTITY a0 "aaaaaaaaaa">`
			for i := range 30 {
				b += fmt.Sprintf(`<!ENTITY a%d "%s">`, i+1, strings.Repeat(fmt.Sprintf("&a%d;", i), 10))
			}
			return b + `]><net name="&a30;" version="11"><layers><layer id="0" name="&a30;" type="Const"/></layers></net>`
		})},
		{"openvino/a million attributes", inspect, text("openvino_model.xml", func() string {
			var b strings.Builder
			for i := range 2_000_000 {
				fmt.Fprintf(&b, ` a%d="1"`, i)
			}
			return `<?xml version="1.0"?><net name="m" version="11"><layers><layer id="0"` + b.String() + `/></layers></net>`
		})},
		{"openvino/a million edges in a circle", inspect, text("openvino_model.xml", func() string {
			var b strings.Builder
			for i := range 500_000 {
				fmt.Fprintf(&b, `<edge from-layer="%d" from-port="0" to-layer="%d" to-port="0"/>`, i%1000, (i+1)%1000)
			}
			layers := ""
			for i := range 1000 {
				layers += fmt.Sprintf(`<layer id="%d" name="l%d" type="Convert"><input><port id="0"/></input><output><port id="0"/></output></layer>`, i, i)
			}
			return `<?xml version="1.0"?><net name="m" version="11"><layers>` + layers + `</layers><edges>` + b.String() + `</edges></net>`
		})},
		{"onnx/ten million attributes of one node", inspect, text("model.onnx", func() string {
			return message(7, message(1, repeated("\x2a\x00", 20_000_000)))
		})},
		{"onnx/a chain of a million nodes of one constant", inspect, text("model.onnx", func() string {
			var b strings.Builder
			b.WriteString(message(5, "\x08\x01\x10\x01"+message(8, "n0")+message(9, "\x00\x00\x80\x3f")))
			for i := range 1_000_000 {
				b.WriteString(message(1, message(1, fmt.Sprint("n", i))+message(2, fmt.Sprint("n", i+1))+message(4, "Transpose")))
			}
			return message(7, b.String())
		})},
		{"onnx/one initializer of a million names", inspect, text("model.onnx", func() string {
			one := message(5, "\x08\x01\x10\x01"+message(8, "w")+message(9, "\x00\x00\x80\x3f"))
			return message(7, strings.Repeat(one, 1_000_000))
		})},
		{"flax/shapes within shapes", inspect, text("flax_model.msgpack", func() string {
			return "\x81\xa1a\xc9\x03\x93\x87\x00\x01" + repeated("\x93\x91\x01\xa7float32\xc4\x04\x00\x00\x80\x3f", 60_000_000)
		})},
		{"flax/one key 20 million times", inspect, text("flax_model.msgpack", func() string {
			return "\xdf\x01\x31\x2d\x00" + repeated("\xa1a\xc0", 60_000_000)
		})},
		{"whispercpp/filters of 2^62 values", inspect, func(dir string) error {
			l := create(dir, "ggml-model.bin").u32(0x67676d6c)
			for _, n := range []uint32{51864, 1500, 64, 1, 1, 448, 64, 1, 1, 80, 1} {
				l.u32(n)
			}
			return l.u32(1 << 31).u32(1 << 31).hole(1 << 10).close()
		}},
		{"ctranslate2/a variable of 255 dimensions", inspect, func(dir string) error {
			l := create(dir, "model.bin").u32(6).text("\x0c\x00WhisperSpec\x00").u32(3).u32(1).text("\x02\x00a\x00\xff")
			for range 255 {
				l.u32(0xffffffff)
			}
			return l.text("\x00").u32(0xffffffff).hole(1 << 10).close()
		}},
		{"tflite/a table that is its own layout", inspect, func(dir string) error {
			return create(dir, "model.tflite").u32(8).text("TFL3").u32(0).hole(1 << 16).close()
		}},
		{"keras/weights that inflate to 2 GB", inspect, func(dir string) error {
			return deflated(dir, "model.keras", "model.weights.h5", io.LimitReader(zeros{}, 2_000_000_000))
		}},
		{"onnx/20 million empty nodes", inspect, text("model.onnx", func() string { return message(7, repeated("\x0a\x00", 40_000_000)) })},
		{"onnx/20 million dimensions", inspect, text("model.onnx", func() string {
			return message(7, message(5, message(1, repeated("\x01", 20_000_000))+"\x10\x01"+message(8, "w")))
		})},
		{"onnx/graphs within one another", inspect, func(dir string) error {
			b := ""
			for len(b) < 1<<15 { // each level is copied into the next
				b = message(1, message(5, message(6, b)))
			}
			return create(dir, "model.onnx").text(message(7, b)).close()
		}},
		{"flax/lists within one another", inspect, text("flax_model.msgpack", func() string { return "\x81\xa1a" + repeated("\x91", 60_000_000) + "\xc0" })},
		{"flax/a map of four thousand million", inspect, text("flax_model.msgpack", func() string { return "\xdf\xff\xff\xff\xff" + repeated("\xa1a\xc0", 60_000_000) })},
		{"flax/60 million nothings", inspect, text("flax_model.msgpack", func() string { return "\x81\xa1a\xdd\x03\x93\x87\x00" + repeated("\xc0", 60_000_000) })},
		{"openvino/elements within one another", inspect, text("openvino_model.xml", func() string {
			return `<?xml version="1.0"?><net name="m" version="11"><layers>` + repeated("<a>", 60_000_000)
		})},
		{"openvino/4 million layers", inspect, text("openvino_model.xml", func() string {
			return `<?xml version="1.0"?><net name="m" version="11"><layers>` + repeated(`<layer id="0"/>`, 60_000_000) + `</layers></net>`
		})},
		{"openvino/one attribute of 60 MB", inspect, text("openvino_model.xml", func() string {
			return `<?xml version="1.0"?><net name="` + repeated("x", 60_000_000) + `" version="11"></net>`
		})},
		{"whispercpp/65,536 tokens of 64 KiB", inspect, whisper(1<<16, 1<<16)},
		{"whispercpp/a million empty tokens", inspect, whisper(1<<20, 0)},
		{"ctranslate2/65,536 variables of no values", inspect, variables(1<<16, 100)},
		{"ctranslate2/names of a KiB", inspect, variables(8000, 1000)},
		{"tensorbundle/keys that share all but a byte", inspect, savedModel},
		{"nemo/a pickle that inflates to 2 GB", inspect, func(dir string) error {
			var b bytes.Buffer
			z := zip.NewWriter(&b)
			w, err := z.Create("m/data.pkl")
			if err == nil {
				_, err = io.Copy(w, io.LimitReader(zeros{}, 2_000_000_000))
			}
			if err != nil {
				return err
			}
			z.Close()
			return archive(dir, map[string][]byte{"model_config.yaml": []byte("target: x\n"), "model_weights.ckpt": b.Bytes()}, 0)
		}},
		{"nemo/half a million members", inspect, func(dir string) error {
			return archive(dir, map[string][]byte{"model_config.yaml": []byte("target: x\n")}, 500_000)
		}},
		{"tflite/ten million tensors in one place", inspect, flat},
		{"hdf5/a superblock and a gigabyte of nothing", inspect, func(dir string) error {
			return create(dir, "model.h5").text("\x89HDF\r\n\x1a\n").hole(1 << 30).close()
		}},
	}
}

// message is a field of a protocol buffer that holds bytes.
func message(field int, b string) string {
	return string(binary.AppendUvarint(binary.AppendUvarint(nil, uint64(field)<<3|2), uint64(len(b)))) + b
}

// array is the header of a vector of so many float32.
func array(n int) string {
	text := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d,), }", n)
	text += strings.Repeat(" ", 117-len(text)) + "\n"
	return "\x93NUMPY\x01\x00" + string(le.AppendUint16(nil, uint16(len(text)))) + text
}

// zipped writes an archive.
func zipped(dir, name string, fill func(*zip.Writer) error) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	defer f.Close()
	z := zip.NewWriter(f)
	if err := fill(z); err != nil {
		return err
	}
	return z.Close()
}

// deflated is an archive of one compressed member.
func deflated(dir, name, member string, content io.Reader) error {
	return zipped(dir, name, func(z *zip.Writer) error {
		w, err := z.CreateHeader(&zip.FileHeader{Name: member, Method: zip.Deflate})
		if err == nil {
			_, err = io.Copy(w, content)
		}
		return err
	})
}

// members is an archive of many small ones.
func members(dir, name string, n int, content string) error {
	return zipped(dir, name, func(z *zip.Writer) error {
		for i := range n {
			w, err := z.CreateHeader(&zip.FileHeader{Name: fmt.Sprint(i, ".npy")})
			if err == nil {
				_, err = io.WriteString(w, content)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// archive is a checkpoint of NeMo with files and empty ones besides.
func archive(dir string, files map[string][]byte, empty int) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(dir, "model.nemo"))
	if err != nil {
		return err
	}
	defer f.Close()
	t := tar.NewWriter(f)
	for _, name := range []string{"model_config.yaml", "model_weights.ckpt"} {
		if b, ok := files[name]; ok {
			if err := t.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(b))}); err != nil {
				return err
			}
			if _, err := t.Write(b); err != nil {
				return err
			}
		}
	}
	for i := range empty {
		if err := t.WriteHeader(&tar.Header{Name: fmt.Sprint("x", i), Mode: 0o644}); err != nil {
			return err
		}
	}
	return t.Close()
}

// whisper is a model of whisper.cpp with a vocabulary of so many tokens.
func whisper(tokens, each int64) func(string) error {
	return func(dir string) error {
		l := create(dir, "ggml-model.bin").u32(0x67676d6c)
		for _, n := range []uint32{51864, 1500, 64, 1, 1, 448, 64, 1, 1, 80, 1} {
			l.u32(n)
		}
		l.u32(80).u32(201).hole(4 * 80 * 201).u32(uint32(tokens))
		for range tokens {
			l.u32(uint32(each)).hole(each)
		}
		return l.close()
	}
}

// variables is a model of CTranslate2 with names of some length and no values but one.
func variables(n, name int) func(string) error {
	return func(dir string) error {
		l := create(dir, "model.bin").u32(6).text("\x0c\x00WhisperSpec\x00").u32(3).u32(uint32(n))
		for i := range n {
			l.text(string(binary.LittleEndian.AppendUint16(nil, uint16(name+1)))).text(fmt.Sprintf("%0*d\x00\x01", name, i)).u32(0).text("\x00").u32(0)
		}
		return l.u32(0).close()
	}
}

// savedModel is a table of TensorFlow whose names are 60 KiB long, all but a byte of
// which each shares with the one before.
func savedModel(dir string) error {
	var b []byte
	add := func(shared int, own string, value string) {
		b = binary.AppendUvarint(b, uint64(shared))
		b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(len(own))), uint64(len(value)))
		b = append(append(b, own...), value...)
	}
	const long = 60 << 10
	add(0, "", "\x08\x01")
	add(0, strings.Repeat("x", long), "\x08\x01")
	for i := range 1_000_000 {
		add(long-4+i%2, fmt.Sprintf("%04x", i&0xffff)[:4-i%2], "\x08\x01")
	}
	b = append(b, 0, 0, 0, 0, 1, 0, 0, 0)
	var out []byte
	block := func(b []byte) []byte {
		place := binary.AppendUvarint(binary.AppendUvarint(nil, uint64(len(out))), uint64(len(b)))
		b = append(b, 0)
		sum := crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))
		out = le.AppendUint32(append(out, b...), (sum>>15|sum<<17)+0xa282ead8)
		return place
	}
	data := block(b)
	meta := block([]byte{0, 0, 0, 0, 1, 0, 0, 0})
	index := block(append(append([]byte{0, 1, byte(len(data)), '~'}, data...), 0, 0, 0, 0, 1, 0, 0, 0))
	footer := append(append([]byte{}, meta...), index...)
	footer = append(footer, make([]byte, 40-len(footer))...)
	out = le.AppendUint64(append(out, footer...), 0xdb4775248b80fb57)
	return create(dir, "model.ckpt.index").bytes(out).close()
}

// flat is a model of TensorFlow Lite whose vector of tensors names one table over and
// over.
func flat(dir string) error {
	const n = 10_000_000
	l := create(dir, "model.tflite").u32(24).text("TFL3")
	l.bytes([]byte{12, 0, 8, 0, 0, 0, 0, 0, 4, 0, 0, 0}).u32(0) // a table's layout: its third field, subgraphs
	l.u32(16).u32(8)                                            // the model: layout, and where the subgraphs are
	l.u32(0).u32(1).u32(12)                                     // one subgraph
	l.bytes([]byte{6, 0, 8, 0, 4, 0, 0, 0})                     // layout of a subgraph: its tensors
	l.u32(8).u32(4).u32(n)
	for i := range n {
		l.u32(uint32(4 * (n - i)))
	}
	return l.u32(0).close()
}
