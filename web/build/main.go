// Command build makes the web page: one HTML file that holds the library, compiled to
// WebAssembly, with all that it needs.
//
//	go run ./web/build -o build/web/weightprint.html
package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/weightprint/weightprint/report"
)

func main() {
	out := flag.String("o", "build/web/weightprint.html", "file to write")
	version := flag.String("version", report.Version(), "what the page says of its version")
	flag.Parse()
	if err := build(*out, *version); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

// build compiles the library and writes the page.
func build(out, version string) error {
	root, err := goCommand("list", "-m", "-f", "{{.Dir}}")
	if err != nil {
		return err
	}
	library, err := compiled(root, version)
	if err != nil {
		return err
	}
	p, err := parts(root)
	if err != nil {
		return err
	}
	page, err := p.assemble(library, version)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return err
	}
	fmt.Printf("%s: %.1f MB, of which the library takes %.1f\n", out, float64(len(page))/1e6, float64(len(library))/1e6)
	return os.WriteFile(out, page, 0o644)
}

// goCommand runs the Go tool and returns what it printed.
func goCommand(args ...string) (string, error) {
	out, err := exec.Command("go", args...).Output()
	return strings.TrimSpace(string(out)), err
}

// compiled is the library as WebAssembly, compressed.
func compiled(root, version string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "weightprint-web-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "library.wasm")
	c := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -buildid= -X github.com/weightprint/weightprint/report.stamped="+version, "-o", file, "./web/wasm")
	c.Dir, c.Env = root, append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0")
	if text, err := c.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("compiling the library: %w: %s", err, text)
	}
	code, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(code); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// source is what the page is put together from.
type source struct{ page, style, script, worker, runtime, report string }

// parts reads the page's parts. The runtime is Go's own, of the release that compiles.
func parts(root string) (*source, error) {
	goroot, err := goCommand("env", "GOROOT")
	if err != nil {
		return nil, err
	}
	var s source
	for file, to := range map[string]*string{
		"web/page/page.html": &s.page, "web/page/page.css": &s.style, "web/page/page.js": &s.script, "web/page/worker.js": &s.worker,
		"report/html/style.css": &s.report, filepath.Join(goroot, "lib", "wasm", "wasm_exec.js"): &s.runtime,
	} {
		if !filepath.IsAbs(file) {
			file = filepath.Join(root, file)
		}
		b, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		*to = string(b)
	}
	return &s, nil
}

// assemble puts everything into one file.
func (s *source) assemble(library []byte, version string) ([]byte, error) {
	worker, err := json.Marshal(s.runtime + "\n" + s.worker) // escapes what would end a script
	if err != nil {
		return nil, err
	}
	script := "const WORKER = " + string(worker) + ";\n" + s.script
	t, err := template.New("page").Parse(s.page)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, map[string]any{
		"Policy": policy(script, s.style, s.report), "Style": s.style, "Script": script, "Version": template.HTMLEscapeString(version),
		"Library": base64.StdEncoding.EncodeToString(library), "Sides": []string{"A", "B"},
	})
	return b.Bytes(), err
}

// policy allows this script and these styles by their digests, the library, and its
// worker. It allows no connection of any kind.
func policy(script, style, report string) string {
	digest := func(s string) string {
		d := sha256.Sum256([]byte(s))
		return "'sha256-" + base64.StdEncoding.EncodeToString(d[:]) + "'"
	}
	return "default-src 'none'; script-src " + digest(script) + " 'wasm-unsafe-eval'; worker-src blob:; style-src " + digest(style) + " " + digest(report) + "; connect-src 'none'; base-uri 'none'; form-action 'none'"
}
