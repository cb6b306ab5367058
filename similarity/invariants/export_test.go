package invariants

// Spectra is for tests.
var Spectra = spectra
