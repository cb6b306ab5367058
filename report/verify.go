package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
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
	var remote [2]bool
	for i := range remote {
		remote[i] = r.Subjects[i].Remote || anew.Subjects[i].Remote
	}
	want, err := r.plain(remote)
	if err != nil {
		return nil, err
	}
	got, err := anew.plain(remote)
	if err != nil {
		return nil, err
	}
	return differ("", want, got), nil
}

// plain turns a report into maps and lists, without what may differ.
func (r *Report) plain(remote [2]bool) (map[string]any, error) {
	c := *r
	c.Tool.Version = ""
	for i := range c.Subjects {
		s := &c.Subjects[i]
		s.Ref, s.Revision, s.Remote = "", "", false
		if remote[i] {
			s.BytesRead = 0
		}
		s.Files = slices.Clone(s.Files)
		for k := range s.Files {
			s.Files[k].ETag, s.Files[k].SHA256 = "", ""
		}
	}
	var b bytes.Buffer
	if err := c.WriteJSON(&b); err != nil {
		return nil, err
	}
	d := json.NewDecoder(&b)
	d.UseNumber()
	var out map[string]any
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
			if d := differ(join(path, k), w[k], g[k]); d != nil {
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
			var x, y any
			if i < len(w) {
				x = w[i]
			}
			if i < len(g) {
				y = g[i]
			}
			if d := differ(fmt.Sprintf("%s[%d]", path, i), x, y); d != nil {
				return d
			}
		}
		return nil
	}
	if want == got {
		return nil
	}
	return &Difference{path, asJSON(want), asJSON(got)}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}
