package report

import "strings"

// Command is the command line that makes the report. Subjects that a shell could take
// for something else stand in quotes.
func (r *Report) Command() string {
	o := r.Options
	words := []string{"weightprint", "compare", quoted(r.Subjects[0].Ref), quoted(r.Subjects[1].Ref), "--budget", o.Budget.String(), "--depth", string(o.Depth)}
	if r.Nonce != nil {
		words = append(words, "--nonce", quoted(*r.Nonce))
	}
	for _, f := range []struct {
		set  bool
		flag string
	}{{o.Pin, "--pin"}, {o.Lenient, "--lenient"}, {o.NoAccess, "--assume-no-access"}} {
		if f.set {
			words = append(words, f.flag)
		}
	}
	if o.Disclosed != "" {
		words = append(words, "--disclosed", string(o.Disclosed))
	}
	for _, d := range o.Dates {
		words = append(words, "--dated", quoted(d.File))
	}
	return strings.Join(words, " ")
}

// quoted is a word as a shell takes it literally.
func quoted(s string) string {
	plain := func(c rune) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("_-./:@+,=", c)
	}
	if s != "" && strings.IndexFunc(s, func(c rune) bool { return !plain(c) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
