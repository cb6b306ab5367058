package service

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/weightprint/weightprint/internal/saferio"
)

// Listening says where a service is reached.
type Listening struct {
	Address  string // host:port; 127.0.0.1:7391 if empty
	Cert     string // files of a certificate and its key; without them there is no TLS
	Key      string
	Insecure bool             // also without tokens, or without TLS, where others can reach it
	Ready    func(url string) // is told the address, as port 0 takes a free one
	Grace    time.Duration    // that running requests have at the end, 30 s
}

// DefaultAddress is on loopback: nobody else can reach it.
const DefaultAddress = "127.0.0.1:7391"

// ErrExposed is returned for an address that others can reach without tokens or
// without TLS.
var ErrExposed = errors.New("others can reach this address")

// Listen serves until ctx ends, then lets running requests end.
func (x *Service) Listen(ctx context.Context, l Listening) error {
	if l.Address == "" {
		l.Address = DefaultAddress
	}
	if l.Grace == 0 {
		l.Grace = 30 * time.Second
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", l.Address)
	if err != nil {
		return err
	}
	defer listener.Close()
	if err := x.safe(listener.Addr(), l); err != nil {
		return err
	}
	scheme := "http"
	certificates, err := l.certificates()
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler: x, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: 5 * time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog:  slog.NewLogLogger(x.options.Log.Handler(), slog.LevelInfo),
		TLSConfig: &tls.Config{MinVersion: tls.VersionTLS12, Certificates: certificates},
	}
	if l.Cert != "" {
		scheme = "https"
	}
	if l.Ready != nil {
		l.Ready(scheme + "://" + listener.Addr().String())
	}
	ended := make(chan error, 1)
	go func() {
		if l.Cert != "" {
			ended <- server.ServeTLS(listener, "", "")
		} else {
			ended <- server.Serve(listener)
		}
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.Grace)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		return errors.Join(fmt.Errorf("requests were cut off: %w", err), server.Close())
	}
	return nil
}

// safe refuses to be reached by others without tokens or in clear text.
func (x *Service) safe(a net.Addr, l Listening) error {
	tcp, ok := a.(*net.TCPAddr)
	if l.Insecure || ok && tcp.IP.IsLoopback() {
		return nil
	}
	if x.options.Tokens == nil {
		return fmt.Errorf("%s: %w: give tokens, or say that it may be open", a, ErrExposed)
	}
	if l.Cert == "" {
		return fmt.Errorf("%s: %w: give a certificate, or say that TLS ends before it", a, ErrExposed)
	}
	return nil
}

// mostPEM bounds a certificate or key, in bytes.
const mostPEM = 1 << 20

// certificates reads the certificate, none where there is none. Pipes in place of files
// are refused, not waited for.
func (l Listening) certificates() ([]tls.Certificate, error) {
	if l.Cert == "" {
		return nil, nil
	}
	cert, err := saferio.ReadFile(l.Cert, mostPEM)
	if err != nil {
		return nil, err
	}
	key, err := saferio.ReadFile(l.Key, mostPEM)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("%s and %s: %w", l.Cert, l.Key, err)
	}
	return []tls.Certificate{pair}, nil
}
