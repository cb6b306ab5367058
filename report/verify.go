package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/report/verdict"
)

// Difference is the first place where two reports say different things.
type Difference struct {
	Path      string // such as "verdict.log10P"
	Want, Got string // JSON
}

// Differs compares a report with one made anew, field by field, leaving aside
// the program's version, where the subjects were opened and what their stores
// call them and, where a server was read, how much was transferred. It returns
// nil when they agree.
func (r *Report) Differs(anew *Report) (*Difference, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	return DiffersJSON(text, anew)
}

// DiffersJSON is Differs for the text of a report. It also finds what stands
// in the text beside the fields of a report: nobody has vouched for that.
func DiffersJSON(text []byte, anew *Report) (*Difference, error) {
	r, err := ParseJSON(text)
	if err != nil {
		return nil, err
	}
	again := *anew
	for i := range r.Subjects { // a server counts what it sends, a disk what is asked for
		if r.Subjects[i].Remote || again.Subjects[i].Remote {
			r.Subjects[i].Remote, again.Subjects[i].Remote = true, true
		}
	}
	want, err := plain(text)
	if err != nil {
		return nil, err
	}
	portable, err := r.portable().plain()
	if err != nil {
		return nil, err
	}
	blank(want, portable)
	got, err := again.portable().plain()
	if err != nil {
		return nil, err
	}
	// Where others were compared, or under other options, all else follows from that.
	// Else what was found comes first.
	first := []string{"options", "verdict", "subjects"}
	if words, swapped := r.SubjectsDiffer(anew); words != "" || swapped {
		first = []string{"subjects", "options", "verdict"}
	}
	for _, name := range first {
		if d := differ(name, member(want, name), member(got, name)); d != nil {
			return d, nil
		}
	}
	return differ("", want, got), nil
}

// blank takes over from the portable form of a report what makes it so.
func blank(m, portable map[string]any) {
	m["warnings"] = portable["warnings"]
	if tool, ok := m["tool"].(map[string]any); ok {
		tool["version"] = ""
	}
	from, _ := portable["subjects"].([]any)
	to, _ := m["subjects"].([]any)
	for i := range min(len(from), len(to)) {
		takeOver(to[i], from[i], "ref", "revision", "remote", "bytesRead")
		a, _ := from[i].(map[string]any)
		b, _ := to[i].(map[string]any)
		fromFiles, _ := a["files"].([]any)
		toFiles, _ := b["files"].([]any)
		for k := range min(len(fromFiles), len(toFiles)) {
			takeOver(toFiles[k], fromFiles[k], "etag", "namedSha256")
		}
	}
}

// takeOver gives the named members of an object the values, or the absence,
// that they have in another.
func takeOver(to, from any, names ...string) {
	a, _ := to.(map[string]any)
	b, _ := from.(map[string]any)
	for _, name := range names {
		if v, ok := b[name]; ok && a != nil {
			a[name] = v
		} else {
			delete(a, name)
		}
	}
}

// Digest is the SHA-256 of all that a report states, apart from the program's
// version and the names under which the subjects were opened: the same for all
// who make the same report.
func (r *Report) Digest() (string, error) {
	h := sha256.New()
	err := r.portable().WriteJSON(h)
	return hex.EncodeToString(h.Sum(nil)), err
}

// portable returns the report without what depends on where it was made.
func (r *Report) portable() *Report {
	c := *r
	c.Tool.Version = ""
	c.Warnings = slices.Clone(r.Warnings)
	for i := range c.Subjects {
		for k, w := range c.Warnings {
			if ref := filepath.Clean(r.Subjects[i].Ref); len(ref) > 1 {
				c.Warnings[k] = strings.ReplaceAll(w, ref, verdict.Side(i))
			}
		}
		s := &c.Subjects[i]
		if s.Remote {
			s.BytesRead = 0
		}
		s.Ref, s.Revision, s.Remote = "", "", false
		s.Files = slices.Clone(s.Files)
		for k := range s.Files {
			s.Files[k].ETag, s.Files[k].Named = "", ""
		}
	}
	return &c
}

// plain turns a report into maps and lists.
func (r *Report) plain() (map[string]any, error) {
	var b bytes.Buffer
	if err := r.WriteJSON(&b); err != nil {
		return nil, err
	}
	return plain(b.Bytes())
}

func plain(text []byte) (out map[string]any, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return out, d.Decode(&out)
}

// differ walks two JSON values together.
func differ(path string, want, got any) *Difference {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			break
		}
		keys := []string{}
		for k := range w {
			keys = append(keys, k)
		}
		for k := range g {
			if _, ok := w[k]; !ok {
				keys = append(keys, k)
			}
		}
		slices.Sort(keys)
		for _, k := range keys {
			if d := differ(join(path, k), member(w, k), member(g, k)); d != nil {
				return d
			}
		}
		return nil
	case []any:
		g, ok := got.([]any)
		if !ok {
			break
		}
		for i := range max(len(w), len(g)) {
			if d := differ(fmt.Sprintf("%s[%d]", path, i), element(w, i), element(g, i)); d != nil {
				return d
			}
		}
		return nil
	}
	if sameValue(want, got) {
		return nil
	}
	return &Difference{path, asJSON(want), asJSON(got)}
}

// absent stands for what is not there, which null is not.
type absent struct{}

func member(m map[string]any, k string) any {
	if v, ok := m[k]; ok {
		return v
	}
	return absent{}
}

func element(all []any, i int) any {
	if i < len(all) {
		return all[i]
	}
	return absent{}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func asJSON(v any) string {
	if v == (absent{}) {
		return "nothing"
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

// Differ compares two JSON texts and returns the first place where they say
// different things, nil where they do not.
func Differ(want, got []byte) (*Difference, error) {
	w, err := plain(want)
	if err != nil {
		return nil, err
	}
	g, err := plain(got)
	if err != nil {
		return nil, err
	}
	return differ("", w, g), nil
}
