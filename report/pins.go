package report

import (
	"fmt"
	"slices"
)

// SubjectsDiffer holds what pins the subjects of a report against those of one
// made anew: the digests of their values and headers, and their files. It returns
// in words what is not the same model, "" where nothing says so. swapped tells
// that A is the report's B, and B its A.
func (r *Report) SubjectsDiffer(anew *Report) (words string, swapped bool) {
	w, g := &r.Subjects, &anew.Subjects
	for i := range w {
		if words = w[i].changed(&g[i]); words != "" {
			words = string(rune('A'+i)) + ": " + words
			break
		}
	}
	swapped = words != "" && w[0].changed(&g[1]) == "" && w[1].changed(&g[0]) == ""
	if half := r.halfSwapped(anew); !swapped && half != "" {
		words = half
	}
	return words, swapped
}

// halfSwapped says that one of two exchanged subjects is what the report has on the other
// side, and what the other is not; "" where that is not so.
func (r *Report) halfSwapped(anew *Report) string {
	w, g := &r.Subjects, &anew.Subjects
	for i := range w {
		other := 1 - i
		if w[i].changed(&g[i]) == "" || w[other].changed(&g[other]) == "" || w[other].changed(&g[i]) != "" {
			continue
		}
		here, there := string(rune('A'+i)), string(rune('A'+other))
		return fmt.Sprintf("%s given here is %s of the report, and %s given here is not its %s: %s", here, there, there, here, w[i].changed(&g[other]))
	}
	return ""
}

// changed says in words what of a subject is not as in another, "" for nothing.
// Digests that only one of them has say nothing.
func (s *Subject) changed(now *Subject) string {
	for k := range s.Files {
		i := slices.IndexFunc(now.Files, func(f File) bool { return f.Path == s.Files[k].Path })
		if i < 0 {
			return fmt.Sprintf("%q is not there", s.Files[k].Path)
		}
		if words := s.Files[k].changed(&now.Files[i]); words != "" {
			return fmt.Sprintf("%q has changed: %s", s.Files[k].Path, words)
		}
	}
	switch {
	case len(now.Files) > len(s.Files):
		return "it has files that the report does not list"
	case s.Header != now.Header:
		return "names, types or shapes of its tensors have changed"
	case s.Root != nil && now.Root != nil && *s.Root != *now.Root:
		return "its values have changed"
	}
	return ""
}

func (f *File) changed(now *File) string {
	switch {
	case f.Size != now.Size:
		return fmt.Sprintf("%d bytes in the report and %d now", f.Size, now.Size)
	case f.SHA256 != "" && now.SHA256 != "" && f.SHA256 != now.SHA256:
		return fmt.Sprintf("SHA-256 %s in the report and %s now", f.SHA256, now.SHA256)
	case f.Digest != nil && now.Digest != nil && *f.Digest != *now.Digest:
		return fmt.Sprintf("digest %s in the report and %s now", f.Digest, now.Digest)
	case f.ReadDigest != nil && now.ReadDigest != nil && slices.Equal(f.Ranges, now.Ranges) && *f.ReadDigest != *now.ReadDigest:
		return "the bytes that were read of it are others"
	}
	return ""
}
