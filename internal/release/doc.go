// Command release builds the programs of a release so that anybody with the same
// sources and the same Go release gets the same bytes, with their digests, bills
// of materials and licences beside them. scripts/release.sh calls it; docs/RELEASING.md
// explains it.
//
//	go run ./internal/release -version v1.2.3 -o build/release [-targets linux/amd64,…] [-key key.pem]
//	go run ./internal/release -licences
package main
