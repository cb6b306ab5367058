package hostile

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// archived writes a torch checkpoint of the given pickle.
func archived(dir string, pickle io.Reader, method uint16, more int) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(dir, "pytorch_model.bin"))
	if err != nil {
		return err
	}
	defer f.Close()
	z := zip.NewWriter(f)
	w, err := z.CreateHeader(&zip.FileHeader{Name: "m/data.pkl", Method: method})
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, pickle); err != nil {
		return err
	}
	for i := range more {
		if _, err := z.CreateHeader(&zip.FileHeader{Name: fmt.Sprint("m/data/", i)}); err != nil {
			return err
		}
	}
	return z.Close()
}

func torchInputs() []Input {
	pickled := func(n int, piece string) func(string) error {
		return func(dir string) error {
			return archived(dir, strings.NewReader("\x80\x02"+repeated(piece, n)+"."), zip.Store, 0)
		}
	}
	return []Input{
		{"torch/a pickle that inflates to 2 GB", inspect, func(dir string) error {
			return archived(dir, io.LimitReader(zeros{}, 2_000_000_000), zip.Deflate, 0)
		}},
		{"torch/60 MB of empty lists", inspect, pickled(60_000_000, "]")},
		{"torch/60 MB of empty dictionaries", inspect, pickled(60_000_000, "}")},
		{"torch/60 MB of marks", inspect, pickled(60_000_000, "(")},
		{"torch/60 MB of tuples within one another", inspect, pickled(60_000_000, ")\x85")},
		{"torch/60 MB of copies", inspect, pickled(60_000_000, "]2")},
		{"torch/20 million memos", inspect, pickled(60_000_000, "]q\x00")},
		{"torch/a string of 60 MB", inspect, func(dir string) error {
			return archived(dir, strings.NewReader("\x80\x02X\x00\x87\x93\x03"+repeated("x", 60_000_000)+"."), zip.Store, 0)
		}},
		{"torch/half a million members", inspect, func(dir string) error {
			return archived(dir, strings.NewReader("\x80\x02}."), zip.Store, 500_000)
		}},
	}
}

// zeros reads as zero bytes without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// otherInputs are files of the program's own that it never wrote.
func otherInputs() []Input {
	file := func(name string, text func() []byte) func(string) error {
		return func(dir string) error {
			if err := written(dir, nil); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(dir, name), text(), 0o644)
		}
	}
	lists := func() []byte {
		return []byte(`{"schema":"weightprint.report/1","evidence":[` + repeated("{},", 30_000_000) + `{}]}`)
	}
	return []Input{
		{"own/a fingerprint of 300 MB", on("verify {dir}/x.wfp {dir}"), file("x.wfp", func() []byte { return bytes.Repeat([]byte("WPRINT\r\n"), 300_000_000/8) })},
		{"own/a report of empty evidence", on("verify {dir}/r.json {dir} {dir}"), file("r.json", lists)},
		{"own/a report of one string", on("verify {dir}/r.json {dir} {dir}"), file("r.json", func() []byte { return []byte(`{"schema":"` + repeated("x", 200_000_000) + `"}`) })},
		{"own/a claim of lists", on("audit {dir} --claim {dir}/c.json"), file("c.json", func() []byte { return []byte(`{"claims":[` + repeated("[],", 60_000_000) + `[]]}`) })},
		{"own/an index of 300 MB", on("index search --index {dir}/x.wpi {dir}"), file("x.wpi", func() []byte { return bytes.Repeat([]byte("WPINDEX\n"), 300_000_000/8) })},
		{"own/an opening of 300 MB", on("verify {dir}/x.wpc {dir} --opening {dir}/x.wpc"), file("x.wpc", func() []byte { return bytes.Repeat([]byte("WPCOMMIT"), 300_000_000/8) })},
	}
}
