package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// distance is the number of letters to insert, remove, replace or swap with a
// neighbour to turn a into b.
func distance(a, b string) int {
	prev, row := []int(nil), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next := make([]int, len(b)+1)
		next[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next[j+1] = min(row[j]+cost, row[j+1]+1, next[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], prev[j-1]+1)
			}
		}
		prev, row = row, next
	}
	return row[len(b)]
}

// didYouMean names what a mistyped word comes closest to, or nothing.
func didYouMean(word string, known []string) string {
	best, at := 3, ""
	for _, k := range known {
		if d := distance(word, k); d < best && d < len(k) && !opposite(word, k) {
			best, at = d, k
		}
	}
	if at == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %s?", at)
}

// opposite tells whether one word denies the other, however close their letters are.
func opposite(a, b string) bool {
	for _, no := range []string{"un", "in", "non", "not-"} {
		if a == no+b || b == no+a {
			return true
		}
	}
	return false
}

// oneOf is an error for a flag's value that is none of the known ones.
func oneOf(flag, value string, known []string) error {
	hint := didYouMean(value, known)
	if instead, ok := unwritten["."+value]; ok && flag == "format" {
		hint = "; use " + instead
	}
	return fmt.Errorf("--%s: %q is not one of %s%s", flag, value, strings.Join(known, ", "), hint)
}

// flagError adds the flag that was meant to an error about an unknown one.
func flagError(c *cobra.Command, err error) error {
	name, ok := strings.CutPrefix(err.Error(), "unknown flag: --")
	if !ok {
		return usageError{fmt.Errorf("%w; see %s --help", err, c.CommandPath())}
	}
	var known []string
	c.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
	hint := didYouMean(name, known)
	if hint != "" {
		hint = strings.Replace(hint, "mean ", "mean --", 1)
	} else {
		hint = fmt.Sprintf("; see %s --help", c.CommandPath())
	}
	return usageError{fmt.Errorf("%w%s", err, hint)}
}
