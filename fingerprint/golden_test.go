package fingerprint_test

// Beginning of the value root of a fixed model, and the last bytes of its
// fingerprint file.
const golden, goldenFile = "6c7087a8082e79ef", "471f6ca3b0b295ee"
