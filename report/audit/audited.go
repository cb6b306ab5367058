package audit

import (
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats/source"
)

// Audited is one model with what became of the claims about it.
type Audited struct {
	Model   string // as it was named
	Claim   string // the file with the claim, "" where the model's own files were asked
	Nonce   string // from which sampled positions follow, "" for none
	Results []Result
	Known   any // what a search of known models found, in its own JSON form; nil without one
}

// nowhere is what is said of a model without a claim.
const nowhere = "no claim: the model's files declare no parent; name one in a file for --claim, or ask compare"

// place is the file that makes a claim, as a relative address where it can be one.
func (a *Audited) place(r *Result) string {
	switch {
	case r.Source == byCaller && a.Claim != "":
		return address(a.Claim)
	case slices.Contains([]string{".md", ".json"}, path.Ext(r.Source)): // a file beside the weights
		return address(folderOf(a.Model), r.Source)
	}
	return address(a.Model)
}

// folderOf is where the files beside a model's weights lie.
func folderOf(model string) string {
	if path.Ext(model) != "" && !strings.HasSuffix(model, "/") {
		return path.Dir(filepath.ToSlash(model))
	}
	return model
}

// address writes a path as the reference that other tools expect. References with a
// scheme stay as they are.
func address(parts ...string) string {
	model := source.Redacted(parts[0])
	for _, scheme := range []string{"hf:", "ollama:", "lmstudio:", "https:", "http:"} {
		if strings.HasPrefix(model, scheme) {
			return (&url.URL{Opaque: strings.Join(append([]string{model}, parts[1:]...), "/")}).String()
		}
	}
	u := url.URL{Path: path.Join(append([]string{filepath.ToSlash(model)}, parts[1:]...)...)}
	return u.String()
}

// fails tells whether an outcome counts as a fault: a contradicted claim does, others
// where the caller says so.
func (r *Result) fails(also []Outcome) bool {
	return r.Outcome == Contradicted || slices.Contains(also, r.Outcome)
}

// words say what became of a claim in a sentence.
func (r *Result) words() string {
	return string(r.Outcome) + ": " + string(r.Claim.Relation) + " of " + r.Claim.Parent + " (" + r.Source + "): " + r.Because
}
