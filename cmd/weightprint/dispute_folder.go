package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/internal/outfile"
	"github.com/weightprint/weightprint/report/dispute"
)

func readTranscript(file string) (*dispute.Transcript, error) {
	text, err := readSmall(file)
	if err != nil {
		return nil, err
	}
	t, err := dispute.Parse(text)
	if err != nil {
		err = fmt.Errorf("%s: %w", escape.Printable(file), err)
	}
	return t, err
}

// isTranscript tells the file of a transcript by its first bytes.
func isTranscript(head []byte) bool {
	return bytes.HasPrefix(head, []byte(`{"schema":"`+dispute.Schema+`",`))
}

// replaceFile writes a file of a dispute; ours tells what may stand there, nil for
// nothing.
func replaceFile(file string, text []byte, ours func([]byte) bool) error {
	t, err := outfile.Prepare(file, &outfile.Rules{Ours: ours, New: ours == nil})
	if err != nil {
		return err
	}
	return (&destination{target: t}).bytes(text)
}

// exhibitPath is where an exhibit lies: under its digest.
func exhibitPath(dir, sum string) string { return filepath.Join(dir, exhibitsFolder, sum) }

// putExhibit stores an exhibit under its digest, if it does not lie there. added
// tells whether nothing lay there before.
func putExhibit(dir string, text []byte) (file string, added bool, err error) {
	file = exhibitPath(dir, dispute.NewExhibit("", text).SHA256)
	have, err := readSmall(file)
	if err == nil && bytes.Equal(have, text) {
		return file, false, nil
	}
	added = errors.Is(err, os.ErrNotExist)
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return file, added, err
	}
	return file, added, replaceFile(file, text, func([]byte) bool { return true }) // damaged, if it is there
}

// getExhibit reads an exhibit, which must be what the transcript says.
func getExhibit(dir string, x dispute.Exhibit, line int) ([]byte, error) {
	if strings.Trim(x.SHA256, "0123456789abcdef") != "" || len(x.SHA256) != 64 {
		return nil, fmt.Errorf("%w: line %d: exhibit %.80q has no SHA-256", dispute.ErrForged, line, x.Name)
	}
	text, err := readSmall(exhibitPath(dir, x.SHA256))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w: exhibit %.80q is missing: %s", dispute.ErrForged, x.Name, exhibitPath(dir, x.SHA256))
	}
	if err == nil && dispute.NewExhibit("", text).SHA256 != x.SHA256 {
		err = fmt.Errorf("%w: exhibit %.80q was changed: %s", dispute.ErrForged, x.Name, exhibitPath(dir, x.SHA256))
	}
	return text, err
}
