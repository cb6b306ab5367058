// Package dated reads dates that somebody else vouches for: time-stamp tokens of
// RFC 3161 over a fingerprint, a commitment, a manifest, a signed statement or a
// model's own file. A token shows that what was stamped existed by a time. It
// never shows that something did not exist before.
package dated
