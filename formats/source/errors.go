package source

import "errors"

// The classes of faults of references and servers, for errors.Is. A file that
// changes under the reader is tensor.ErrChanged, one that ends too early
// io.ErrUnexpectedEOF.
var (
	// ErrReference: the reference is not of any known form.
	ErrReference = errors.New("no such form of reference")
	// ErrNotStored: the model is not in the local store that the reference
	// names, and may not be fetched from elsewhere.
	ErrNotStored = errors.New("the model is not in the local store")
	// ErrAddress: the address may not be asked: it is private, not encrypted,
	// or a redirect leads there that must not.
	ErrAddress = errors.New("address refused")
	// ErrNoRanges: the server sends whole files only.
	ErrNoRanges = errors.New("the server does not serve byte ranges")
	// ErrAnswer: the server's answer is not what was asked for.
	ErrAnswer = errors.New("the server's answer is not what was asked for")
	// ErrSlow: the server stalls, or sends too slowly.
	ErrSlow = errors.New("the server is too slow")
	// ErrUnreachable: no connection to the server came about, or it broke.
	ErrUnreachable = errors.New("the server cannot be reached")
)
