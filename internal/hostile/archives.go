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
		{"torch/dictionaries of which each holds the next twice", inspect, func(dir string) error {
			// d = {}, then {"a": d, "b": d} forty times: 2⁴⁰ paths.
			var b strings.Builder
			b.WriteString("\x80\x02}q\x00")
			for i := range 40 {
				fmt.Fprintf(&b, "}q%c(X\x01\x00\x00\x00ah%cX\x01\x00\x00\x00bh%cu", i+1, i, i)
			}
			return archived(dir, strings.NewReader(b.String()+"."), zip.Store, 0)
		}},
		{"torch/a dictionary that holds itself", inspect, func(dir string) error {
			return archived(dir, strings.NewReader("\x80\x02}q\x00X\x01\x00\x00\x00ah\x00s."), zip.Store, 0)
		}},
		{"torch/a tensor of a million million values on one", on("compare {dir} {dir} --json"), func(dir string) error {
			return zipped(dir, "pytorch_model.bin", func(z *zip.Writer) error {
				pickle := "\x80\x02}X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x01tQK\x00J\x00\x00\x10\x00J\x00\x00\x10\x00\x86K\x00K\x00\x86\x89ccollections\nOrderedDict\n)RtRs."
				for name, b := range map[string]string{"m/data.pkl": pickle, "m/data/0": "\x00\x00\x80\x3f"} {
					w, err := z.CreateHeader(&zip.FileHeader{Name: name})
					if err == nil {
						_, err = io.WriteString(w, b)
					}
					if err != nil {
						return err
					}
				}
				return nil
			})
		}},
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
