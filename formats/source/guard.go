//go:build !nonet && !js

package source

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
)

// guard decides which addresses may be asked. It judges URLs when they are
// given or redirected to, and once more the numeric address at the moment of
// connecting, so that a name cannot lead elsewhere than it did when it was
// looked at.
type guard struct {
	allowPrivate bool
	endpoint     *url.URL        // a hub that the user named; by number or as localhost it may be private
	public       map[string]bool // for tests: addresses with port that count as public
}

// never holds networks where no model lies: link-local ones with the clouds'
// credential services, "this host", multicast and reserved ones.
var never = prefixes("0.0.0.0/8", "169.254.0.0/16", "100.100.100.200/32", "192.0.0.0/24", "192.88.99.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"::/128", "fe80::/10", "fec0::/10", "ff00::/8", "fd00:ec2::254/128", "100::/64")

// private holds networks that only the user may open up: loopback, private and
// shared address space, and those for documentation and measurements.
var private = prefixes("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "198.18.0.0/15", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24",
	"::1/128", "fc00::/7", "2001:db8::/32")

// carriers hold an IPv4 address from the given byte on.
var carriers = []struct {
	prefix netip.Prefix
	at     int
}{
	{netip.MustParsePrefix("64:ff9b::/96"), 12},   // NAT64
	{netip.MustParsePrefix("64:ff9b:1::/48"), 12}, // NAT64, local use
	{netip.MustParsePrefix("2002::/16"), 2},       // 6to4
	{netip.MustParsePrefix("2001::/32"), 12},      // Teredo, inverted
	{netip.MustParsePrefix("::/96"), 12},          // IPv4-compatible
}

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

func within(ip netip.Addr, list []netip.Prefix) bool {
	for _, p := range list {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}

// embedded returns the IPv4 address that an IPv6 address carries.
func embedded(ip netip.Addr) (netip.Addr, bool) {
	for _, c := range carriers {
		if !c.prefix.Contains(ip) {
			continue
		}
		b := ip.As16()
		v4 := [4]byte(b[c.at : c.at+4])
		if c.prefix.Addr() == netip.MustParseAddr("2001::") {
			for i := range v4 {
				v4[i] ^= 0xff
			}
		}
		return netip.AddrFrom4(v4), true
	}
	return ip, false
}

// address judges a numeric address.
func (g *guard) address(ap netip.AddrPort) error {
	if g.public[ap.String()] {
		return nil
	}
	ip := ap.Addr().Unmap().WithZone("")
	switch {
	case within(ip, never):
		return fmt.Errorf("%w: %v is link-local or reserved", ErrAddress, ip)
	case g.isEndpoint(ip, ap.Port()):
		return nil
	case within(ip, private):
		if g.allowPrivate {
			return nil
		}
		return fmt.Errorf("%w: %v is a private address (--allow-private allows it)", ErrAddress, ip)
	}
	if v4, ok := embedded(ip); ok {
		return g.address(netip.AddrPortFrom(v4, ap.Port()))
	}
	return nil
}

// isEndpoint tells the address of a hub that was named by number or as
// localhost.
func (g *guard) isEndpoint(ip netip.Addr, port uint16) bool {
	if g.endpoint == nil || portOf(g.endpoint) != fmt.Sprint(port) {
		return false
	}
	host := g.endpoint.Hostname()
	if literal, err := netip.ParseAddr(host); err == nil {
		return literal.Unmap() == ip
	}
	return host == "localhost" && ip.IsLoopback()
}

// control is called with the numeric address before each connection.
func (g *guard) control(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %v", ErrAddress, err)
	}
	return g.address(ap)
}

// check judges a URL before it is asked.
func (g *guard) check(u *url.URL) error {
	host := u.Hostname()
	switch {
	case u.Opaque != "" || host == "":
		return fmt.Errorf("%w: the address names no host", ErrAddress)
	case u.User != nil:
		return fmt.Errorf("%w: the address carries a user name or password", ErrAddress)
	case u.Scheme == "http":
		if !g.plain(u) {
			return fmt.Errorf("%w: http is not encrypted; use https (--allow-private allows http to a private address given by number, and to localhost)", ErrAddress)
		}
	case u.Scheme != "https":
		return fmt.Errorf("%w: the scheme is https, not %q", ErrAddress, u.Scheme)
	}
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") && !g.allowPrivate && origin(u) != origin(g.endpoint) {
		return fmt.Errorf("%w: localhost is a private address (--allow-private allows it)", ErrAddress)
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		port, _ := netip.ParseAddrPort("0.0.0.0:" + portOf(u))
		return g.address(netip.AddrPortFrom(ip, port.Port()))
	}
	return nil
}

// plain tells whether a host may be asked without encryption: only where
// nobody else can stand in between.
func (g *guard) plain(u *url.URL) bool {
	if origin(u) == origin(g.endpoint) {
		return true
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return g.allowPrivate && (u.Hostname() == "localhost" || err == nil && within(ip.Unmap().WithZone(""), private))
}

// redirect judges a step from one address to the next.
func (g *guard) redirect(from, to *url.URL) error {
	if from.Scheme == "https" && to.Scheme != "https" {
		return fmt.Errorf("%w: a redirect leads from https to %q", ErrAddress, to.Scheme)
	}
	if err := g.check(to); err != nil {
		return fmt.Errorf("a redirect leads on: %w", err)
	}
	return nil
}

// origin is scheme, host and port: what a token belongs to.
func origin(u *url.URL) string {
	if u == nil {
		return ""
	}
	return u.Scheme + "://" + strings.ToLower(u.Hostname()) + ":" + portOf(u)
}

func portOf(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if u.Scheme == "http" {
		return "80"
	}
	return "443"
}
