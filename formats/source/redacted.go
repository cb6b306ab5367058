package source

import (
	"net/url"
	"strings"
)

// Redacted is a reference as it may be repeated in reports and records: of an
// address without user name, query and fragment, which may be secret.
func Redacted(ref string) string {
	if strings.HasPrefix(ref, "https:") || strings.HasPrefix(ref, "http:") {
		return printableURL(ref)
	}
	return ref
}

// printableURL is an address without what may be secret: query, fragment, user.
func printableURL(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		s, _, _ = strings.Cut(s, "?")
		return s
	}
	query := u.RawQuery != ""
	u.RawQuery, u.Fragment, u.RawFragment, u.User = "", "", "", nil
	if query {
		return u.String() + "?…"
	}
	return u.String()
}
