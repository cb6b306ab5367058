// Package intoto states the findings of a report in the form that supply-chain
// tools read: an in-toto Statement v1 about two models pinned by digest, in a
// DSSE envelope signed with an ed25519 or ECDSA key. A signature says who vouches
// for a statement; whether the statement is true is for [Differs], which holds it
// against a report made anew.
package intoto
