package calibrated

// Spectra is for tests.
var Spectra = spectra
